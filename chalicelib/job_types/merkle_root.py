"""`merkle.root`: the root of the standard Merkle tree over a list of typed leaves, and each leaf's proof.

Equal to `@openzeppelin/merkle-tree`'s StandardMerkleTree: a leaf is the double Keccak-256 of its ABI
encoding, leaves are sorted, and a pair is hashed in sorted order.
"""

import re
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from chalicelib.domain.job import Progress
from chalicelib.domain.merkle import keccak256, merkle_tree, places, siblings
from chalicelib.job_types.contract import JobError, JobInput, JobType, Run

LeafType = Literal["address", "uint256", "bytes32", "bool", "string"]
LeafValue = Annotated[str, Field(max_length=1024)]
_UINT256 = re.compile(r"0|[1-9][0-9]{0,77}|0x[0-9a-fA-F]{1,64}")
# About 50 ms of encoding and hashing.
LEAVES_A_STEP = 1_000


class MerkleRootInput(JobInput):
    """`leaf_encoding` gives the ABI types of a leaf's values; every value is written as a string.

    With `proofs` the result proves each leaf too, so it has about 70 bytes a leaf and level of the tree.
    """

    leaf_encoding: Annotated[tuple[LeafType, ...], Field(min_length=1, max_length=8, strict=False)]
    leaves: Annotated[
        tuple[Annotated[tuple[LeafValue, ...], Field(min_length=1, max_length=8, strict=False)], ...],
        Field(min_length=1, max_length=10_000, strict=False),
    ]
    proofs: bool = False


def run(job_input: MerkleRootInput) -> Run:
    """The root as 0x-prefixed hex, the number of leaves and, if wanted, the proofs of all."""
    total = len(job_input.leaves)
    hashes: list[bytes] = []
    for start in range(0, total, LEAVES_A_STEP):
        batch = job_input.leaves[start : start + LEAVES_A_STEP]
        hashes += [
            _leaf_hash(job_input.leaf_encoding, leaf, start + offset) for offset, leaf in enumerate(batch)
        ]
        yield Progress(len(hashes), total)
    tree = merkle_tree(hashes)
    result: dict[str, JsonValue] = {"root": _hex(tree[0]), "leaves": total}
    if job_input.proofs:
        result["proofs"] = [
            [_hex(sibling) for sibling in siblings(tree, node)] for node in places(tree, hashes)
        ]
    return result


def _leaf_hash(types: tuple[LeafType, ...], values: tuple[str, ...], index: int) -> bytes:
    # Imported by the worker that needs it: it would add 0.4 s to the cold start of every function.
    from eth_abi.abi import encode
    from eth_abi.exceptions import EncodingError

    if len(values) != len(types):
        raise JobError(f"Leaf {index} has {len(values)} values; `leaf_encoding` has {len(types)} types.")
    try:
        encoded = encode(types, [_parse(kind, value) for kind, value in zip(types, values, strict=True)])
    except (EncodingError, ValueError, OverflowError) as error:
        raise JobError(f"Leaf {index} does not fit its encoding ({', '.join(types)}).") from error
    return keccak256(keccak256(encoded))


def _parse(kind: LeafType, value: str) -> object:
    match kind:
        case "uint256":
            if not _UINT256.fullmatch(value):
                raise ValueError("a uint256 is written in decimal or as 0x hex")
            return int(value, 0)
        case "bool":
            return {"true": True, "false": False}.get(value, value)
        case "bytes32":
            word = bytes.fromhex(value.removeprefix("0x"))
            if len(word) != 32:
                raise ValueError("a bytes32 has 32 bytes")
            return word
        case "address":
            return value.lower()
        case "string":
            return value


def _hex(word: bytes) -> str:
    return f"0x{word.hex()}"


JOB_TYPE = JobType(
    name="merkle.root",
    title="Merkle root",
    description="The root, and if wanted each proof, of a standard Merkle tree (@openzeppelin/merkle-tree).",
    input_model=MerkleRootInput,
    run=run,
)
