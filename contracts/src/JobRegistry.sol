// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {IJobRegistry} from "./IJobRegistry.sol";

/// @title The registry of confirmed jobs
/// @author Zama Jobs API
/// @notice See `IJobRegistry` for what it guarantees.
/// @dev There is no proxy and no way to overwrite or erase, for the admin neither: a new version is a new deployment.
/// The admin appoints confirmers and pausers at once; only handing over the admin's own role takes two steps and a
/// delay. The admin should therefore be a multisignature account: whoever holds it can appoint a confirmer that
/// records false hashes for jobs that are not recorded yet, though it can never touch one that is.
contract JobRegistry is IJobRegistry, AccessControlDefaultAdminRules, Pausable {
    /// @notice May record.
    bytes32 public constant CONFIRMER_ROLE = keccak256("CONFIRMER_ROLE");

    /// @notice May stop recording, and let it go on.
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");

    mapping(bytes32 jobKey => bytes32 resultHash) private _resultHashes;

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
        bytes32 recordedHash = _recordIfNew(jobKey, resultHash);
        if (recordedHash != 0) revert JobAlreadyConfirmed(jobKey, recordedHash, resultHash);
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
    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
    }

    /// @inheritdoc IJobRegistry
    function unpause() external onlyRole(PAUSER_ROLE) {
        _unpause();
    }

    /// @inheritdoc IJobRegistry
    function resultHashOf(bytes32 jobKey) external view returns (bytes32 resultHash) {
        return _resultHashes[jobKey];
    }

    /// @inheritdoc IJobRegistry
    function resultHashesOf(bytes32[] calldata jobKeys) external view returns (bytes32[] memory resultHashes) {
        resultHashes = new bytes32[](jobKeys.length);
        for (uint256 i = 0; i < jobKeys.length; ++i) resultHashes[i] = _resultHashes[jobKeys[i]];
    }

    /// @inheritdoc IJobRegistry
    function jobKeyOf(string calldata tenantId, string calldata jobId) external view returns (bytes32 jobKey) {
        return keccak256(abi.encode(block.chainid, address(this), tenantId, jobId));
    }

    /// @inheritdoc IJobRegistry
    function commitmentOf(bytes32 salt, bytes32 resultDigest) external pure returns (bytes32 resultHash) {
        return keccak256(abi.encodePacked(salt, resultDigest));
    }

    /// @notice The only place that writes, and only where nothing is written.
    /// @param jobKey The job.
    /// @param resultHash The commitment to its result.
    /// @return recordedHash What was recorded before, or zero if this call recorded it.
    function _recordIfNew(bytes32 jobKey, bytes32 resultHash) private returns (bytes32 recordedHash) {
        if (jobKey == 0) revert ZeroJobKey(resultHash);
        if (resultHash == 0) revert ZeroResultHash(jobKey);
        recordedHash = _resultHashes[jobKey];
        if (recordedHash == 0) {
            _resultHashes[jobKey] = resultHash;
            emit JobConfirmed(jobKey, resultHash);
        }
    }
}
