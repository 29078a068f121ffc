// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

import {IJobRegistry} from "../src/IJobRegistry.sol";
import {RegistryTest} from "./RegistryTest.sol";

/// @title Confirming directly: a slot a job
contract ConfirmTest is RegistryTest {
    // confirm
    // ├── when the caller is no confirmer: reverts
    // ├── when paused: reverts
    // ├── when the key is zero: reverts
    // ├── when the hash is zero: reverts
    // ├── when the key is recorded, be it with the same hash: reverts
    // └── otherwise: records and emits

    function testFuzz_confirm_records_when_new(bytes32 key, bytes32 hash) public {
        VM.assume(key != 0 && hash != 0);
        _expectConfirmed(key, hash);
        _confirm(key, hash);
        assertEqual(_registry.resultHashOf(key), hash);
    }

    function testFuzz_confirm_reverts_when_repeated(bytes32 hash, bytes32 attempted) public {
        VM.assume(hash != 0 && attempted != 0);
        _confirm(KEY, hash);
        _expectAlreadyConfirmed(KEY, hash, attempted);
        _confirm(KEY, attempted);
        assertEqual(_registry.resultHashOf(KEY), hash);
    }

    function test_confirm_reverts_when_repeated_with_the_same_hash() public {
        _confirm(KEY, HASH);
        _expectAlreadyConfirmed(KEY, HASH, HASH);
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

    function test_confirm_reverts_when_paused() public {
        _pause();
        _expectPaused();
        _confirm(KEY, HASH);
        assertEqual(_registry.resultHashOf(KEY), 0);
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

    function test_batch_reverts_when_paused() public {
        _pause();
        _expectPaused();
        _confirmBatch(_words(KEY, _key(1)), _words(HASH, HASH));
        assertEqual(_registry.resultHashOf(KEY), 0);
    }

    function test_batch_records_each_when_it_is_as_large_as_a_block_allows() public {
        bytes32[] memory keys = new bytes32[](600);
        for (uint256 i = 0; i < keys.length; ++i) keys[i] = _key(i);
        _confirmBatch(keys, keys);
        assertEqual(_registry.resultHashOf(keys[599]), keys[599]);
    }
}
