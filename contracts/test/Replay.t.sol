// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

import {IJobRegistry} from "../src/IJobRegistry.sol";
import {JobRegistry} from "../src/JobRegistry.sol";
import {RegistryTest} from "./RegistryTest.sol";

/// @title What was made for one deployment or chain is worth nothing on another
/// @dev The registry reads no signature but the transaction's own, which binds the chain's id and the registry's
/// address by itself (EIP-155); so what could be replayed is a call, a proof or a key.
contract ReplayTest is RegistryTest {
    JobRegistry private _second;

    function setUp() public override {
        super.setUp();
        _second = new JobRegistry(ADMIN, CONFIRMER, PAUSER, DELAY);
    }

    function testFuzz_key_differs_when_the_registry_is_a_second_deployment(
        string calldata tenant,
        string calldata job
    ) public view {
        assert(_second.jobKeyOf(tenant, job) != _registry.jobKeyOf(tenant, job));
    }

    function testFuzz_key_differs_when_the_chain_does(string calldata tenant, string calldata job, uint32 id) public {
        VM.assume(id != 0 && id != block.chainid);
        bytes32 here = _registry.jobKeyOf(tenant, job);
        VM.chainId(id);
        assert(_registry.jobKeyOf(tenant, job) != here);
    }

    function test_second_deployment_has_nothing_when_the_first_recorded() public {
        _confirm(KEY, HASH);
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 3)[1];
        assertEqual(_second.resultHashOf(KEY), 0);
        assertEqual(_second.compactHashOf(inclusion.word), 0);
    }

    function test_proof_is_refused_when_the_second_deployment_is_asked() public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 3)[1];
        assert(!_second.isIncluded(_key(1), _hash(1), inclusion));
        _expectNotIncluded(_key(1), _hash(1), inclusion.word);
        _second.materialize(_key(1), _hash(1), inclusion);
    }

    function testFuzz_recorded_call_is_refused_when_a_stranger_replays_it(address caller) public {
        VM.assume(caller != CONFIRMER);
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 3)[1];
        bytes32 role = _second.CONFIRMER_ROLE();
        _expectMissingRole(caller, role);
        VM.prank(caller);
        _second.confirm(KEY, HASH);
        _expectMissingRole(caller, role);
        VM.prank(caller);
        _second.confirmBatch(_words(KEY, _key(1)), _words(HASH, HASH));
        _expectMissingRole(caller, role);
        VM.prank(caller);
        _second.confirmCompact(NUMBER, inclusion.mask, inclusion.root);
    }

    function test_job_is_not_confirmed_when_its_confirmer_replays_the_call_itself() public {
        bytes32 key = _registry.jobKeyOf("tenant", "job");
        _confirm(key, HASH);
        VM.prank(CONFIRMER);
        _second.confirm(key, HASH);
        assertEqual(_second.resultHashOf(_second.jobKeyOf("tenant", "job")), 0);
    }

    function test_job_is_not_included_when_its_confirmer_replays_the_root_itself() public {
        bytes32 key = _registry.jobKeyOf("tenant", "job");
        bytes32[] memory leaves = _words(_registry.leafOf(_word(NUMBER), 0, key, HASH), OTHER);
        IJobRegistry.Inclusion memory inclusion = _recordLeaves(NUMBER, leaves)[0];
        VM.prank(CONFIRMER);
        _second.confirmCompact(NUMBER, inclusion.mask, inclusion.root);
        assert(_registry.isIncluded(key, HASH, inclusion));
        assert(!_second.isIncluded(_second.jobKeyOf("tenant", "job"), HASH, inclusion));
    }

    function test_proof_is_refused_when_another_confirmer_repeats_the_root() public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 3)[1];
        bytes32 role = _registry.CONFIRMER_ROLE();
        VM.prank(ADMIN);
        _registry.grantRole(role, STRANGER);
        VM.prank(STRANGER);
        _registry.confirmCompact(NUMBER, inclusion.mask, inclusion.root);
        inclusion.word = _registry.wordOf(STRANGER, NUMBER);
        assert(!_registry.isIncluded(_key(1), _hash(1), inclusion));
    }

    function test_roles_are_nobodys_when_they_were_granted_on_the_first() public {
        bytes32 role = _registry.CONFIRMER_ROLE();
        VM.prank(ADMIN);
        _registry.grantRole(role, STRANGER);
        assert(_registry.hasRole(role, STRANGER));
        assert(!_second.hasRole(role, STRANGER));
    }
}
