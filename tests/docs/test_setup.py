"""The set-up says in a line or two what is missing and what to do, and shows no wall of text."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
NOBODY = "http://127.0.0.1:9/simple"
NODE_PROJECT = ("package-lock.json", "package.json")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What the set-up reads, in a folder where nothing is installed."""
    locks = (f"{folder}/{name}" for folder in ("contracts", "tools") for name in NODE_PROJECT)
    for name in ("Makefile", "requirements-dev.txt", "contracts/hardhat.config.js", *locks):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    return tmp_path


def make(project: Path, *arguments: str, **environment: str) -> tuple[int, list[str]]:
    """The exit status and what a person reads."""
    ran = subprocess.run(
        ["make", "--no-print-directory", "setup", *arguments],
        cwd=project,
        env={"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout.splitlines()


def test_the_wanted_python_is_named_when_there_is_none(project: Path) -> None:
    status, lines = make(project, "PYTHON=no-such-python")
    assert (status, len(lines)) == (2, 1)
    assert lines[0].startswith('Python 3.11 or later is needed and "no-such-python" is not one')


def test_the_advice_is_given_when_nothing_can_be_downloaded(project: Path) -> None:
    status, lines = make(project, PIP_INDEX_URL=NOBODY, PIP_DEFAULT_TIMEOUT="1")
    assert (status, len(lines)) == (2, 4)
    assert lines[2].startswith("Installing the Python packages failed: ")
    assert "check the connection and run make again" in lines[3]
