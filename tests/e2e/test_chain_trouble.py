"""The chain in trouble under a whole stack: tenants see `confirming`, with a result, and then `succeeded`."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from client.documents import ConfirmationPath, Status
from tests.e2e.conftest import Caller, calling
from tests.stack_process import StackProcess, start_stack
from tests.waiting import until

INPUT = {"seed": "0x" + "00" * 32, "rounds": 1}
PAUSER = 1  # of the node's accounts
PAUSE, UNPAUSE = "0x8456cb59", "0x3f4ba83a"
# The sweep comes once in a minute of the stack's clock, of which each look takes a second.
PATIENCE_SECONDS = 60

_numbers = count()


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack, a tenant of it, and its clock."""

    started: StackProcess
    described: dict[str, Any]
    caller: Caller

    def submit(self) -> list[str]:
        """A job of each path."""
        return [
            self.caller.client.submit(
                "sha256.chain", INPUT, idempotency_key=f"trouble-{next(_numbers)}", confirmation=path
            ).job.id
            for path in ConfirmationPath
        ]

    def statuses(self, jobs: list[str]) -> set[Status]:
        return {self.caller.client.get(job).status for job in jobs}

    def are(self, jobs: list[str], status: Status) -> bool:
        """Whether all of them are; a second passes."""
        httpx.post(self.described["clock_url"], json={"advance_seconds": 1}).raise_for_status()
        return self.statuses(jobs) == {status}

    def rpc(self, method: str, *params: object) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return httpx.post(self.described["chain"]["rpc_url"], json=body).json()["result"]

    def as_pauser(self, data: str) -> None:
        """The pauser calls the registry, and it is mined."""
        pauser, registry = self.rpc("eth_accounts")[PAUSER], self.described["chain"]["registry"]
        self.rpc("eth_sendTransaction", {"from": pauser, "to": registry, "data": data})
        self.rpc("evm_mine")

    @contextmanager
    def node_stopped(self) -> Iterator[None]:
        """The node's process is there, accepts what comes, and says nothing."""
        pid = node_of(self.started.state_dir)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


def node_of(state_dir: Path) -> int:
    """The process that holds the chain's log open, and is the node."""
    (found,) = (
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if b"hardhat" in command_of(process) and str(state_dir / "chain.log") in opened_by(process)
    )
    return found


def command_of(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:  # it has just ended
        return b""


def opened_by(process: Path) -> list[str]:
    try:
        return [str(descriptor.readlink()) for descriptor in (process / "fd").iterdir()]
    except OSError:  # it has just ended, or is another user's
        return []


pytestmark = pytest.mark.deep


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with start_stack(tmp_path_factory.mktemp("stack") / "state", "--clock", "manual") as started:
        described = started.ready()
        with calling(described, "acme") as caller:
            yield Stack(started, described, caller)


def test_jobs_show_their_result_and_wait_when_the_registry_is_paused(stack: Stack) -> None:
    stack.as_pauser(PAUSE)
    jobs = stack.submit()
    until(
        lambda: stack.are(jobs, Status.CONFIRMING) and "EnforcedPause" in stack.started.logged("functions"),
        within_seconds=PATIENCE_SECONDS,
        what="the alarm",
    )
    assert all(stack.caller.http.get(f"/v1/jobs/{job}/result").status_code == 200 for job in jobs)
    stack.as_pauser(UNPAUSE)
    until(lambda: stack.are(jobs, Status.SUCCEEDED), within_seconds=PATIENCE_SECONDS, what="the confirmation")


def test_jobs_wait_and_succeed_when_the_node_hangs_and_goes_on(stack: Stack) -> None:
    silent = "The node does not answer"
    told = stack.started.logged("functions").count(silent)
    with stack.node_stopped():
        jobs = stack.submit()
        until(
            lambda: stack.started.logged("functions").count(silent) > told,
            within_seconds=PATIENCE_SECONDS,
            what="the sender's time-out",
        )
        assert stack.statuses(jobs) <= {Status.QUEUED, Status.RUNNING, Status.CONFIRMING}
    until(lambda: stack.are(jobs, Status.SUCCEEDED), within_seconds=PATIENCE_SECONDS, what="the confirmation")
