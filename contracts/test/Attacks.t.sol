// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

import {IJobRegistry} from "../src/IJobRegistry.sol";
import {RegistryTest} from "./RegistryTest.sol";

/// @title What public designs for the same problem fell to; and what a dishonest confirmer can still do here
/// @dev A second deployment is in `Replay.t.sol`; a stranger, each function's own tests have too.
contract AttacksTest is RegistryTest {
    // By anyone

    function testFuzz_nothing_is_recorded_when_a_stranger_calls(address caller, bytes32 key, bytes32 hash) public {
        VM.assume(caller != CONFIRMER);
        bytes[4] memory calls = [
            abi.encodeCall(IJobRegistry.confirm, (key, hash)),
            abi.encodeCall(IJobRegistry.confirmBatch, (_words(key, KEY), _words(hash, HASH))),
            abi.encodeCall(IJobRegistry.confirmCompact, (NUMBER, 1, hash)),
            abi.encodeCall(
                IJobRegistry.materialize,
                (key, hash, IJobRegistry.Inclusion(_word(NUMBER), 0, 1, hash, new bytes32[](0)))
            )
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            VM.prank(caller);
            // solhint-disable-next-line avoid-low-level-calls
            (bool accepted, ) = address(_registry).call(calls[i]);
            assert(!accepted);
        }
        assertEqual(_registry.resultHashOf(key), 0);
        assertEqual(_registry.resultHashOf(KEY), 0);
        assertEqual(_registry.compactHashOf(_registry.wordOf(caller, NUMBER)), 0);
    }

    function test_proof_of_one_job_is_refused_when_it_is_shown_for_another() public {
        IJobRegistry.Inclusion[] memory inclusions = _record(NUMBER, 4);
        for (uint256 i = 0; i < 16; ++i) {
            (uint256 proven, uint256 claimed) = (i / 4, i % 4);
            bool included = _registry.isIncluded(_key(claimed), _hash(claimed), inclusions[proven]);
            assert(included == (proven == claimed));
            assert(proven == claimed || !_registry.isIncluded(_key(proven), _hash(claimed), inclusions[proven]));
        }
    }

    function test_nothing_is_recorded_when_the_tenant_is_none_and_the_proof_is_junk() public {
        bytes32 key = _registry.jobKeyOf("", "");
        assert(key != 0);
        IJobRegistry.Inclusion memory junk = IJobRegistry.Inclusion(0, 0, 0, 0, new bytes32[](0));
        assert(!_registry.isIncluded(0, 0, junk));
        _expectNotIncluded(key, HASH, 0);
        _registry.materialize(key, HASH, junk);
        _expectNotIncluded(0, HASH, 0);
        _registry.materialize(0, HASH, junk);
    }

    function testFuzz_nothing_is_included_when_no_batch_is_recorded(
        bytes32 key,
        bytes32 hash,
        IJobRegistry.Inclusion memory forged
    ) public view {
        assert(!_registry.isIncluded(key, hash, forged));
        forged.root = _registry.leafOf(forged.word, forged.bit, key, hash); // with which the proof is right
        forged.proof = new bytes32[](0);
        forged.mask = type(uint256).max;
        assert(!_registry.isIncluded(key, hash, forged));
    }

    // By a confirmer, in vain

    function test_an_unfinished_job_is_not_recorded_when_its_hash_is_zero() public {
        VM.expectRevert(abi.encodeWithSelector(IJobRegistry.ZeroResultHash.selector, KEY));
        _confirm(KEY, 0);
        VM.expectRevert(abi.encodeWithSelector(IJobRegistry.ZeroResultHash.selector, KEY));
        _confirmBatch(_words(KEY, _key(1)), _words(0, HASH));
        bytes32 leaf = _registry.leafOf(_word(NUMBER), 0, KEY, 0);
        IJobRegistry.Inclusion memory inclusion = _recordLeaves(NUMBER, _words(leaf, OTHER))[0];
        _expectNotIncluded(KEY, 0, inclusion.word);
        _registry.materialize(KEY, 0, inclusion);
    }

    function test_first_root_stays_when_a_word_is_given_a_second() public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 2)[0];
        bytes32 second = _registry.leafOf(inclusion.word, 0, _key(0), OTHER);
        VM.expectRevert(
            abi.encodeWithSelector(
                IJobRegistry.CompactAlreadyConfirmed.selector,
                inclusion.word,
                keccak256(abi.encode(inclusion.mask, inclusion.root)),
                keccak256(abi.encode(uint256(1), second))
            )
        );
        _confirmCompact(NUMBER, 1, second);
        assert(_registry.isIncluded(_key(0), _hash(0), inclusion));
    }

    function test_recorded_hash_stays_when_a_later_root_proves_another() public {
        _confirm(_key(0), OTHER);
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 2)[0];
        _expectAlreadyConfirmed(_key(0), OTHER, _hash(0));
        _registry.materialize(_key(0), _hash(0), inclusion);
        assertEqual(_registry.resultHashOf(_key(0)), OTHER);
    }

    // By a confirmer, and not stopped: the registry sees no job of a compact batch. Whoever relies on one asks that
    // nothing else is recorded for it directly, and that its confirmer shows one proof of it.

    function test_two_hashes_are_provable_when_one_job_is_under_two_roots() public {
        bytes32 one = _registry.leafOf(_word(NUMBER), 0, KEY, HASH);
        bytes32 other = _registry.leafOf(_word(NUMBER + 1), 0, KEY, OTHER);
        _provesBoth(_recordLeaves(NUMBER, _words(one, KEY))[0], _recordLeaves(NUMBER + 1, _words(other, KEY))[0]);
    }

    function test_two_hashes_are_provable_when_one_job_has_two_bits() public {
        bytes32 one = _registry.leafOf(_word(NUMBER), 0, KEY, HASH);
        bytes32 other = _registry.leafOf(_word(NUMBER), 1, KEY, OTHER);
        IJobRegistry.Inclusion[] memory inclusions = _recordLeaves(NUMBER, _words(one, other));
        inclusions[1].bit = 1;
        _provesBoth(inclusions[0], inclusions[1]);
    }

    function test_two_hashes_are_provable_when_one_bit_has_two_leaves() public {
        bytes32 one = _registry.leafOf(_word(NUMBER), 0, KEY, HASH);
        bytes32 other = _registry.leafOf(_word(NUMBER), 0, KEY, OTHER);
        IJobRegistry.Inclusion[] memory inclusions = _recordLeaves(NUMBER, _words(one, other));
        _provesBoth(inclusions[0], inclusions[1]);
    }

    /// @dev Both are included; but the first that anyone materializes is the recorded one for ever.
    function _provesBoth(IJobRegistry.Inclusion memory one, IJobRegistry.Inclusion memory other) private {
        assert(_registry.isIncluded(KEY, HASH, one));
        assert(_registry.isIncluded(KEY, OTHER, other));
        _registry.materialize(KEY, OTHER, other);
        _expectAlreadyConfirmed(KEY, OTHER, HASH);
        _registry.materialize(KEY, HASH, one);
        assertEqual(_registry.resultHashOf(KEY), OTHER);
    }
}
