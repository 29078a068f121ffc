"""The standard Merkle tree of `@openzeppelin/merkle-tree`: leaves sorted, pairs hashed in sorted order."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from Crypto.Hash import keccak

Node = TypeVar("Node")


def merkle_tree(leaves: Sequence[bytes]) -> list[bytes]:
    """The tree as one array: sorted leaves last and backwards, the children of node i at 2i+1 and 2i+2."""
    tree = [b""] * (len(leaves) - 1) + sorted(leaves, reverse=True)
    for node in range(len(leaves) - 2, -1, -1):
        left, right = tree[2 * node + 1], tree[2 * node + 2]
        tree[node] = keccak256(min(left, right) + max(left, right))
    return tree


def places(tree: Sequence[bytes], leaves: Sequence[bytes]) -> list[int]:
    """Each leaf's node, in the order given; of equal leaves, each has a node of its own."""
    by_hash = sorted(range(len(leaves)), key=leaves.__getitem__)
    node_of = {index: len(tree) - 1 - place for place, index in enumerate(by_hash)}
    return [node_of[index] for index in range(len(leaves))]


def siblings(tree: Sequence[Node], node: int) -> Iterator[Node]:
    """What a node is hashed with on its way to the root, from below: its proof."""
    while node > 0:
        yield tree[node + 1 if node % 2 else node - 1]
        node = (node - 1) // 2


def keccak256(data: bytes) -> bytes:
    """The hash that Ethereum uses, which is not quite SHA-3."""
    return keccak.new(digest_bits=256, data=data).digest()
