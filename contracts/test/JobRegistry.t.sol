// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {IJobRegistry} from "../src/IJobRegistry.sol";
import {JobRegistry} from "../src/JobRegistry.sol";
import {Cheats} from "./Cheats.sol";

contract JobRegistryTest is Cheats {
    address private constant ADMIN = address(0xA);
    address private constant CONFIRMER = address(0xC);
    address private constant PAUSER = address(0xF);
    address private constant STRANGER = address(0x5);
    uint48 private constant DELAY = 1 days;
    bytes32 private constant KEY = keccak256("job");
    bytes32 private constant HASH = keccak256("result");
    bytes32 private constant OTHER = keccak256("another result");

    JobRegistry private _registry;

    function setUp() public {
        _registry = new JobRegistry(ADMIN, CONFIRMER, PAUSER, DELAY);
    }

    // confirm
    // ├── when the caller is no confirmer: reverts
    // ├── when paused: reverts
    // ├── when the key is zero: reverts
    // ├── when the hash is zero: reverts
    // ├── when the key is recorded, be it with the same hash: reverts
    // └── otherwise: records and emits

    function testFuzz_confirm_records_when_new(bytes32 key, bytes32 hash) public {
        VM.assume(key != 0 && hash != 0);
        VM.expectEmit(true, true, true, true, address(_registry));
        emit IJobRegistry.JobConfirmed(key, hash);
        _confirm(key, hash);
        assertEqual(_registry.resultHashOf(key), hash);
    }

    function testFuzz_confirm_reverts_when_repeated(bytes32 hash, bytes32 attempted) public {
        VM.assume(hash != 0 && attempted != 0);
        _confirm(KEY, hash);
        VM.expectRevert(abi.encodeWithSelector(IJobRegistry.JobAlreadyConfirmed.selector, KEY, hash, attempted));
        _confirm(KEY, attempted);
        assertEqual(_registry.resultHashOf(KEY), hash);
    }

    function test_confirm_reverts_when_repeated_with_the_same_hash() public {
        _confirm(KEY, HASH);
        VM.expectRevert(abi.encodeWithSelector(IJobRegistry.JobAlreadyConfirmed.selector, KEY, HASH, HASH));
        _confirm(KEY, HASH);
    }

    function test_confirm_reverts_when_key_is_zero() public {
        VM.expectRevert(abi.encodeWithSelector(IJobRegistry.ZeroJobKey.selector, HASH));
        _confirm(0, HASH);
    }

    function test_confirm_reverts_when_hash_is_zero() public {
        VM.expectRevert(abi.encodeWithSelector(IJobRegistry.ZeroResultHash.selector, KEY));
        _confirm(KEY, 0);
    }

    function testFuzz_confirm_reverts_when_caller_is_no_confirmer(address caller) public {
        VM.assume(caller != CONFIRMER);
        _expectMissingRole(caller, _registry.CONFIRMER_ROLE());
        VM.prank(caller);
        _registry.confirm(KEY, HASH);
    }

    // confirmBatch
    // ├── when the caller is no confirmer, or paused: reverts
    // ├── when it is empty, or the lengths differ: reverts
    // ├── when a key or hash is zero: reverts, and nothing is recorded
    // └── otherwise, for each job
    //     ├── when new: records and emits JobConfirmed
    //     ├── when recorded with the same hash: emits JobSkipped
    //     └── when recorded with another: emits JobConflicted, and the recorded hash stays

    function testFuzz_batch_records_each_when_new(bytes32[] memory seeds) public {
        VM.assume(seeds.length != 0);
        bytes32[] memory keys = new bytes32[](seeds.length);
        for (uint256 i = 0; i < keys.length; ++i) keys[i] = keccak256(abi.encode(seeds[i], i));
        _confirmBatch(keys, keys);
        bytes32[] memory recorded = _registry.resultHashesOf(keys);
        for (uint256 i = 0; i < keys.length; ++i) assertEqual(recorded[i], keys[i]);
    }

    function test_batch_records_the_rest_when_one_conflicts_and_one_is_known() public {
        _confirm(KEY, HASH);
        _confirm(_key(1), HASH);
        VM.expectEmit(true, true, true, true, address(_registry));
        emit IJobRegistry.JobConflicted(KEY, HASH, OTHER);
        VM.expectEmit(true, true, true, true, address(_registry));
        emit IJobRegistry.JobSkipped(_key(1));
        VM.expectEmit(true, true, true, true, address(_registry));
        emit IJobRegistry.JobConfirmed(_key(2), HASH);
        _confirmBatch(_words(KEY, _key(1), _key(2)), _words(OTHER, HASH, HASH));
        assertEqual(_registry.resultHashOf(KEY), HASH);
        assertEqual(_registry.resultHashOf(_key(2)), HASH);
    }

    function test_batch_keeps_the_first_when_it_repeats_a_key() public {
        VM.expectEmit(true, true, true, true, address(_registry), 1);
        emit IJobRegistry.JobConfirmed(KEY, HASH);
        VM.expectEmit(true, true, true, true, address(_registry), 1);
        emit IJobRegistry.JobSkipped(KEY);
        VM.expectEmit(true, true, true, true, address(_registry), 1);
        emit IJobRegistry.JobConflicted(KEY, HASH, OTHER);
        _confirmBatch(_words(KEY, KEY, KEY), _words(HASH, HASH, OTHER));
        assertEqual(_registry.resultHashOf(KEY), HASH);
    }

    function test_batch_emits_no_conflict_when_sent_again() public {
        bytes32[] memory keys = _words(_key(1), _key(2), _key(3));
        _confirmBatch(keys, keys);
        VM.expectEmit(false, false, false, false, address(_registry), 0);
        emit IJobRegistry.JobConflicted(0, 0, 0);
        VM.expectEmit(false, false, false, false, address(_registry), 0);
        emit IJobRegistry.JobConfirmed(0, 0);
        _confirmBatch(keys, keys);
    }

    function test_batch_reverts_when_empty() public {
        VM.expectRevert(abi.encodeWithSelector(IJobRegistry.EmptyBatch.selector));
        _confirmBatch(new bytes32[](0), new bytes32[](0));
    }

    function testFuzz_batch_reverts_when_lengths_differ(uint8 keys, uint8 hashes) public {
        VM.assume(keys != hashes);
        VM.expectRevert(abi.encodeWithSelector(IJobRegistry.LengthMismatch.selector, keys, hashes));
        _confirmBatch(new bytes32[](keys), new bytes32[](hashes));
    }

    function test_batch_records_nothing_when_a_key_is_zero() public {
        VM.expectRevert(abi.encodeWithSelector(IJobRegistry.ZeroJobKey.selector, OTHER));
        _confirmBatch(_words(KEY, 0, _key(1)), _words(HASH, OTHER, HASH));
        assertEqual(_registry.resultHashOf(KEY), 0);
    }

    function test_batch_records_nothing_when_a_hash_is_zero() public {
        VM.expectRevert(abi.encodeWithSelector(IJobRegistry.ZeroResultHash.selector, _key(1)));
        _confirmBatch(_words(KEY, _key(1), _key(2)), _words(HASH, 0, HASH));
        assertEqual(_registry.resultHashOf(KEY), 0);
    }

    function testFuzz_batch_reverts_when_caller_is_no_confirmer(address caller) public {
        VM.assume(caller != CONFIRMER);
        _expectMissingRole(caller, _registry.CONFIRMER_ROLE());
        VM.prank(caller);
        _registry.confirmBatch(_words(KEY, _key(1), _key(2)), _words(HASH, HASH, HASH));
    }

    function test_batch_reverts_when_the_confirmer_is_dismissed() public {
        bytes32 role = _registry.CONFIRMER_ROLE();
        VM.prank(ADMIN);
        _registry.revokeRole(role, CONFIRMER);
        _expectMissingRole(CONFIRMER, role);
        _confirmBatch(_words(KEY, _key(1), _key(2)), _words(HASH, HASH, HASH));
    }

    // pause

    function test_confirming_reverts_when_paused_and_goes_on_when_unpaused() public {
        _confirm(KEY, HASH);
        VM.prank(PAUSER);
        _registry.pause();
        VM.expectRevert(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        _confirm(_key(1), HASH);
        VM.expectRevert(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        _confirmBatch(_words(_key(1), _key(2), _key(3)), _words(HASH, HASH, HASH));
        assertEqual(_registry.resultHashOf(KEY), HASH);
        VM.prank(PAUSER);
        _registry.unpause();
        _confirm(_key(1), HASH);
    }

    function testFuzz_pausing_reverts_when_caller_is_no_pauser(address caller) public {
        VM.assume(caller != PAUSER);
        bytes32 role = _registry.PAUSER_ROLE();
        _expectMissingRole(caller, role);
        VM.prank(caller);
        _registry.pause();
        _expectMissingRole(caller, role);
        VM.prank(caller);
        _registry.unpause();
    }

    // admin

    function test_recorded_hash_stays_when_the_admin_makes_itself_confirmer() public {
        _confirm(KEY, HASH);
        bytes32 role = _registry.CONFIRMER_ROLE();
        VM.prank(ADMIN);
        _registry.grantRole(role, ADMIN);
        VM.expectRevert(abi.encodeWithSelector(IJobRegistry.JobAlreadyConfirmed.selector, KEY, HASH, OTHER));
        VM.prank(ADMIN);
        _registry.confirm(KEY, OTHER);
    }

    function test_granting_reverts_when_caller_is_not_admin() public {
        bytes32 role = _registry.CONFIRMER_ROLE();
        _expectMissingRole(CONFIRMER, _registry.DEFAULT_ADMIN_ROLE());
        VM.prank(CONFIRMER);
        _registry.grantRole(role, STRANGER);
    }

    function test_admin_changes_only_when_accepted_after_the_delay() public {
        VM.prank(ADMIN);
        _registry.beginDefaultAdminTransfer(STRANGER);
        uint48 acceptable = uint48(block.timestamp) + DELAY;
        VM.warp(acceptable);
        VM.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector,
                acceptable
            )
        );
        VM.prank(STRANGER);
        _registry.acceptDefaultAdminTransfer();
        assertEqual(_registry.defaultAdmin(), ADMIN);
        VM.warp(acceptable + 1);
        VM.prank(STRANGER);
        _registry.acceptDefaultAdminTransfer();
        assertEqual(_registry.defaultAdmin(), STRANGER);
    }

    function test_deploying_reverts_when_there_is_no_admin() public {
        VM.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector,
                address(0)
            )
        );
        new JobRegistry(address(0), CONFIRMER, PAUSER, DELAY);
    }

    // keys and commitments

    function testFuzz_key_is_the_hash_of_the_documented_encoding(string memory tenant, string memory job) public view {
        bytes32 expected = keccak256(abi.encode(block.chainid, address(_registry), tenant, job));
        assertEqual(_registry.jobKeyOf(tenant, job), expected);
    }

    function test_key_differs_when_the_boundary_between_tenant_and_job_moves() public view {
        assert(_registry.jobKeyOf("ab", "c") != _registry.jobKeyOf("a", "bc"));
    }

    function test_key_differs_when_the_registry_is_a_second_deployment() public {
        JobRegistry second = new JobRegistry(ADMIN, CONFIRMER, PAUSER, DELAY);
        assert(second.jobKeyOf("tenant", "job") != _registry.jobKeyOf("tenant", "job"));
        _confirm(KEY, HASH);
        assertEqual(second.resultHashOf(KEY), 0);
    }

    function test_key_differs_when_the_chain_does() public {
        bytes32 here = _registry.jobKeyOf("tenant", "job");
        VM.chainId(block.chainid + 1);
        assert(_registry.jobKeyOf("tenant", "job") != here);
    }

    function testFuzz_commitment_is_the_hash_of_salt_and_digest(bytes32 salt, bytes memory result) public view {
        bytes32 digest = keccak256(result);
        assertEqual(_registry.commitmentOf(salt, digest), keccak256(bytes.concat(salt, digest)));
    }

    function _confirm(bytes32 key, bytes32 hash) private {
        VM.prank(CONFIRMER);
        _registry.confirm(key, hash);
    }

    function _confirmBatch(bytes32[] memory keys, bytes32[] memory hashes) private {
        VM.prank(CONFIRMER);
        _registry.confirmBatch(keys, hashes);
    }

    function _expectMissingRole(address caller, bytes32 role) private {
        VM.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, caller, role)
        );
    }

    function _key(uint256 number) private pure returns (bytes32 key) {
        return keccak256(abi.encode(number));
    }

    function _words(bytes32 a, bytes32 b, bytes32 c) private pure returns (bytes32[] memory words) {
        words = new bytes32[](3);
        (words[0], words[1], words[2]) = (a, b, c);
    }
}
