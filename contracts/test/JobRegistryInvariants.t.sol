// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

import {JobRegistry} from "../src/JobRegistry.sol";
import {Cheats} from "./Cheats.sol";

/// @title Everyone who may do anything to a registry, doing it in any order, and a record of what must stay
/// @dev Few keys and hashes, so that random calls meet the same job again and again.
contract Actors is Cheats {
    uint256 public constant KEYS = 8;

    JobRegistry public immutable REGISTRY = new JobRegistry(address(this), address(this), address(this), 0);

    mapping(bytes32 key => bytes32 firstHash) public firstHashes;

    uint256 public recordings;

    bool public strangerWasAccepted;

    function confirm(uint256 keySeed, uint256 hashSeed) external {
        _try(abi.encodeCall(JobRegistry.confirm, (key(keySeed), _hash(hashSeed))));
    }

    function confirmBatch(uint256[3] calldata keySeeds, uint256[3] calldata hashSeeds) external {
        bytes32[] memory keys = new bytes32[](3);
        bytes32[] memory hashes = new bytes32[](3);
        for (uint256 i = 0; i < 3; ++i) (keys[i], hashes[i]) = (key(keySeeds[i]), _hash(hashSeeds[i]));
        _try(abi.encodeCall(JobRegistry.confirmBatch, (keys, hashes)));
    }

    function confirmAsStranger(address stranger, uint256 keySeed, uint256 hashSeed) external {
        VM.assume(!REGISTRY.hasRole(REGISTRY.CONFIRMER_ROLE(), stranger));
        VM.prank(stranger);
        // solhint-disable-next-line avoid-low-level-calls
        (bool accepted, ) = address(REGISTRY).call(
            abi.encodeCall(JobRegistry.confirm, (key(keySeed), _hash(hashSeed)))
        );
        if (accepted) strangerWasAccepted = true;
    }

    function pause() external {
        _try(abi.encodeCall(JobRegistry.pause, ()));
    }

    function unpause() external {
        _try(abi.encodeCall(JobRegistry.unpause, ()));
    }

    function appoint(address confirmer) external {
        _try(abi.encodeCall(REGISTRY.grantRole, (REGISTRY.CONFIRMER_ROLE(), confirmer)));
    }

    function key(uint256 seed) public pure returns (bytes32 jobKey) {
        return keccak256(abi.encode("key", seed % KEYS));
    }

    function _hash(uint256 seed) private pure returns (bytes32 resultHash) {
        return bytes32(seed % 4);
    }

    /// @dev A refusal is an outcome like any other; what was recorded for the first time is noted.
    function _try(bytes memory call) private {
        // solhint-disable-next-line avoid-low-level-calls
        (bool accepted, ) = address(REGISTRY).call(call);
        for (uint256 i = 0; accepted && i < KEYS; ++i) {
            bytes32 recordedHash = REGISTRY.resultHashOf(key(i));
            if (firstHashes[key(i)] != 0 || recordedHash == 0) continue;
            firstHashes[key(i)] = recordedHash;
            ++recordings;
        }
    }
}

contract JobRegistryInvariants is Cheats {
    Actors private _actors;

    function setUp() public {
        _actors = new Actors();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actors);
    }

    function invariant_a_recorded_hash_never_changes() public view {
        for (uint256 i = 0; i < _actors.KEYS(); ++i) {
            bytes32 key = _actors.key(i);
            assertEqual(_actors.REGISTRY().resultHashOf(key), _actors.firstHashes(key));
        }
    }

    function invariant_no_stranger_ever_records() public view {
        assert(!_actors.strangerWasAccepted());
    }

    /// @dev Guards the invariant itself: calls that never record anything would prove nothing.
    function test_actors_record_when_they_confirm() public {
        _actors.confirm(1, 1);
        _actors.confirmBatch([uint256(1), 2, 3], [uint256(2), 2, 2]);
        assertEqual(bytes32(_actors.recordings()), bytes32(uint256(3)));
        assertEqual(_actors.firstHashes(_actors.key(1)), bytes32(uint256(1)));
    }
}
