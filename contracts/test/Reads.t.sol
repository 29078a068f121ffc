// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

import {RegistryTest} from "./RegistryTest.sol";

/// @title What is read is what was recorded, and what is computed is what the interface's text says
contract ReadsTest is RegistryTest {
    function test_hashes_are_in_the_keys_order_when_some_are_not_recorded() public {
        _confirm(_key(1), HASH);
        _confirm(_key(3), OTHER);
        bytes32[] memory hashes = _registry.resultHashesOf(_words(_key(3), _key(2), _key(1)));
        assertEqual(uint256(hashes.length), uint256(3));
        assertEqual(hashes[0], OTHER);
        assertEqual(hashes[1], 0);
        assertEqual(hashes[2], HASH);
    }

    function test_hashes_are_none_when_no_key_is_given() public view {
        assertEqual(uint256(_registry.resultHashesOf(new bytes32[](0)).length), uint256(0));
    }

    function testFuzz_nothing_is_recorded_when_nobody_confirmed(bytes32 key, uint256 word) public view {
        assertEqual(_registry.resultHashOf(key), 0);
        assertEqual(_registry.compactHashOf(word), 0);
    }

    function testFuzz_a_job_and_a_batch_are_apart_when_key_and_word_are_equal(uint64 number) public {
        bytes32 key = bytes32(_word(number));
        _confirm(key, HASH);
        assertEqual(_registry.compactHashOf(_word(number)), 0);
        _confirmCompact(number, 1, OTHER);
        assertEqual(_registry.resultHashOf(key), HASH);
    }

    function testFuzz_key_is_the_hash_of_the_documented_encoding(string memory tenant, string memory job) public view {
        bytes32 expected = keccak256(abi.encode(block.chainid, address(_registry), tenant, job));
        assertEqual(_registry.jobKeyOf(tenant, job), expected);
    }

    function test_key_differs_when_the_boundary_between_tenant_and_job_moves() public view {
        assert(_registry.jobKeyOf("ab", "c") != _registry.jobKeyOf("a", "bc"));
    }

    function testFuzz_commitment_is_the_hash_of_salt_and_digest(bytes32 salt, bytes memory result) public view {
        bytes32 digest = keccak256(result);
        assertEqual(_registry.commitmentOf(salt, digest), keccak256(bytes.concat(salt, digest)));
    }

    function testFuzz_word_is_the_confirmer_and_the_number(address confirmer, uint64 number) public view {
        uint256 word = _registry.wordOf(confirmer, number);
        assertEqual(bytes32(word), bytes32(abi.encodePacked(bytes4(0), confirmer, number)));
    }

    function testFuzz_leaf_is_hashed_twice(uint256 word, uint8 bit, bytes32 key, bytes32 hash) public view {
        bytes32 once = keccak256(abi.encodePacked(word, uint256(bit), key, hash));
        assertEqual(_registry.leafOf(word, bit, key, hash), keccak256(abi.encodePacked(once)));
    }
}
