// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {IJobRegistry} from "./IJobRegistry.sol";

/// @title The registry of confirmed jobs
/// @author Zama Jobs API
/// @notice See `IJobRegistry` for what it guarantees.
/// @dev There is no proxy and no way to overwrite or erase, for the admin neither: a new version is a new deployment.
///
/// The admin appoints and dismisses confirmers and pausers *at once*; only handing over the admin's own role takes two
/// steps and a delay, and the delay protects against nothing else. So the admin must be a multisignature account of
/// people, whose keys are on no server, and neither a confirmer nor a pauser: whoever holds the role can appoint a
/// confirmer that records false hashes for jobs that are not recorded yet, and dismiss the pauser who would stop it,
/// though it can never touch a job that is recorded. No rule here prevents that; `RoleGranted` and `RoleRevoked` show
/// it. A stolen confirmer's key is answered by `pause`, then by `revokeRole`.
contract JobRegistry is IJobRegistry, AccessControlDefaultAdminRules, Pausable {
    /// @notice A hash that is written once; zero before.
    /// @dev A struct because a pointer to one names its slot, whose place is then computed once for the read and the
    /// write together: 86 gas less a job.
    struct Slot {
        bytes32 hash;
    }

    /// @notice May record.
    bytes32 public constant CONFIRMER_ROLE = keccak256("CONFIRMER_ROLE");

    /// @notice May stop recording, and let it go on.
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");

    mapping(bytes32 jobKey => Slot resultHash) private _results;

    mapping(uint256 word => Slot compactHash) private _compactBatches;

    /// @notice Starts empty and unpaused.
    /// @param admin Appoints confirmers and pausers.
    /// @param confirmer The first confirmer.
    /// @param pauser The first pauser.
    /// @param adminDelaySeconds How long a change of the admin waits before it can be accepted.
    constructor(
        address admin,
        address confirmer,
        address pauser,
        uint48 adminDelaySeconds
    ) AccessControlDefaultAdminRules(adminDelaySeconds, admin) {
        _grantRole(CONFIRMER_ROLE, confirmer);
        _grantRole(PAUSER_ROLE, pauser);
    }

    /// @inheritdoc IJobRegistry
    function confirm(bytes32 jobKey, bytes32 resultHash) external onlyRole(CONFIRMER_ROLE) whenNotPaused {
        _record(jobKey, resultHash);
    }

    /// @inheritdoc IJobRegistry
    function confirmBatch(
        bytes32[] calldata jobKeys,
        bytes32[] calldata resultHashes
    ) external onlyRole(CONFIRMER_ROLE) whenNotPaused {
        uint256 count = jobKeys.length;
        if (count != resultHashes.length) revert LengthMismatch(count, resultHashes.length);
        if (count == 0) revert EmptyBatch();
        for (uint256 i = 0; i < count; ++i) {
            bytes32 recordedHash = _recordIfNew(jobKeys[i], resultHashes[i]);
            if (recordedHash == 0) continue;
            if (recordedHash == resultHashes[i]) emit JobSkipped(jobKeys[i]);
            else emit JobConflicted(jobKeys[i], recordedHash, resultHashes[i]);
        }
    }

    /// @inheritdoc IJobRegistry
    function confirmCompact(
        uint64 number,
        uint256 mask,
        bytes32 root
    ) external onlyRole(CONFIRMER_ROLE) whenNotPaused {
        uint256 word = wordOf(_msgSender(), number);
        if (mask == 0) revert EmptyBatch();
        if (root == 0) revert ZeroRoot(word);
        bytes32 compactHash = _compactHash(mask, root);
        Slot storage slot = _compactBatches[word];
        bytes32 recordedHash = slot.hash;
        if (recordedHash != 0) revert CompactAlreadyConfirmed(word, recordedHash, compactHash);
        slot.hash = compactHash;
        emit CompactConfirmed(word, mask, root);
    }

    /// @inheritdoc IJobRegistry
    function materialize(bytes32 jobKey, bytes32 resultHash, Inclusion calldata inclusion) external whenNotPaused {
        if (!isIncluded(jobKey, resultHash, inclusion)) revert NotIncluded(jobKey, resultHash, inclusion.word);
        _record(jobKey, resultHash);
    }

    /// @inheritdoc IJobRegistry
    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
    }

    /// @inheritdoc IJobRegistry
    function unpause() external onlyRole(PAUSER_ROLE) {
        _unpause();
    }

    /// @inheritdoc IJobRegistry
    function resultHashOf(bytes32 jobKey) external view returns (bytes32 resultHash) {
        return _results[jobKey].hash;
    }

    /// @inheritdoc IJobRegistry
    function resultHashesOf(bytes32[] calldata jobKeys) external view returns (bytes32[] memory resultHashes) {
        resultHashes = new bytes32[](jobKeys.length);
        for (uint256 i = 0; i < jobKeys.length; ++i) resultHashes[i] = _results[jobKeys[i]].hash;
    }

    /// @inheritdoc IJobRegistry
    function compactHashOf(uint256 word) external view returns (bytes32 compactHash) {
        return _compactBatches[word].hash;
    }

    /// @inheritdoc IJobRegistry
    function jobKeyOf(string calldata tenantId, string calldata jobId) external view returns (bytes32 jobKey) {
        return keccak256(abi.encode(block.chainid, address(this), tenantId, jobId));
    }

    /// @inheritdoc IJobRegistry
    function commitmentOf(bytes32 salt, bytes32 resultDigest) external pure returns (bytes32 resultHash) {
        return keccak256(abi.encodePacked(salt, resultDigest));
    }

    /// @inheritdoc IJobRegistry
    function isIncluded(
        bytes32 jobKey,
        bytes32 resultHash,
        Inclusion calldata inclusion
    ) public view returns (bool included) {
        if (jobKey == 0) return false;
        if (resultHash == 0) return false;
        if (_compactBatches[inclusion.word].hash != _compactHash(inclusion.mask, inclusion.root)) return false;
        if ((inclusion.mask >> inclusion.bit) & 1 == 0) return false;
        bytes32 leaf = leafOf(inclusion.word, inclusion.bit, jobKey, resultHash);
        return MerkleProof.verifyCalldata(inclusion.proof, inclusion.root, leaf);
    }

    /// @inheritdoc IJobRegistry
    function wordOf(address confirmer, uint64 number) public pure returns (uint256 word) {
        return (uint256(uint160(confirmer)) << 64) | number;
    }

    /// @inheritdoc IJobRegistry
    function leafOf(
        uint256 word,
        uint8 bit,
        bytes32 jobKey,
        bytes32 resultHash
    ) public pure returns (bytes32 leaf) {
        return keccak256(bytes.concat(keccak256(abi.encode(word, bit, jobKey, resultHash))));
    }

    /// @notice Records a job, or reverts if it is recorded in any way.
    /// @param jobKey The job.
    /// @param resultHash The commitment to its result.
    function _record(bytes32 jobKey, bytes32 resultHash) private {
        bytes32 recordedHash = _recordIfNew(jobKey, resultHash);
        if (recordedHash == 0) return;
        revert JobAlreadyConfirmed(jobKey, recordedHash, resultHash);
    }

    /// @notice The only place that writes for a job, and only where nothing is written.
    /// @param jobKey The job.
    /// @param resultHash The commitment to its result.
    /// @return recordedHash What was recorded before, or zero if this call recorded it.
    function _recordIfNew(bytes32 jobKey, bytes32 resultHash) private returns (bytes32 recordedHash) {
        if (jobKey == 0) revert ZeroJobKey(resultHash);
        if (resultHash == 0) revert ZeroResultHash(jobKey);
        Slot storage slot = _results[jobKey];
        recordedHash = slot.hash;
        if (recordedHash != 0) return recordedHash;
        slot.hash = resultHash;
        emit JobConfirmed(jobKey, resultHash);
    }

    /// @notice What is stored for a compact batch.
    /// @param mask Which places it has.
    /// @param root The root of its tree.
    /// @return compactHash One word for both.
    function _compactHash(uint256 mask, bytes32 root) private pure returns (bytes32 compactHash) {
        return Hashes.efficientKeccak256(bytes32(mask), root);
    }
}
