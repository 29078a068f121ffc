// SPDX-License-Identifier: BSD-3-Clause-Clear
pragma solidity 0.8.37;

/// @title Merkle trees as the interface describes them, made without the library that checks them
/// @dev A tree is one array: the root first, the children of node i at 2i+1 and 2i+2, the leaves last.
library Trees {
    function grow(bytes32[] memory leaves) internal pure returns (bytes32[] memory tree) {
        uint256 inner = leaves.length - 1;
        tree = new bytes32[](inner + leaves.length);
        for (uint256 i = 0; i < leaves.length; ++i) tree[inner + i] = leaves[i];
        for (uint256 i = inner; i > 0; --i) tree[i - 1] = parent(tree[2 * i - 1], tree[2 * i]);
    }

    /// @dev Of any node, a leaf or not.
    function proofOf(bytes32[] memory tree, uint256 node) internal pure returns (bytes32[] memory proof) {
        uint256 length;
        for (uint256 i = node; i > 0; i = (i - 1) / 2) ++length;
        proof = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            proof[i] = tree[node % 2 == 0 ? node - 1 : node + 1];
            node = (node - 1) / 2;
        }
    }

    function parent(bytes32 a, bytes32 b) internal pure returns (bytes32 hash) {
        return a < b ? keccak256(abi.encodePacked(a, b)) : keccak256(abi.encodePacked(b, a));
    }
}
