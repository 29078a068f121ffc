// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

import {IJobRegistry} from "../src/IJobRegistry.sol";
import {RegistryTest} from "./RegistryTest.sol";
import {Trees} from "./Trees.sol";

/// @title What a proof shows, and what it does not
contract InclusionTest is RegistryTest {
    // isIncluded
    // ├── when the key or the hash is zero: false, though the tree has such a leaf
    // ├── when the word has nothing recorded: false
    // ├── when the mask or the root is not the recorded one: false
    // ├── when the mask lacks the bit: false, though the tree has such a leaf
    // ├── when the proof does not lead from the leaf to the root: false
    // │   ├── another key, hash, bit or word
    // │   └── a node or a word of the proof too few, too many, or altered
    // └── otherwise: true, whatever happened since

    function testFuzz_each_job_is_included_when_the_batch_is_recorded(uint64 number, uint256 seed) public {
        uint256 count = 1 + (seed % 40);
        IJobRegistry.Inclusion[] memory inclusions = _record(number, count);
        for (uint256 i = 0; i < count; ++i) assert(_registry.isIncluded(_key(i), _hash(i), inclusions[i]));
    }

    function test_each_job_is_included_when_the_batch_has_all_places() public {
        IJobRegistry.Inclusion[] memory inclusions = _record(NUMBER, 256);
        assertEqual(inclusions[255].mask, type(uint256).max);
        assertEqual(uint256(inclusions[255].proof.length), uint256(8));
        for (uint256 i = 0; i < 256; ++i) assert(_registry.isIncluded(_key(i), _hash(i), inclusions[i]));
    }

    function test_job_is_included_without_siblings_when_it_is_alone() public {
        IJobRegistry.Inclusion memory alone = _record(NUMBER, 1)[0];
        assertEqual(uint256(alone.proof.length), uint256(0));
        assertEqual(alone.root, _registry.leafOf(alone.word, 0, _key(0), _hash(0)));
        assert(_registry.isIncluded(_key(0), _hash(0), alone));
    }

    function test_nothing_is_included_when_its_key_or_hash_is_zero() public {
        bytes32 noKey = _registry.leafOf(_word(NUMBER), 0, 0, HASH);
        bytes32 noHash = _registry.leafOf(_word(NUMBER), 1, KEY, 0);
        IJobRegistry.Inclusion[] memory inclusions = _recordLeaves(NUMBER, _words(noKey, noHash));
        inclusions[1].bit = 1;
        assert(!_registry.isIncluded(0, HASH, inclusions[0]));
        assert(!_registry.isIncluded(KEY, 0, inclusions[1]));
    }

    function test_nothing_is_included_when_the_word_is_not_recorded() public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 3)[1];
        inclusion.word = _word(NUMBER + 1);
        assert(!_registry.isIncluded(_key(1), _hash(1), inclusion));
    }

    function testFuzz_nothing_is_included_when_the_mask_is_not_the_recorded_one(uint256 mask) public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 3)[1];
        VM.assume(mask != inclusion.mask);
        inclusion.mask = mask | 2; // it has the bit
        assert(inclusion.mask == 7 || !_registry.isIncluded(_key(1), _hash(1), inclusion));
    }

    function test_nothing_is_included_when_the_root_is_not_the_recorded_one() public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 1)[0];
        inclusion.root = _registry.leafOf(inclusion.word, 0, KEY, HASH); // its proof would lead there
        assert(!_registry.isIncluded(KEY, HASH, inclusion));
    }

    function test_nothing_is_included_when_the_mask_lacks_its_bit() public {
        bytes32 inside = _registry.leafOf(_word(NUMBER), 0, KEY, HASH);
        bytes32 outside = _registry.leafOf(_word(NUMBER), 2, KEY, HASH);
        IJobRegistry.Inclusion[] memory inclusions = _recordLeaves(NUMBER, _words(inside, outside));
        inclusions[1].bit = 2;
        assertEqual(inclusions[1].mask, uint256(3));
        assert(_registry.isIncluded(KEY, HASH, inclusions[0]));
        assert(!_registry.isIncluded(KEY, HASH, inclusions[1]));
    }

    function testFuzz_only_the_leaf_itself_is_included(uint8 place, uint8 bit, bytes32 key, bytes32 hash) public {
        (place, bit) = (place % 20, bit % 20);
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 20)[place];
        VM.assume(bit != place && key != _key(place) && hash != _hash(place));
        assert(!_registry.isIncluded(key, _hash(place), inclusion));
        assert(!_registry.isIncluded(_key(place), hash, inclusion));
        inclusion.bit = bit;
        assert(!_registry.isIncluded(_key(place), _hash(place), inclusion));
    }

    function testFuzz_nothing_is_included_when_the_proof_is_altered(uint8 place, uint256 node, bytes32 noise) public {
        place %= 20;
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 20)[place];
        node %= inclusion.proof.length;
        VM.assume(noise != inclusion.proof[node]);
        inclusion.proof[node] = noise;
        assert(!_registry.isIncluded(_key(place), _hash(place), inclusion));
    }

    function test_nothing_is_included_when_the_proof_is_too_short_or_too_long() public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 4)[0];
        bytes32[] memory proof = inclusion.proof;
        inclusion.proof = new bytes32[](1);
        inclusion.proof[0] = proof[0];
        assert(!_registry.isIncluded(_key(0), _hash(0), inclusion));
        inclusion.proof = _words(proof[0], proof[1], inclusion.root);
        assert(!_registry.isIncluded(_key(0), _hash(0), inclusion));
        inclusion.proof = proof;
        assert(_registry.isIncluded(_key(0), _hash(0), inclusion));
    }

    function test_nothing_is_included_when_the_word_is_another_recorded_batch() public {
        IJobRegistry.Inclusion memory one = _record(NUMBER, 3)[1];
        IJobRegistry.Inclusion memory other = _record(NUMBER + 1, 3)[1];
        assert(_registry.isIncluded(_key(1), _hash(1), other));
        (one.word, other.word) = (other.word, one.word);
        assert(!_registry.isIncluded(_key(1), _hash(1), one));
        assert(!_registry.isIncluded(_key(1), _hash(1), other));
    }

    function test_nothing_is_included_when_mask_and_root_change_places() public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 3)[1];
        (inclusion.mask, inclusion.root) = (uint256(inclusion.root), bytes32(inclusion.mask));
        for (uint256 bit = 0; bit < 256; ++bit) {
            inclusion.bit = uint8(bit);
            assert(!_registry.isIncluded(_key(1), _hash(1), inclusion));
        }
    }

    function test_job_stays_included_when_its_confirmer_is_dismissed_and_confirming_paused() public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 3)[1];
        bytes32 role = _registry.CONFIRMER_ROLE();
        VM.prank(ADMIN);
        _registry.revokeRole(role, CONFIRMER);
        _pause();
        assert(_registry.isIncluded(_key(1), _hash(1), inclusion));
    }

    function test_an_inner_node_is_no_leaf_when_its_children_are_taken_for_a_job() public {
        IJobRegistry.Inclusion[] memory inclusions = _record(NUMBER, 4);
        // The leaves 0 and 1 hash to an inner node, whose proof is one word shorter than theirs.
        bytes32 left = _registry.leafOf(_word(NUMBER), 0, _key(0), _hash(0));
        bytes32 right = inclusions[0].proof[0];
        IJobRegistry.Inclusion memory shorter = inclusions[0];
        shorter.proof = new bytes32[](1);
        shorter.proof[0] = inclusions[1].proof[1];
        assertEqual(Trees.parent(Trees.parent(left, right), shorter.proof[0]), shorter.root);
        for (uint8 bit = 0; bit < 4; ++bit) {
            shorter.bit = bit;
            assert(!_registry.isIncluded(left, right, shorter));
            assert(!_registry.isIncluded(right, left, shorter));
        }
    }

    function test_a_root_is_no_leaf_when_its_proof_is_empty() public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 2)[0];
        (bytes32 left, bytes32 right) = (Trees.parent(0, inclusion.root), inclusion.proof[0]);
        inclusion.proof = new bytes32[](0);
        assert(!_registry.isIncluded(left, right, inclusion));
        assert(!_registry.isIncluded(inclusion.root, inclusion.root, inclusion));
    }

    // materialize
    // ├── when paused: reverts
    // ├── when the job is not included: reverts, naming job, hash and word
    // ├── when the job is recorded, be it with the same hash: reverts
    // └── otherwise: records and emits, whoever calls

    function testFuzz_materialize_records_when_anyone_calls(address caller) public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 5)[4];
        _expectConfirmed(_key(4), _hash(4));
        VM.prank(caller);
        _registry.materialize(_key(4), _hash(4), inclusion);
        assertEqual(_registry.resultHashOf(_key(4)), _hash(4));
        assertEqual(_registry.resultHashOf(_key(3)), 0);
    }

    function testFuzz_materialize_reverts_when_the_job_is_not_included(bytes32 key, bytes32 hash) public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 5)[4];
        VM.assume(key != _key(4) || hash != _hash(4));
        _expectNotIncluded(key, hash, inclusion.word);
        _registry.materialize(key, hash, inclusion);
        assertEqual(_registry.resultHashOf(key), 0);
    }

    function test_materialize_reverts_when_repeated() public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 5)[4];
        _registry.materialize(_key(4), _hash(4), inclusion);
        _expectAlreadyConfirmed(_key(4), _hash(4), _hash(4));
        _registry.materialize(_key(4), _hash(4), inclusion);
    }

    function test_materialize_reverts_when_the_job_is_recorded_with_another_hash() public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 5)[4];
        _confirm(_key(4), OTHER);
        _expectAlreadyConfirmed(_key(4), OTHER, _hash(4));
        _registry.materialize(_key(4), _hash(4), inclusion);
        assertEqual(_registry.resultHashOf(_key(4)), OTHER);
    }

    function test_materialize_reverts_when_paused_and_goes_on_when_unpaused() public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 5)[4];
        _pause();
        _expectPaused();
        _registry.materialize(_key(4), _hash(4), inclusion);
        assertEqual(_registry.resultHashOf(_key(4)), 0);
        _unpause();
        _registry.materialize(_key(4), _hash(4), inclusion);
        assertEqual(_registry.resultHashOf(_key(4)), _hash(4));
    }

    function test_job_is_skipped_when_a_batch_follows_its_materialization() public {
        IJobRegistry.Inclusion memory inclusion = _record(NUMBER, 5)[4];
        _registry.materialize(_key(4), _hash(4), inclusion);
        VM.expectEmit(true, true, true, true, address(_registry));
        emit IJobRegistry.JobSkipped(_key(4));
        _expectConfirmed(KEY, HASH);
        _confirmBatch(_words(_key(4), KEY), _words(_hash(4), HASH));
    }
}
