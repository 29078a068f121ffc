// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

import {IJobRegistry} from "../src/IJobRegistry.sol";
import {RegistryTest} from "./RegistryTest.sol";

/// @title Confirming compactly: a slot a batch
contract ConfirmCompactTest is RegistryTest {
    uint256 private constant MASK = 7;
    bytes32 private constant ROOT = keccak256("root");

    // confirmCompact
    // ├── when the caller is no confirmer, or no more: reverts
    // ├── when paused: reverts
    // ├── when the mask is zero: reverts
    // ├── when the root is zero: reverts
    // ├── when the caller used the number before, be it for the same mask and root: reverts
    // └── otherwise: records and emits, under the caller's own word

    function testFuzz_compact_records_one_word_when_new(uint64 number, uint256 mask, bytes32 root) public {
        VM.assume(mask != 0 && root != 0);
        VM.expectEmit(true, true, true, true, address(_registry));
        emit IJobRegistry.CompactConfirmed(_word(number), mask, root);
        _confirmCompact(number, mask, root);
        assertEqual(_registry.compactHashOf(_word(number)), keccak256(abi.encode(mask, root)));
    }

    function testFuzz_compact_reverts_when_the_number_was_used(uint256 mask, bytes32 root) public {
        VM.assume(mask != 0 && root != 0);
        _confirmCompact(NUMBER, MASK, ROOT);
        _expectAlreadyRecorded(mask, root);
        _confirmCompact(NUMBER, mask, root);
        assertEqual(_registry.compactHashOf(_word(NUMBER)), keccak256(abi.encode(MASK, ROOT)));
    }

    function test_compact_reverts_when_the_same_is_sent_again() public {
        _confirmCompact(NUMBER, MASK, ROOT);
        _expectAlreadyRecorded(MASK, ROOT);
        _confirmCompact(NUMBER, MASK, ROOT);
    }

    function test_compact_reverts_when_the_mask_is_zero() public {
        VM.expectRevert(abi.encodeWithSelector(IJobRegistry.EmptyBatch.selector));
        _confirmCompact(NUMBER, 0, ROOT);
    }

    function test_compact_reverts_when_the_root_is_zero() public {
        VM.expectRevert(abi.encodeWithSelector(IJobRegistry.ZeroRoot.selector, _word(NUMBER)));
        _confirmCompact(NUMBER, MASK, 0);
    }

    function test_compact_reverts_when_paused() public {
        _pause();
        _expectPaused();
        _confirmCompact(NUMBER, MASK, ROOT);
        assertEqual(_registry.compactHashOf(_word(NUMBER)), 0);
    }

    function testFuzz_compact_reverts_when_caller_is_no_confirmer(address caller) public {
        VM.assume(caller != CONFIRMER);
        _expectMissingRole(caller, _registry.CONFIRMER_ROLE());
        VM.prank(caller);
        _registry.confirmCompact(NUMBER, MASK, ROOT);
    }

    function test_compact_reverts_when_the_confirmer_is_dismissed() public {
        bytes32 role = _registry.CONFIRMER_ROLE();
        VM.prank(ADMIN);
        _registry.revokeRole(role, CONFIRMER);
        _expectMissingRole(CONFIRMER, role);
        _confirmCompact(NUMBER, MASK, ROOT);
    }

    function test_both_words_are_recorded_when_two_confirmers_use_one_number() public {
        bytes32 role = _registry.CONFIRMER_ROLE();
        VM.prank(ADMIN);
        _registry.grantRole(role, STRANGER);
        _confirmCompact(NUMBER, MASK, ROOT);
        VM.prank(STRANGER);
        _registry.confirmCompact(NUMBER, MASK, OTHER);
        assertEqual(_registry.compactHashOf(_word(NUMBER)), keccak256(abi.encode(MASK, ROOT)));
        uint256 theirs = _registry.wordOf(STRANGER, NUMBER);
        assertEqual(_registry.compactHashOf(theirs), keccak256(abi.encode(MASK, OTHER)));
    }

    function _expectAlreadyRecorded(uint256 mask, bytes32 root) private {
        VM.expectRevert(
            abi.encodeWithSelector(
                IJobRegistry.CompactAlreadyConfirmed.selector,
                _word(NUMBER),
                keccak256(abi.encode(MASK, ROOT)),
                keccak256(abi.encode(mask, root))
            )
        );
    }
}
