"""`python -m emulation usage`, as a person and as a program see it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from moto.apigateway.models import apigateway_backends

from emulation.clock import ManualClock
from emulation.edge import Edge
from emulation.environment import edge_client
from emulation.gateway.api import ACCOUNT, REGION
from emulation.state_dir import description_path
from tests.gateway.conftest import START, Loop
from tests.stack_process import REPOSITORY
from tests.waiting import until

COMMAND = (sys.executable, "-m", "emulation", "usage", "--state-dir")


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def stack(loop: Loop, tmp_path: Path) -> Iterator[str]:
    """The URL of an edge with one key in one plan; `tmp_path` is its state dir."""
    apigateway_backends[ACCOUNT][REGION].reset()
    edge = Edge(clock=ManualClock(START))
    url = f"http://127.0.0.1:{loop.run(edge.start())}"
    apigateway = edge_client("apigateway", url)
    plan = apigateway.create_usage_plan(name="metered", quota={"limit": 1_000, "period": "MONTH"})
    key = apigateway.create_api_key(name="mine", enabled=True)
    apigateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    description_path(tmp_path).write_text(json.dumps({"edge_url": url}))
    yield url
    loop.run(edge.stop())


def usage(state_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, str(state_dir), *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_document_is_printed_whole_when_a_program_asks(stack: str, tmp_path: Path) -> None:
    printed = usage(tmp_path, "--json")
    assert json.loads(printed.stdout) == httpx.get(f"{stack}/_aws/usage").json()
    assert (printed.returncode, printed.stderr) == (0, "")


def test_what_is_left_is_printed_once_when_nobody_watches(stack: str, tmp_path: Path) -> None:
    lines = usage(tmp_path).stdout.splitlines()
    assert lines[0] == "Usage at 2026-11-23 05:00 UTC"
    assert "metered  1,000 a month, until 2026-12-01 00:00 UTC" in lines
    assert "mine quota ██████████ 1,000 of 1,000 in 7 d 19 h" in [" ".join(line.split()) for line in lines]


def test_picture_follows_the_stack_when_someone_watches_until_ctrl_c(stack: str, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    watching = subprocess.Popen(
        [*COMMAND, str(tmp_path)],
        cwd=REPOSITORY,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "LINES": "40", "COLUMNS": "100"},
    )
    os.close(theirs)
    os.set_blocking(ours, False)
    seen = bytearray()

    def shows(text: str) -> bool:
        with suppress(BlockingIOError):
            seen.extend(os.read(ours, 65_536))
        return text.encode() in seen

    try:
        until(lambda: shows("2026-11-23 05:00 UTC"), within_seconds=20)
        httpx.post(f"{stack}/_aws/clock", json={"advance_seconds": 3_600}).raise_for_status()
        until(lambda: shows("2026-11-23 06:00 UTC"), within_seconds=20)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 0
    finally:
        watching.kill()
        watching.wait()
        os.close(ours)


@pytest.mark.parametrize("argument", ["--json", "--once"])
def test_a_line_says_so_when_no_stack_runs(tmp_path: Path, argument: str) -> None:
    refused = usage(tmp_path, argument)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"no stack runs in {tmp_path}: start one with `make up`\n"


def test_a_line_says_so_when_the_stack_was_killed(tmp_path: Path) -> None:
    description_path(tmp_path).write_text('{"edge_url": "http://127.0.0.1:9"}')
    assert usage(tmp_path).stderr == f"no stack runs in {tmp_path}: start one with `make up`\n"
