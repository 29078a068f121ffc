"""The rules of the house that tools can see, of the tree as it is."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack_process import REPOSITORY

TOOLS = Path(sys.executable).parent


@pytest.mark.parametrize("command", ["lint-imports --no-cache", "ruff check", "ruff format --check", "mypy"])
def test_tool_finds_nothing_when_it_reads_the_whole_tree(command: str) -> None:
    tool, *arguments = command.split()
    found = subprocess.run(
        [TOOLS / tool, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
