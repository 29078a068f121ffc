"""`python -m client` as a process of its own: signals, pipes and exit codes as a shell sees them."""

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.client.conftest import SMALL, Jobs

REPOSITORY = Path(__file__).parents[2]


@contextmanager
def process(jobs: Jobs, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    changes = jobs.environment()
    environment = {name: value for name, value in {**os.environ, **changes}.items() if value is not None}
    with subprocess.Popen(
        [sys.executable, "-m", "client", *arguments],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def test_the_id_alone_is_on_stdout_when_an_input_is_piped(jobs: Jobs) -> None:
    with process(jobs, "submit", "sha256.chain", "--input", "-") as started:
        stdout, stderr = started.communicate(SMALL, timeout=60)
    assert (started.returncode, "Traceback" in stderr) == (0, False)
    (job,) = jobs("list", "--json").lines
    assert stdout == f"{job['id']}\n"


def test_the_process_ends_with_130_and_a_word_when_it_is_interrupted(jobs: Jobs) -> None:
    job_id = jobs.submitted()
    with process(jobs, "wait", job_id) as started:
        assert started.stderr is not None
        assert started.stderr.readline() == f"{job_id} queued\n"
        started.send_signal(signal.SIGINT)
        stdout, stderr = started.communicate(timeout=60)
    assert (started.returncode, stdout, "Traceback" in stderr) == (130, "", False)
    assert f"To wait again: jobs wait {job_id}" in stderr


def test_what_ends_goes_above_the_bars_when_both_are_on_one_terminal(jobs: Jobs) -> None:
    job_id = jobs.submitted()
    jobs.finish(job_id)
    ours, terminal = pty.openpty()
    changes = {**jobs.environment(), "TERM": "xterm-256color"}
    environment = {name: value for name, value in {**os.environ, **changes}.items() if value is not None}
    command = [sys.executable, "-m", "client", "wait", job_id]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=terminal, stderr=terminal
    ) as started:
        os.close(terminal)
        shown = b"".join(iter(lambda: read(ours), b"")).decode()
    os.close(ours)
    assert started.returncode == 0
    assert re.search(rf"(\n|\x1b\[2K){job_id} succeeded\r\n", shown), shown


def read(terminal: int) -> bytes:
    """What is on it; nothing once nobody writes there any more, which Linux says by EIO."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


def test_the_command_has_its_name_when_the_command_line_is_wrong(jobs: Jobs) -> None:
    with process(jobs, "submit") as started:
        stdout, stderr = started.communicate(timeout=60)
    assert (started.returncode, stdout) == (2, "")
    assert "Usage: jobs submit" in stderr
