"""The demo as a person runs it: it tells the truth, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stack_process import REPOSITORY, processes_writing_to
from tests.waiting import until

DEMO_SECONDS = 300
BEGUN_SECONDS = 60

README = (REPOSITORY / "README.md").read_text()


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo under way; all that it writes, its stack's logs included, is in one folder."""

    process: subprocess.Popen[bytes]
    folder: Path

    def printed(self) -> str:
        return (self.folder / "printed.txt").read_text()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with running(tmp_path) as started:
        yield started


@contextmanager
def running(tmp_path: Path, *arguments: str) -> Iterator[Demo]:
    with (tmp_path / "printed.txt").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "emulation", "demo", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    yield Demo(process, tmp_path)
    if process.poll() is None:
        process.terminate()
        process.wait()


def promised() -> list[str]:
    """The titles and checks of the output that README.md shows; the other lines differ each time."""
    shown = README.partition("<!-- demo output -->")[2].partition("<!-- /demo output -->")[0]
    found = re.findall(r"^ *(✓ .+|\d+  \S.+)$", shown, re.MULTILINE)
    assert len(found) > 15
    return found


def test_every_check_holds_when_the_demo_runs(demo: Demo) -> None:
    status = demo.process.wait(DEMO_SECONDS)
    printed = demo.printed()
    assert status == 0, printed
    assert [line for line in promised() if line not in printed] == []
    assert what_is_left(demo) == ([], [])


@pytest.mark.parametrize("reached", ["A stack of its own", "They run, and are confirmed"])
@pytest.mark.parametrize(
    "interrupt",
    [
        pytest.param(lambda pid: os.killpg(pid, signal.SIGINT), id="Ctrl-C"),
        pytest.param(lambda pid: os.kill(pid, signal.SIGTERM), id="SIGTERM", marks=pytest.mark.deep),
    ],
)
def test_nothing_is_left_when_the_demo_is_interrupted(
    demo: Demo, reached: str, interrupt: Callable[[int], None]
) -> None:
    until(lambda: reached in demo.printed(), within_seconds=BEGUN_SECONDS, what=reached)
    interrupt(demo.process.pid)
    assert demo.process.wait(BEGUN_SECONDS) == 130
    assert "Everything is stopped" in demo.printed()
    assert what_is_left(demo) == ([], [])


def test_stack_ends_when_the_demo_is_killed(demo: Demo) -> None:
    until(lambda: "Three jobs" in demo.printed(), within_seconds=BEGUN_SECONDS, what="the stack's start")
    demo.process.kill()
    demo.process.wait()
    until(lambda: processes_writing_to(demo.folder) == [], within_seconds=BEGUN_SECONDS, what="its end")


def test_demo_fails_and_keeps_the_logs_when_its_stack_does_not_start(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text("raise RuntimeError('this app is broken')")
    with running(tmp_path, "--project", str(project)) as demo:
        assert demo.process.wait(BEGUN_SECONDS) == 1
    assert "The demo failed in “A stack of its own”" in demo.printed()
    assert "this app is broken" in demo.printed()
    assert [path.name for path in tmp_path.glob("jobs-demo-*/demo.log")] == ["demo.log"]
    assert processes_writing_to(tmp_path) == []


def what_is_left(demo: Demo) -> tuple[list[str], list[Path]]:
    """Processes that have a file of the demo open, and files other than what it printed."""
    files = [path for path in demo.folder.iterdir() if path.name != "printed.txt"]
    return processes_writing_to(demo.folder), files
