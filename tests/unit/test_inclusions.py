"""Compact batches: their words, roots and proofs, against the package whose trees they are."""

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.chain_call import (
    ConfirmCompact,
    Inclusion,
    compact_call,
    compact_hash,
    inclusions,
    proves,
    word_of,
)
from chalicelib.domain.confirmation import Entry
from chalicelib.domain.merkle import keccak256, merkle_tree, places
from tests.unit.test_merkle_root import told_by

SIGNER, NUMBER = "0x5FbDB2315678afecb367f032d93F642f64180aa3", 7
MOST = 98
OPENZEPPELIN = """
import { readFileSync } from "node:fs";
import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
const batches = JSON.parse(readFileSync(0, "utf8"));
const types = ["uint256", "uint8", "bytes32", "bytes32"];
const trees = batches.map((leaves) => StandardMerkleTree.of(leaves, types));
const proofs = (tree, n) => batches[n].map((_, i) => tree.getProof(i));
const told = trees.map((tree, n) => ({ root: tree.root, proofs: proofs(tree, n) }));
process.stdout.write(JSON.stringify(told));
"""

words = st.binary(min_size=32, max_size=32).map(lambda word: f"0x{word.hex()}")
batches = st.lists(st.builds(Entry, words, words), min_size=1, max_size=20, unique_by=lambda e: e.job_key)


def entries(count: int) -> list[Entry]:
    hashes = [f"0x{keccak256(n.to_bytes(8)).hex()}" for n in range(2 * count)]
    return [Entry(key, result) for key, result in zip(hashes[::2], hashes[1::2], strict=True)]


def test_roots_and_proofs_are_openzeppelins_when_batches_have_any_size() -> None:
    sizes = [1, 2, 3, 7, 64, MOST]
    word = word_of(SIGNER, NUMBER)
    given_leaves = [
        [[str(word), n, entry.job_key, entry.result_hash] for n, entry in enumerate(entries(size))]
        for size in sizes
    ]
    for size, told in zip(sizes, told_by(OPENZEPPELIN, given_leaves), strict=True):
        found = inclusions(SIGNER, NUMBER, entries(size))
        assert {each.root for each in found} == {told["root"]}
        assert [list(each.proof) for each in found] == told["proofs"]


@given(batches, st.integers(0, 2**64 - 1))
def test_each_proof_is_of_its_entry_and_of_no_other_when_a_batch_is_any(
    batch: list[Entry], number: int
) -> None:
    found = inclusions(SIGNER, number, batch)
    for bit, inclusion in enumerate(found):
        assert [proves(inclusion, entry) for entry in batch] == [n == bit for n in range(len(batch))]
    call = compact_call(SIGNER, number, batch)
    assert call == ConfirmCompact(number=number, mask=found[0].mask, root=found[0].root)
    assert (call.mask.bit_count(), call.mask + 1) == (len(batch), 2 ** len(batch))


WRONG = {
    "another word": lambda found: {"word": found.word + 1},
    "another place": lambda found: {"bit": found.bit - 1},
    "a mask without the place": lambda found: {"mask": found.mask & ~(1 << found.bit)},
    "an empty mask": lambda _: {"mask": 0},
    "another root": lambda _: {"root": "0x" + "11" * 32},
    "a shorter proof": lambda found: {"proof": found.proof[:-1]},
    "a longer proof": lambda found: {"proof": (*found.proof, found.root)},
    "no proof": lambda _: {"proof": ()},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_proof_proves_nothing_when_one_part_is_another(wrong: str) -> None:
    batch = entries(5)
    found = inclusions(SIGNER, NUMBER, batch)[2]
    assert proves(found, batch[2])
    parts = {name: getattr(found, name) for name in ("word", "bit", "mask", "root", "proof")}
    assert not proves(Inclusion(**{**parts, **WRONG[wrong](found)}), batch[2])


def test_another_result_is_not_proven_when_the_job_is_the_same() -> None:
    batch = entries(3)
    found = inclusions(SIGNER, NUMBER, batch)[0]
    assert not proves(found, Entry(batch[0].job_key, batch[1].result_hash))


def test_no_inner_node_passes_for_a_leaf_when_it_is_shown_as_one() -> None:
    """A leaf is hashed twice, an inner node once."""
    batch = entries(4)
    found = inclusions(SIGNER, NUMBER, batch)
    for each in found:
        node = each.proof[-1]
        cut = Inclusion(word=each.word, bit=each.bit, mask=each.mask, root=each.root, proof=each.proof[-1:])
        assert not any(proves(cut, Entry(key, node)) for key in (node, batch[0].job_key))


def test_words_differ_when_the_signer_or_the_number_does() -> None:
    other = "0x" + "11" * 20
    found = [word_of(signer, number) for signer in (SIGNER, other) for number in (0, 1, 2**64 - 1)]
    assert len(set(found)) == len(found)
    assert word_of(SIGNER.lower(), 1) == word_of(SIGNER, 1) == int(SIGNER, 16) * 2**64 + 1


@given(st.integers(0, 2**256 - 1), words)
def test_the_batchs_hash_is_of_the_abi_encoding_when_mask_and_root_are_any(mask: int, root: str) -> None:
    encoded = encode(["uint256", "bytes32"], [mask, bytes.fromhex(root[2:])])
    assert compact_hash(mask, root) == f"0x{keccak256(encoded).hex()}"


def test_equal_leaves_have_places_of_their_own() -> None:
    leaves = [b"b" * 32, b"a" * 32, b"b" * 32]
    tree = merkle_tree(leaves)
    found = places(tree, leaves)
    assert len(set(found)) == 3
    assert [tree[node] for node in found] == leaves
