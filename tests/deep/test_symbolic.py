"""What holds in every state of the registry, for every caller and every call, is proven; and can be refuted.

The proofs are in `contracts/test-symbolic`, and how far "every call" goes is in its `halmos.toml`.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.deep.analysed import CONTRACTS, Defect, lay_out, run

pytestmark = pytest.mark.deep

PROOFS = re.findall(
    r"function (check_\w+)", (CONTRACTS / "test-symbolic" / "JobRegistrySymbolic.sol").read_text()
)

PASS, COUNTEREXAMPLE = 0, 1  # halmos's exit codes

DEFECTS = (
    Defect(
        "the last write wins",
        "        if (recordedHash != 0) return",
        "        if (recordedHash == resultHash) return",
        "check_recorded_hash_stays",
    ),
    Defect(
        "the last batch wins",
        "        if (recordedHash != 0) revert Compact",
        "        if (recordedHash == compactHash) revert Compact",
        "check_compact_hash_stays",
    ),
    Defect(
        "a pause hides what is recorded",
        "        if (jobKey == 0) return false",
        "        if (jobKey == 0 || paused()) return false",
        "check_included_job_stays_included",
    ),
    Defect(
        "a confirmer takes another's word",
        "wordOf(_msgSender(), number)",
        "wordOf(address(bytes20(root)), number)",
        "check_word_is_written_by_its_confirmer_alone",
    ),
    Defect(
        "a stranger records",
        "function confirm(bytes32 jobKey, bytes32 resultHash) external onlyRole(CONFIRMER_ROLE)",
        "function confirm(bytes32 jobKey, bytes32 resultHash) external",
        "check_stranger_records_no_job_except_by_proof",
    ),
    Defect(
        "a pause does not stop proofs",
        "Inclusion calldata inclusion) external whenNotPaused",
        "Inclusion calldata inclusion) external",
        "check_nothing_is_recorded_when_paused",
    ),
    Defect(
        "a proof is not read",
        "if (!isIncluded(jobKey, resultHash, inclusion)) revert",
        "if (inclusion.proof.length == 2) revert",
        "check_proof_records_only_what_is_included",
    ),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return lay_out(tmp_path)


def verdicts(project: Path, *proofs: str) -> dict[str, str]:
    """What halmos finds of each proof: proven, refuted, or unknown (out of time, or a path cut short)."""
    chosen = ("--match-test", f"^({'|'.join(proofs)})\\(")
    ran = run(project, "halmos", *chosen, "--json-output", "found.json", tools=".venv-halmos")
    assert (project / "found.json").exists(), ran.stdout + ran.stderr
    (found,) = json.loads((project / "found.json").read_text())["test_results"].values()
    return {each["name"].partition("(")[0]: _verdict(each) for each in found}


def _verdict(found: dict[str, Any]) -> str:
    if found["exitcode"] == COUNTEREXAMPLE:
        return "refuted"
    return "proven" if found["exitcode"] == PASS and not found["num_bounded_loops"] else "unknown"


def test_every_proof_holds(project: Path) -> None:
    assert verdicts(project, *PROOFS) == dict.fromkeys(PROOFS, "proven")


def test_every_proof_is_refuted_by_some_defect() -> None:
    assert sorted(defect.noticed_as for defect in DEFECTS) == sorted(PROOFS)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_proof_fails_when_a_defect_is_seeded(project: Path, defect: Defect) -> None:
    defect.seed(project)
    assert verdicts(project, defect.noticed_as) == {defect.noticed_as: "refuted"}
