"""The contract's own fuzz tests and invariants hold in more and longer runs than `make test` makes."""

import os
import re
import subprocess

import pytest

from tests.deep.analysed import CONTRACTS, REPOSITORY

pytestmark = pytest.mark.deep

RUNS = re.compile(r"✔ (test|invariant)\w*\(.*\) \(.*?runs: (\d+)", re.ASCII)
# Ten and four times what `make test` makes; a run of an invariant also has twice the calls.
DEEP_RUNS = {"test": 5_000, "invariant": 128}


def test_invariants_hold_when_the_runs_are_many() -> None:
    path = os.pathsep.join((str(REPOSITORY / ".venv" / "bin"), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "HARDHAT_DISABLE_TELEMETRY": "true", "NO_COLOR": "1"}
    ran = subprocess.run(
        ["npm", "test"],
        cwd=CONTRACTS,
        env={**environment, "FUZZ": "deep"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    runs = [(kind, int(number)) for kind, number in RUNS.findall(ran.stdout)]
    assert {kind for kind, _ in runs} == DEEP_RUNS.keys()
    assert [each for each in runs if each[1] < DEEP_RUNS[each[0]]] == []
