// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

import {Actors} from "./Actors.sol";
import {Cheats} from "./Cheats.sol";

/// @title What holds whatever is called, by whom and in which order
contract Invariants is Cheats {
    uint256 private constant AT_FIRST = 2;

    Actors private _actors;

    /// @dev One job and one batch are recorded from the start, so that there is always something to attack.
    function setUp() public {
        _actors = new Actors();
        _actors.confirm(1, 1);
        _actors.confirmCompact(4, [uint256(3), 4, 5], [uint256(5), 6, 7]);
        assertEqual(_recordings(), AT_FIRST);
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

    function invariant_a_compact_word_never_changes() public view {
        for (uint256 i = 0; i < _actors.WORDS(); ++i) {
            uint256 word = _actors.wordAt(i);
            assertEqual(_actors.REGISTRY().compactHashOf(word), _actors.firstCompactHashes(word));
        }
    }

    function invariant_a_word_is_recorded_by_its_confirmer_alone() public view {
        assert(!_actors.wordWasAnothers());
    }

    function invariant_no_stranger_ever_records() public view {
        assert(!_actors.strangerWasAccepted());
    }

    function invariant_nothing_is_recorded_while_paused() public view {
        assert(!_actors.pauseWasIgnored());
    }

    function invariant_every_recorded_hash_was_confirmed() public view {
        for (uint256 i = 0; i < _actors.KEYS(); ++i) {
            bytes32 key = _actors.key(i);
            bytes32 hash = _actors.REGISTRY().resultHashOf(key);
            assert(hash == 0 || _actors.isConfirmed(key, hash));
        }
    }

    function invariant_a_good_proof_stays_good() public view {
        Actors.Proven[] memory proven = _actors.proofs();
        for (uint256 i = 0; i < proven.length; ++i) {
            assert(_actors.REGISTRY().isIncluded(proven[i].key, proven[i].hash, proven[i].inclusion));
        }
    }

    function invariant_a_forged_proof_is_never_good() public view {
        assert(!_actors.forgeryWasAccepted());
    }

    /// @dev Guards the invariants themselves, after each run: calls that never record anything would prove nothing.
    /// Of 50 calls a quarter or more records, but for those that the state refuses: none does in one run of 10^6.
    function afterInvariant() public view {
        assert(_recordings() > AT_FIRST);
    }

    /// @dev And each way of recording is one that the actors can go.
    function test_actors_record_when_they_confirm() public {
        _actors.confirmBatch([uint256(1), 2, 3], [uint256(2), 2, 2]);
        _actors.materialize(address(0xABC), 1);
        assertEqual(_actors.recordings(), uint256(4));
        assertEqual(_actors.compactRecordings(), uint256(1));
        assertEqual(_actors.materializations(), uint256(1));
        assertEqual(_actors.firstHashes(_actors.key(1)), bytes32(uint256(1)));
        assertEqual(_actors.firstHashes(_actors.key(4)), bytes32(uint256(6)));
        assertEqual(uint256(_actors.proofs().length), uint256(3));
    }

    function _recordings() private view returns (uint256 recordings) {
        return _actors.recordings() + _actors.compactRecordings();
    }
}
