"""A stack in a process of its own, as a person starts it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.waiting import until

REPOSITORY = Path(__file__).parent.parent
READY_SECONDS = 60
STOPPED_SECONDS = 15


@dataclass(frozen=True, slots=True)
class StackProcess:
    """A starting or running stack; `printed` is the file of what it prints."""

    process: subprocess.Popen[bytes]
    state_dir: Path
    printed: Path

    def ready(self) -> dict[str, Any]:
        """The content of `stack.json`, once it is there."""
        path = self.state_dir / "stack.json"
        until(lambda: path.exists() or self.process.poll() is not None, within_seconds=READY_SECONDS)
        assert path.exists(), f"the stack did not start:\n{self.printed.read_text()}"
        description: dict[str, Any] = json.loads(path.read_text())
        return description

    def logged(self, name: str) -> str:
        """What is in one of the stack's logs so far."""
        path = self.state_dir / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def interrupt(self, number: signal.Signals = signal.SIGTERM) -> int:
        """The exit status after a signal; fails if any process of the stack is left."""
        self.process.send_signal(number)
        status = self.process.wait(STOPPED_SECONDS)
        assert not (self.state_dir / "stack.json").exists()
        assert processes_writing_to(self.state_dir) == []
        return status


@contextmanager
def start_stack(state_dir: Path, *arguments: str, project: Path = REPOSITORY) -> Iterator[StackProcess]:
    """Starts `python -m emulation up` on a free port, and makes sure at the end that it is gone."""
    state_dir.mkdir(parents=True, exist_ok=True)
    printed = state_dir / "printed.txt"
    command = [sys.executable, "-m", "emulation", "up", "--port", "0", "--state-dir", str(state_dir)]
    with printed.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--project", str(project), *arguments],
            cwd=REPOSITORY,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    stack = StackProcess(process, state_dir, printed)
    try:
        yield stack
    finally:
        if process.poll() is None:
            stack.interrupt()


def processes_writing_to(folder: Path) -> list[str]:
    """The command lines of the processes with an open file in the folder; a stack's have their logs open."""
    return [
        (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        for process in Path("/proc").glob("[0-9]*")
        if any(opened.startswith(f"{folder}{os.sep}") for opened in _open_files(process))
    ]


def _open_files(process: Path) -> list[str]:
    try:
        return [str(descriptor.readlink()) for descriptor in (process / "fd").iterdir()]
    except OSError:  # it has just ended, or is another user's
        return []
