// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

import {IJobRegistry} from "../src/IJobRegistry.sol";
import {JobRegistry} from "../src/JobRegistry.sol";
import {Cheats} from "./Cheats.sol";
import {Trees} from "./Trees.sol";

/// @title Everyone who may do anything to a registry, doing it in any order, and a record of what must stay
/// @dev Few keys, hashes and numbers, so that random calls meet the same job and the same word again and again.
contract Actors is Cheats {
    struct Proven {
        bytes32 key;
        bytes32 hash;
        IJobRegistry.Inclusion inclusion;
    }

    uint256 public constant KEYS = 8;

    uint256 public constant WORDS = 8;

    /// @dev A longer pause would leave little else to do.
    uint256 private constant CALLS_OF_A_PAUSE = 2;

    JobRegistry public immutable REGISTRY = new JobRegistry(address(this), address(this), address(this), 0);

    address[2] private _confirmers = [address(this), address(0xC0)];

    mapping(bytes32 key => bytes32 firstHash) public firstHashes;

    mapping(uint256 word => bytes32 firstHash) public firstCompactHashes;

    /// @dev What a confirmer said, directly or by a root.
    mapping(bytes32 key => mapping(bytes32 hash => bool isConfirmed)) public isConfirmed;

    uint256 public recordings;

    uint256 public compactRecordings;

    uint256 public materializations;

    bool public strangerWasAccepted;

    bool public forgeryWasAccepted;

    bool public pauseWasIgnored;

    bool public wordWasAnothers;

    Proven[] private _proven;

    uint256 private _callsWhilePaused;

    constructor() {
        REGISTRY.grantRole(REGISTRY.CONFIRMER_ROLE(), _confirmers[1]);
    }

    function confirm(uint256 keySeed, uint256 hashSeed) external {
        bytes32 hash = _hash(hashSeed);
        isConfirmed[key(keySeed)][hash] = true;
        _try(_confirmers[keySeed % 2], abi.encodeCall(JobRegistry.confirm, (key(keySeed), hash)));
    }

    function confirmBatch(uint256[3] calldata keySeeds, uint256[3] calldata hashSeeds) external {
        bytes32[] memory keys = new bytes32[](3);
        bytes32[] memory hashes = new bytes32[](3);
        for (uint256 i = 0; i < 3; ++i) {
            (keys[i], hashes[i]) = (key(keySeeds[i]), _hash(hashSeeds[i]));
            isConfirmed[keys[i]][hashes[i]] = true;
        }
        _try(_confirmers[hashSeeds[0] % 2], abi.encodeCall(JobRegistry.confirmBatch, (keys, hashes)));
    }

    function confirmCompact(uint256 wordSeed, uint256[3] calldata keySeeds, uint256[3] calldata hashSeeds) external {
        uint256 word = wordAt(wordSeed);
        bytes32[] memory leaves = new bytes32[](3);
        for (uint256 i = 0; i < 3; ++i) {
            leaves[i] = REGISTRY.leafOf(word, uint8(i), key(keySeeds[i]), _hash(hashSeeds[i]));
        }
        bytes32[] memory tree = Trees.grow(leaves);
        bytes memory call = abi.encodeCall(JobRegistry.confirmCompact, (uint64(word), 7, tree[0]));
        if (!_try(address(uint160(word >> 64)), call)) return;
        for (uint256 i = 0; i < 3; ++i) {
            if (_hash(hashSeeds[i]) == 0) continue;
            isConfirmed[key(keySeeds[i])][_hash(hashSeeds[i])] = true;
            bytes32[] memory proof = Trees.proofOf(tree, 2 + i);
            IJobRegistry.Inclusion memory inclusion = IJobRegistry.Inclusion(word, uint8(i), 7, tree[0], proof);
            _proven.push(Proven(key(keySeeds[i]), _hash(hashSeeds[i]), inclusion));
        }
    }

    function materialize(address anyone, uint256 seed) external {
        if (_proven.length == 0) return;
        Proven memory proven = _proven[seed % _proven.length];
        bytes memory call = abi.encodeCall(JobRegistry.materialize, (proven.key, proven.hash, proven.inclusion));
        if (_try(anyone, call)) ++materializations;
    }

    /// @dev One thing that was not proven, with all else as it was.
    function materializeForgery(address anyone, uint256 seed, uint256 part) external {
        if (_proven.length == 0) return;
        Proven memory proven = _proven[seed % _proven.length];
        IJobRegistry.Inclusion memory inclusion = proven.inclusion;
        if (part % 7 == 0) proven.key = ~proven.key;
        if (part % 7 == 1) proven.hash = ~proven.hash;
        if (part % 7 == 2) inclusion.word ^= uint256(1) << 255; // not a word of anyone's
        if (part % 7 == 3) inclusion.bit = (inclusion.bit + 1) % 3;
        if (part % 7 == 4) inclusion.mask = 15;
        if (part % 7 == 5) inclusion.root = ~inclusion.root;
        if (part % 7 == 6) inclusion.proof = new bytes32[](0);
        bytes memory call = abi.encodeCall(JobRegistry.materialize, (proven.key, proven.hash, inclusion));
        if (_try(anyone, call)) forgeryWasAccepted = true;
    }

    function confirmAsStranger(address stranger, uint256 seed, uint256 hashSeed) external {
        VM.assume(!REGISTRY.hasRole(REGISTRY.CONFIRMER_ROLE(), stranger));
        bytes32[] memory one = new bytes32[](1);
        one[0] = key(seed);
        bytes memory call = abi.encodeCall(JobRegistry.confirm, (one[0], _hash(hashSeed)));
        if (seed % 3 == 1) call = abi.encodeCall(JobRegistry.confirmBatch, (one, one));
        if (seed % 3 == 2) call = abi.encodeCall(JobRegistry.confirmCompact, (uint64(seed), 1, one[0]));
        if (_try(stranger, call)) strangerWasAccepted = true;
    }

    function pause() external {
        _try(address(this), abi.encodeCall(JobRegistry.pause, ()));
        _callsWhilePaused = 0;
    }

    function appoint(address confirmer) external {
        REGISTRY.grantRole(REGISTRY.CONFIRMER_ROLE(), confirmer);
    }

    function proofs() external view returns (Proven[] memory proven) {
        return _proven;
    }

    function key(uint256 seed) public pure returns (bytes32 jobKey) {
        return keccak256(abi.encode("key", seed % KEYS));
    }

    function wordAt(uint256 seed) public view returns (uint256 word) {
        return REGISTRY.wordOf(_confirmers[seed % 2], uint64((seed % WORDS) / 2));
    }

    function _hash(uint256 seed) private pure returns (bytes32 resultHash) {
        return bytes32(seed % 16);
    }

    /// @dev A refusal is an outcome like any other; what is recorded for the first time is noted.
    function _try(address caller, bytes memory call) private returns (bool accepted) {
        bool wasPaused = REGISTRY.paused();
        if (wasPaused && ++_callsWhilePaused > CALLS_OF_A_PAUSE) REGISTRY.unpause();
        wasPaused = REGISTRY.paused();
        uint256 before = recordings + compactRecordings;
        VM.prank(caller);
        // solhint-disable-next-line avoid-low-level-calls
        (accepted, ) = address(REGISTRY).call(call);
        for (uint256 i = 0; accepted && i < KEYS; ++i) _noteJob(key(i));
        for (uint256 i = 0; accepted && i < WORDS; ++i) _noteBatch(wordAt(i), caller);
        if (wasPaused && recordings + compactRecordings != before) pauseWasIgnored = true;
    }

    function _noteJob(bytes32 jobKey) private {
        bytes32 hash = REGISTRY.resultHashOf(jobKey);
        if (firstHashes[jobKey] != 0 || hash == 0) return;
        firstHashes[jobKey] = hash;
        ++recordings;
    }

    function _noteBatch(uint256 word, address caller) private {
        bytes32 hash = REGISTRY.compactHashOf(word);
        if (firstCompactHashes[word] != 0 || hash == 0) return;
        firstCompactHashes[word] = hash;
        ++compactRecordings;
        if (word >> 64 != uint160(caller)) wordWasAnothers = true;
    }
}
