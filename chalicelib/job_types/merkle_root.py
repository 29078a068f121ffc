"""`merkle.root`: the root of the standard Merkle tree over a list of typed leaves, and each leaf's proof.

Equal to `@openzeppelin/merkle-tree`'s StandardMerkleTree: a leaf is the double Keccak-256 of its ABI
encoding, leaves are sorted, and a pair is hashed in sorted order.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from chalicelib.domain.abi import abi_encode, abi_word, text
from chalicelib.domain.job import Progress
from chalicelib.domain.merkle import keccak256, merkle_tree, places, siblings
from chalicelib.job_types.contract import Context, JobError, JobInput, JobType, Run, Step

LeafType = Literal["address", "uint256", "bytes32", "bool", "string"]
LeafValue = Annotated[str, Field(max_length=1024)]
Leaf = Annotated[tuple[LeafValue, ...], Field(min_length=1, max_length=8, strict=False)]

_UINT256 = re.compile(r"0|[1-9][0-9]{0,77}|0x[0-9a-fA-F]{1,64}")
_BYTES32 = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_ADDRESS = re.compile(r"(?:0x)?([0-9a-fA-F]{40})")
_BOOL = {"true": 1, "false": 0}
# About 30 ms of encoding and hashing.
LEAVES_A_STEP = 1_000
# 0.3 to 0.4 s from the input's bytes to the result's; with proofs it takes twice that.
LEAVES_A_UNIT = 10_000
LEAVES_AT_MOST = 100_000


class MerkleRootInput(JobInput):
    """`leaf_encoding` gives the ABI types of a leaf's values; every value is written as a string.

    With `proofs` the result proves each leaf too: `tree` has all nodes, the root first, and `proofs` has for
    each leaf the places in `tree` of what it is hashed with on its way to the root, from below.
    """

    leaf_encoding: Annotated[tuple[LeafType, ...], Field(min_length=1, max_length=8, strict=False)]
    leaves: Annotated[tuple[Leaf, ...], Field(min_length=1, max_length=LEAVES_AT_MOST, strict=False)]
    proofs: bool = False


def cost(job_input: MerkleRootInput) -> int:
    """In units of 10,000 leaves begun; with proofs, each leaf counts twice."""
    counted = len(job_input.leaves) * (2 if job_input.proofs else 1)
    return -(-counted // LEAVES_A_UNIT)


def run(context: Context[MerkleRootInput]) -> Run:
    """The root as 0x-prefixed hex, the number of leaves and, if wanted, the tree and the proofs of all."""
    wanted = context.input
    total = len(wanted.leaves)
    hashes: list[bytes] = []
    for start in range(0, total, LEAVES_A_STEP):
        batch = wanted.leaves[start : start + LEAVES_A_STEP]
        hashes += [
            _leaf_hash(wanted.leaf_encoding, leaf, start + offset) for offset, leaf in enumerate(batch)
        ]
        yield Step(Progress(len(hashes), total))
    tree = merkle_tree(hashes)
    result: dict[str, JsonValue] = {"root": _hex(tree[0]), "leaves": total}
    if wanted.proofs:
        nodes = range(len(tree))
        result["tree"] = [_hex(node) for node in tree]
        result["proofs"] = [list(siblings(nodes, node)) for node in places(tree, hashes)]
    return result


def _leaf_hash(types: tuple[LeafType, ...], values: tuple[str, ...], index: int) -> bytes:
    if len(values) != len(types):
        raise JobError(f"Leaf {index} has {len(values)} values; `leaf_encoding` has {len(types)} types.")
    try:
        encoded = abi_encode(*(_LAID_OUT[kind](value) for kind, value in zip(types, values, strict=True)))
    except (KeyError, ValueError, OverflowError) as error:
        raise JobError(f"Leaf {index} does not fit its encoding ({', '.join(types)}).") from error
    return keccak256(keccak256(encoded))


def _uint256(value: str) -> bytes:
    return abi_word(int(_matched(_UINT256, value)[0], 0))


def _hex_word(form: re.Pattern[str]) -> Callable[[str], bytes]:
    return lambda value: abi_word(int(_matched(form, value)[1], 16))


def _matched(form: re.Pattern[str], value: str) -> re.Match[str]:
    match = form.fullmatch(value)
    if match is None:
        raise ValueError("not of this type")
    return match


_LAID_OUT: Mapping[LeafType, Callable[[str], bytes]] = {
    "address": _hex_word(_ADDRESS),
    "uint256": _uint256,
    "bytes32": _hex_word(_BYTES32),
    "bool": lambda value: abi_word(_BOOL[value]),
    "string": lambda value: text(value.encode()),
}


def _hex(node: bytes) -> str:
    return f"0x{node.hex()}"


JOB_TYPE = JobType(
    name="merkle.root",
    version=2,
    title="Merkle root",
    description="The root, and if wanted each proof, of a standard Merkle tree (@openzeppelin/merkle-tree).",
    input_model=MerkleRootInput,
    # The one in the library's README.
    example={
        "leaf_encoding": ["address", "uint256"],
        "leaves": [[f"0x{'11' * 20}", "5000000000000000000"], [f"0x{'22' * 20}", "2500000000000000000"]],
        "proofs": True,
    },
    compute_unit="10,000 leaves, or what is left of them; with proofs, each leaf counts twice",
    cost=cost,
    most_units=-(-2 * LEAVES_AT_MOST // LEAVES_A_UNIT),
    run=run,
)
