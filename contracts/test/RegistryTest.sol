// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {IJobRegistry} from "../src/IJobRegistry.sol";
import {JobRegistry} from "../src/JobRegistry.sol";
import {Cheats} from "./Cheats.sol";
import {Trees} from "./Trees.sol";

/// @title A test with a registry of its own, and what its people do with it
abstract contract RegistryTest is Cheats {
    address internal constant ADMIN = address(0xA);
    address internal constant CONFIRMER = address(0xC);
    address internal constant PAUSER = address(0xF);
    address internal constant STRANGER = address(0x5);
    uint48 internal constant DELAY = 1 days;
    uint64 internal constant NUMBER = 7;
    bytes32 internal constant KEY = keccak256("job");
    bytes32 internal constant HASH = keccak256("result");
    bytes32 internal constant OTHER = keccak256("another result");

    JobRegistry internal _registry;

    function setUp() public virtual {
        _registry = new JobRegistry(ADMIN, CONFIRMER, PAUSER, DELAY);
    }

    function _confirm(bytes32 key, bytes32 hash) internal {
        VM.prank(CONFIRMER);
        _registry.confirm(key, hash);
    }

    function _confirmBatch(bytes32[] memory keys, bytes32[] memory hashes) internal {
        VM.prank(CONFIRMER);
        _registry.confirmBatch(keys, hashes);
    }

    function _confirmCompact(uint64 number, uint256 mask, bytes32 root) internal {
        VM.prank(CONFIRMER);
        _registry.confirmCompact(number, mask, root);
    }

    function _pause() internal {
        VM.prank(PAUSER);
        _registry.pause();
    }

    function _unpause() internal {
        VM.prank(PAUSER);
        _registry.unpause();
    }

    /// @dev Records jobs 0 to `count` - 1, each at the bit of its number.
    function _record(uint64 number, uint256 count) internal returns (IJobRegistry.Inclusion[] memory inclusions) {
        bytes32[] memory leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = _registry.leafOf(_word(number), uint8(i), _key(i), _hash(i));
        }
        inclusions = _recordLeaves(number, leaves);
        for (uint256 i = 0; i < count; ++i) inclusions[i].bit = uint8(i);
    }

    /// @dev Records the tree of any leaves under a mask with a bit for each; the inclusions are still without theirs.
    function _recordLeaves(
        uint64 number,
        bytes32[] memory leaves
    ) internal returns (IJobRegistry.Inclusion[] memory inclusions) {
        uint256 count = leaves.length;
        bytes32[] memory tree = Trees.grow(leaves);
        uint256 mask = type(uint256).max >> (256 - count);
        _confirmCompact(number, mask, tree[0]);
        inclusions = new IJobRegistry.Inclusion[](count);
        for (uint256 i = 0; i < count; ++i) {
            bytes32[] memory proof = Trees.proofOf(tree, count - 1 + i);
            inclusions[i] = IJobRegistry.Inclusion(_word(number), 0, mask, tree[0], proof);
        }
    }

    function _expectMissingRole(address caller, bytes32 role) internal {
        VM.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, caller, role)
        );
    }

    function _expectPaused() internal {
        VM.expectRevert(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
    }

    function _expectAlreadyConfirmed(bytes32 key, bytes32 recordedHash, bytes32 attemptedHash) internal {
        VM.expectRevert(
            abi.encodeWithSelector(IJobRegistry.JobAlreadyConfirmed.selector, key, recordedHash, attemptedHash)
        );
    }

    function _expectNotIncluded(bytes32 key, bytes32 hash, uint256 word) internal {
        VM.expectRevert(abi.encodeWithSelector(IJobRegistry.NotIncluded.selector, key, hash, word));
    }

    function _expectConfirmed(bytes32 key, bytes32 hash) internal {
        VM.expectEmit(true, true, true, true, address(_registry));
        emit IJobRegistry.JobConfirmed(key, hash);
    }

    function _word(uint64 number) internal view returns (uint256 word) {
        return _registry.wordOf(CONFIRMER, number);
    }

    function _key(uint256 number) internal pure returns (bytes32 key) {
        return keccak256(abi.encode("job", number));
    }

    function _hash(uint256 number) internal pure returns (bytes32 hash) {
        return keccak256(abi.encode("result", number));
    }

    function _words(bytes32 a, bytes32 b) internal pure returns (bytes32[] memory words) {
        words = new bytes32[](2);
        (words[0], words[1]) = (a, b);
    }

    function _words(bytes32 a, bytes32 b, bytes32 c) internal pure returns (bytes32[] memory words) {
        words = new bytes32[](3);
        (words[0], words[1], words[2]) = (a, b, c);
    }
}
