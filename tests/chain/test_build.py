"""The Solidity project: its own tests pass and reach every branch, and what is generated from it is fresh."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chain.conftest import CONTRACTS

ABI_COPY = CONTRACTS.parent / "chalicelib" / "adapters" / "registry_abi.json"
ARTIFACT = Path("artifacts", "src", "JobRegistry.sol", "JobRegistry.json")
LOCK = CONTRACTS / "package-lock.json"
ENDS = {"Return", "RevertStatement", "Continue"}


def hardhat(project: Path, *arguments: str) -> None:
    """Runs it there; it must succeed."""
    binaries = Path(sys.executable).parent
    path = f"{binaries}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HARDHAT_DISABLE_TELEMETRY": "true", "NO_COLOR": "1"}
    command = [binaries / "npx", "--no-install", "hardhat", *arguments]
    ran = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy without what was built: what a run builds here, with counters in it, no node may deploy."""
    shutil.copytree(CONTRACTS / "src", tmp_path / "src")
    for name in ("package.json", "hardhat.config.js"):
        shutil.copy(CONTRACTS / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(CONTRACTS / "node_modules")
    return tmp_path


@pytest.mark.deep
def test_every_line_is_reached_when_the_solidity_tests_pass(project: Path) -> None:
    shutil.copytree(CONTRACTS / "test", project / "test")
    hardhat(project, "test", "solidity", "--coverage")
    reached, missed = [], []
    for line in (project / "coverage" / "lcov.info").read_text().splitlines():
        kind, _, value = line.partition(":")
        if kind == "SF":
            source = value
        if kind == "DA":
            number, _, times = value.partition(",")
            (reached if int(times) else missed).append(f"{source}:{number}")
    assert missed == []
    with_code = {f"src/{path.name}" for path in CONTRACTS.glob("src/**/*.sol") if path.name[0] != "I"}
    assert {each.partition(":")[0] for each in reached} == with_code


def test_every_branch_is_reached_when_every_line_is() -> None:
    """Hardhat counts no branches, but a line counts only if all that stands in it is reached.

    So each way out of each condition must have a statement of its own: no condition within an expression, and
    what follows an `if` without `else` is reached when it is false alone.
    """
    assert [problem for tree in _syntax_trees() for problem in _hidden_branches(tree)] == []


def test_artifact_and_abi_are_those_of_the_sources_when_built_afresh(project: Path) -> None:
    """The node deploys the artifact, and the functions read by the ABI."""
    hardhat(project, "build")
    fresh, used = (json.loads((folder / ARTIFACT).read_text()) for folder in (project, CONTRACTS))
    assert used["bytecode"] == fresh["bytecode"], "run `npm run build` in contracts/"
    written = json.dumps(fresh["abi"], indent=2) + "\n"
    assert ABI_COPY.read_text() == written, "run `npm run build` in contracts/, and commit registry_abi.json"


def test_lock_file_names_no_download_address() -> None:
    packages = json.loads(LOCK.read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []


def _syntax_trees() -> Iterator[Any]:
    """Of our own sources, as the compiler wrote them beside the artifact."""
    build = json.loads((CONTRACTS / ARTIFACT).read_text())["buildInfoId"]
    output = json.loads((CONTRACTS / "artifacts" / "build-info" / f"{build}.output.json").read_text())
    ours = [name for name in output["output"]["sources"] if name.startswith("project/src/")]
    assert "project/src/JobRegistry.sol" in ours
    return (output["output"]["sources"][name]["ast"] for name in ours)


def _hidden_branches(node: Any) -> Iterator[str]:
    """What a count of lines would not see."""
    if isinstance(node, list):
        for index, each in enumerate(node):
            is_if = isinstance(each, dict) and each.get("nodeType") == "IfStatement"
            if is_if and not each.get("falseBody") and index + 1 == len(node):
                yield f"nothing follows the if at {each['src']}"
            yield from _hidden_branches(each)
    if isinstance(node, dict):
        kind = node.get("nodeType")
        if kind == "Conditional" or node.get("operator") in ("&&", "||"):
            yield f"a condition within an expression at {node['src']}"
        if kind == "IfStatement" and not node.get("falseBody") and not _ends(node["trueBody"]):
            yield f"the if at {node['src']} goes on to what follows it"
        yield from _hidden_branches(list(node.values()))


def _ends(body: Any) -> bool:
    """Whether nothing after it is reached from it."""
    return (body["statements"][-1] if body["nodeType"] == "Block" else body)["nodeType"] in ENDS
