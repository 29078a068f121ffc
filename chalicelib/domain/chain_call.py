"""What the sender asks of the chain, and the hashes that its compact batches are made of.

Pure: the layouts are those of `contracts/src/IJobRegistry.sol`, computed here so that nobody must be asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.abi import abi_word
from chalicelib.domain.confirmation import Entry
from chalicelib.domain.merkle import keccak256, merkle_tree, places, siblings


@dataclass(frozen=True, slots=True)
class ConfirmBatch:
    """Records each entry by itself."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmCompact:
    """Records one root over many entries, under a number of the signer's that it never used before."""

    number: int
    mask: int
    root: str


@dataclass(frozen=True, slots=True)
class Fill:
    """Uses up a nonce by sending nothing to oneself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Sends funds away from a signer that needs them no more."""

    to: str
    wei: int


Call = ConfirmBatch | ConfirmCompact | Fill | Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """What proves that a compact batch holds an entry: all that `isIncluded` needs beside it."""

    word: int
    bit: int
    mask: int
    root: str
    proof: tuple[str, ...]


def word_of(signer: str, number: int) -> int:
    """The word under which the registry keeps the signer's compact batch of this number: `wordOf`."""
    return int(signer, 16) << 64 | number


def compact_hash(mask: int, root: str) -> str:
    """What the registry stores for a compact batch: `compactHashOf`."""
    return _hex(keccak256(abi_word(mask) + bytes.fromhex(root[2:])))


def compact_call(signer: str, number: int, entries: Sequence[Entry]) -> ConfirmCompact:
    """The batch of these entries, of which the n-th has bit n."""
    tree = merkle_tree(_leaves(signer, number, entries))
    return ConfirmCompact(number=number, mask=(1 << len(entries)) - 1, root=_hex(tree[0]))


def inclusions(signer: str, number: int, entries: Sequence[Entry]) -> list[Inclusion]:
    """What proves each entry of the batch, in their order."""
    leaves = _leaves(signer, number, entries)
    tree = merkle_tree(leaves)
    return [
        Inclusion(
            word=word_of(signer, number),
            bit=bit,
            mask=(1 << len(entries)) - 1,
            root=_hex(tree[0]),
            proof=tuple(map(_hex, siblings(tree, node))),
        )
        for bit, node in enumerate(places(tree, leaves))
    ]


def proves(inclusion: Inclusion, entry: Entry) -> bool:
    """Whether the proof leads from the entry's leaf to the root, and the mask has its bit."""
    node = _leaf(inclusion.word, inclusion.bit, entry)
    for sibling in (bytes.fromhex(each[2:]) for each in inclusion.proof):
        node = keccak256(min(node, sibling) + max(node, sibling))
    return _hex(node) == inclusion.root and bool(inclusion.mask >> inclusion.bit & 1)


def _leaves(signer: str, number: int, entries: Sequence[Entry]) -> list[bytes]:
    word = word_of(signer, number)
    return [_leaf(word, bit, entry) for bit, entry in enumerate(entries)]


def _leaf(word: int, bit: int, entry: Entry) -> bytes:
    """Hashed twice, so that no inner node of a tree can pass for a leaf."""
    words = bytes.fromhex(entry.job_key[2:] + entry.result_hash[2:])
    return keccak256(keccak256(abi_word(word) + abi_word(bit) + words))


def _hex(word: bytes) -> str:
    return f"0x{word.hex()}"
