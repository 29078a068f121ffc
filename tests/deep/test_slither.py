"""Slither finds nothing in the registry that is not answered beside it, and would find it."""

import json
import re
from pathlib import Path

import pytest

from tests.deep.analysed import CONTRACTS, SOURCE, Defect, lay_out, run

pytestmark = pytest.mark.deep

# Ends the code with the digest of the compiler's input, which names the sources otherwise here.
METADATA_DIGEST = re.compile(r"a2646970667358221220[0-9a-f]{64}")

DEFECTS = (
    Defect(
        "everything can be destroyed",
        "        _unpause();\n",
        "        _unpause();\n        selfdestruct(payable(msg.sender));\n",
        "suicidal",
    ),
    Defect(
        "two texts are hashed without a boundary",
        "abi.encode(block.chainid, address(this), tenantId, jobId)",
        "abi.encodePacked(block.chainid, address(this), tenantId, jobId)",
        "encode-packed-collision",
    ),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return lay_out(tmp_path)


def findings(project: Path) -> list[tuple[str, str]]:
    """Each finding's detector and description; what is OpenZeppelin's alone is OpenZeppelin's to answer."""
    built = run(project, "forge", "build", SOURCE, "--build-info")
    assert built.returncode == 0, built.stdout + built.stderr
    options = ("--ignore-compile", "--filter-paths", "node_modules", "--json", "-")
    answer = json.loads(run(project, "slither", ".", *options, tools=".venv-slither").stdout)
    assert answer["success"], answer["error"]
    return [(each["check"], each["description"]) for each in answer["results"].get("detectors", [])]


def test_nothing_is_found_in_the_registry(project: Path) -> None:
    assert findings(project) == []


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_is_found_when_it_is_seeded(project: Path, defect: Defect) -> None:
    defect.seed(project)
    assert defect.noticed_as in [check for check, _ in findings(project)]


def test_what_is_analysed_is_what_is_deployed(project: Path) -> None:
    assert run(project, "forge", "build").returncode == 0
    analysed = json.loads((project / "out" / "JobRegistry.sol" / "JobRegistry.json").read_text())
    deployed = json.loads(
        (CONTRACTS / "artifacts" / "src" / "JobRegistry.sol" / "JobRegistry.json").read_text()
    )
    codes = [analysed["bytecode"]["object"], deployed["bytecode"]]
    assert all(len(METADATA_DIGEST.findall(code)) == 1 for code in codes)
    one, other = (METADATA_DIGEST.sub("", code) for code in codes)
    assert one == other
