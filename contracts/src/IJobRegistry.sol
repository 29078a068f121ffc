// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

/// @title Where the results of finished jobs are confirmed, once and for ever
/// @author Zama Jobs API
/// @notice Maps a job's key to the hash that commits to its result. The first write wins; nobody can change it, the
/// admin included.
///
/// A job is confirmed in one of two ways. *Directly*, it takes a slot of its own, and the registry itself refuses to
/// confirm it again. *Compactly*, up to 256 jobs share one slot, which holds the hash of a mask and a Merkle root: a
/// word is recorded once, but the registry sees no job until a proof shows it, so that the confirmer alone answers for
/// a job's being in one batch, at one bit, once. Where both speak of a job, what is recorded directly holds.
///
/// What is hashed, in this order and with these types, is part of this interface:
///
/// - `jobKey = keccak256(abi.encode(uint256 chainId, address registry, string tenantId, string jobId))`, so that a
///   key of one chain, registry or tenant is worth nothing in another, and does not tell whose job it is;
/// - `resultHash = keccak256(abi.encodePacked(bytes32 salt, bytes32 keccak256(result)))` over the exact bytes of the
///   result, with a random salt of the job's own, so that nobody can guess a short result from the chain, and whoever
///   is shown the result and its salt can check them;
/// - `word = uint256(uint160(confirmer)) << 64 | uint64 number`: not hashed, so that a confirmer's words are its own;
/// - `leaf = keccak256(bytes.concat(keccak256(abi.encode(uint256 word, uint8 bit, bytes32 jobKey, bytes32
///   resultHash))))`, hashed twice so that no inner node of a tree, which is the hash of 64 bytes, can pass for a leaf;
/// - an inner node of the tree is `keccak256` of its two children, the smaller first: it is the `StandardMerkleTree` of
///   `["uint256", "uint8", "bytes32", "bytes32"]` in OpenZeppelin's library, and `root` is its root;
/// - `compactHash = keccak256(abi.encode(uint256 mask, bytes32 root))`, where bit i of `mask`, counted from the lowest,
///   is set if and only if the batch holds a job at that place.
interface IJobRegistry {
    /// @notice What proves that a compact batch holds a job.
    /// @param word The batch.
    /// @param bit The job's place in it.
    /// @param mask Which places the batch has.
    /// @param root The root of its tree.
    /// @param proof What the job's leaf is hashed with on its way to the root, from below.
    struct Inclusion {
        uint256 word;
        uint8 bit;
        uint256 mask;
        bytes32 root;
        bytes32[] proof;
    }

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

    /// @notice A compact batch is now recorded.
    /// @dev The mask is no topic: nobody looks for a batch by it, and a topic costs more than a word of data.
    /// @param word The batch.
    /// @param mask Which places it has.
    /// @param root The root of its tree.
    event CompactConfirmed(uint256 indexed word, uint256 mask, bytes32 root); // solhint-disable-line gas-indexed-events

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

    /// @notice A batch confirms at least one job: of a compact one, the mask has at least one bit.
    error EmptyBatch();

    /// @notice Each job of a batch has one hash.
    /// @param jobKeys How many jobs were given.
    /// @param resultHashes How many hashes were given.
    error LengthMismatch(uint256 jobKeys, uint256 resultHashes);

    /// @notice No tree has the root zero.
    /// @param word The batch that it came with.
    error ZeroRoot(uint256 word);

    /// @notice The word was recorded before, be it with the same mask and root or others.
    /// @param word The batch.
    /// @param recordedHash The hash of the mask and root that are recorded, and stay so.
    /// @param attemptedHash The hash of those that were to be recorded.
    error CompactAlreadyConfirmed(uint256 word, bytes32 recordedHash, bytes32 attemptedHash);

    /// @notice No compact batch is shown to hold this job with this hash.
    /// @param jobKey The job.
    /// @param resultHash The commitment to its result.
    /// @param word The batch that was said to hold it.
    error NotIncluded(bytes32 jobKey, bytes32 resultHash, uint256 word);

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

    /// @notice Records a batch of at most 256 jobs as one mask and one root, under the caller's own `number`, or
    /// reverts with `CompactAlreadyConfirmed` if the caller recorded anything under it before.
    /// @dev Reverts without the role, while paused, and for a zero mask or root. It sees no job: that the mask is the
    /// tree's, that each job has one leaf in all batches and none is recorded directly too, is the confirmer's duty.
    /// @param number What tells this batch from the caller's others, such as the transaction's nonce.
    /// @param mask Which places the batch has: bit i, counted from the lowest, for the place i.
    /// @param root The root of the tree of its leaves.
    function confirmCompact(uint64 number, uint256 mask, bytes32 root) external;

    /// @notice Records a job that a compact batch holds as `confirm` would, or reverts with `JobAlreadyConfirmed` if it
    /// is recorded in any way. Anyone may call it: what is proven was confirmed already.
    /// @dev Reverts with `NotIncluded` where `isIncluded` is false, and while paused.
    /// @param jobKey The job.
    /// @param resultHash The commitment to its result.
    /// @param inclusion What proves both.
    function materialize(bytes32 jobKey, bytes32 resultHash, Inclusion calldata inclusion) external;

    /// @notice Stops all confirming; what is recorded stays readable, and its proofs stay good.
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

    /// @notice What is recorded for a compact batch.
    /// @param word The batch.
    /// @return compactHash The hash of its mask and root, or zero if none is recorded.
    function compactHashOf(uint256 word) external view returns (bytes32 compactHash);

    /// @notice Whether a compact batch that is recorded holds this job with this hash, neither of which may be zero.
    /// @param jobKey The job.
    /// @param resultHash The commitment to its result.
    /// @param inclusion What proves both.
    /// @return included True if the mask and root are the recorded ones, the mask has the bit, and the proof leads from
    /// the leaf to the root. Another job, hash or batch may be proven for the same bit if the confirmer was dishonest.
    function isIncluded(
        bytes32 jobKey,
        bytes32 resultHash,
        Inclusion calldata inclusion
    ) external view returns (bool included);

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

    /// @notice The word of a compact batch.
    /// @param confirmer Who confirms it.
    /// @param number Its number among the confirmer's.
    /// @return word Under which it is recorded.
    function wordOf(address confirmer, uint64 number) external pure returns (uint256 word);

    /// @notice The leaf of a job in a compact batch's tree.
    /// @param word The batch.
    /// @param bit The job's place in it.
    /// @param jobKey The job.
    /// @param resultHash The commitment to its result.
    /// @return leaf What a proof begins with.
    function leafOf(uint256 word, uint8 bit, bytes32 jobKey, bytes32 resultHash) external pure returns (bytes32 leaf);
}
