// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

/// @title Where the results of finished jobs are confirmed, once and for ever
/// @author Zama Jobs API
/// @notice Maps a job's key to the hash that commits to its result. The first write wins; nobody can change it.
///
/// What is hashed, in this order and with these types, is part of this interface:
///
/// - `jobKey = keccak256(abi.encode(uint256 chainId, address registry, string tenantId, string jobId))`, so that a
///   key of one chain, registry or tenant is worth nothing in another, and does not tell whose job it is;
/// - `resultHash = keccak256(abi.encodePacked(bytes32 salt, bytes32 keccak256(result)))` over the exact bytes of the
///   result, with a random salt of the job's own, so that nobody can guess a short result from the chain, and whoever
///   is shown the result and its salt can check them.
interface IJobRegistry {
    /// @notice The job's result is now recorded.
    /// @param jobKey The job.
    /// @param resultHash The commitment to its result.
    event JobConfirmed(bytes32 indexed jobKey, bytes32 resultHash);

    /// @notice A batch held a job that was recorded before with the same hash: nothing to do.
    /// @param jobKey The job.
    event JobSkipped(bytes32 indexed jobKey);

    /// @notice A batch held a job that was recorded before with another hash, which stays. A person must look.
    /// @param jobKey The job.
    /// @param recordedHash What is recorded, and stays so.
    /// @param attemptedHash What the batch would have recorded.
    event JobConflicted(bytes32 indexed jobKey, bytes32 recordedHash, bytes32 attemptedHash);

    /// @notice The job was confirmed before, be it with the same hash or another.
    /// @param jobKey The job.
    /// @param recordedHash What is recorded, and stays so.
    /// @param attemptedHash What was to be recorded.
    error JobAlreadyConfirmed(bytes32 jobKey, bytes32 recordedHash, bytes32 attemptedHash);

    /// @notice No job has the key zero.
    /// @param resultHash The hash that came with it.
    error ZeroJobKey(bytes32 resultHash);

    /// @notice Zero means "not recorded", so it cannot be recorded.
    /// @param jobKey The job that it came with.
    error ZeroResultHash(bytes32 jobKey);

    /// @notice A batch confirms at least one job.
    error EmptyBatch();

    /// @notice Each job of a batch has one hash.
    /// @param jobKeys How many jobs were given.
    /// @param resultHashes How many hashes were given.
    error LengthMismatch(uint256 jobKeys, uint256 resultHashes);

    /// @notice Records one job, or reverts with `JobAlreadyConfirmed` if it is recorded in any way.
    /// @dev Reverts without the role, while paused, and for a zero key or hash.
    /// @param jobKey The job.
    /// @param resultHash The commitment to its result.
    function confirm(bytes32 jobKey, bytes32 resultHash) external;

    /// @notice Records every job that is new, and reports each other by `JobSkipped` or `JobConflicted`, so that no
    /// job can keep the rest of its batch from being recorded.
    /// @dev Reverts without the role, while paused, for a zero key or hash, for an empty batch and for unequal lengths.
    /// @param jobKeys The jobs; of a repeated one the first wins.
    /// @param resultHashes The commitments to their results, in the same order.
    function confirmBatch(bytes32[] calldata jobKeys, bytes32[] calldata resultHashes) external;

    /// @notice Stops all confirming; what is recorded stays readable.
    function pause() external;

    /// @notice Lets confirming go on.
    function unpause() external;

    /// @notice What is recorded for a job.
    /// @param jobKey The job.
    /// @return resultHash The commitment to its result, or zero if none is recorded.
    function resultHashOf(bytes32 jobKey) external view returns (bytes32 resultHash);

    /// @notice What is recorded for each of many jobs.
    /// @param jobKeys The jobs.
    /// @return resultHashes The commitments in the same order, zero where none is recorded.
    function resultHashesOf(bytes32[] calldata jobKeys) external view returns (bytes32[] memory resultHashes);

    /// @notice The key of a job on this chain and in this registry.
    /// @param tenantId Whose job it is.
    /// @param jobId The job's id, as the service made it.
    /// @return jobKey The key under which it is recorded here, and nowhere else.
    function jobKeyOf(string calldata tenantId, string calldata jobId) external view returns (bytes32 jobKey);

    /// @notice The hash that commits to a result.
    /// @param salt The job's salt, which the service returns with the result.
    /// @param resultDigest `keccak256` of the exact bytes of the result.
    /// @return resultHash What is recorded for a job with this salt and result.
    function commitmentOf(bytes32 salt, bytes32 resultDigest) external pure returns (bytes32 resultHash);
}
