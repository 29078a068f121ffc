"""A signer makes way for the next on a whole stack under load, and jobs are verified against its chain."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import pytest

from chalicelib.adapters.registry_calls import JOB_CONFIRMED
from chalicelib.adapters.signers import SIGNER_KEY
from chalicelib.domain.merkle import keccak256
from emulation.environment import edge_client, isolated
from tests.e2e.conftest import Caller, calling
from tests.stack_process import REPOSITORY, StackProcess, start_stack
from tests.waiting import until

COMPACT_CONFIRMED = "0x" + keccak256(b"CompactConfirmed(uint256,uint256,bytes32)").hex()
ADMIN = (sys.executable, "-m", "chalicelib.admin")
SEED = "0x" + "00" * 32
PATHS = ("direct", "compact")
# Of each path, before and after a rotation; and as many as there are while it lasts.
JOBS = 10
SETTLED_SECONDS = 60

_numbers = count()


@dataclass
class Stack:
    """A running stack, a tenant of it, and all the jobs that it submitted, by their paths."""

    started: StackProcess
    described: dict[str, Any]
    caller: Caller
    jobs: dict[str, list[str]] = field(default_factory=lambda: {path: [] for path in PATHS})

    def submit(self, path: str) -> None:
        body = {"type": "sha256.chain", "input": {"seed": SEED, "rounds": 1}, "confirmation": path}
        key = {"Idempotency-Key": f"signers-{next(_numbers)}"}
        answer = self.caller.http.post("/v1/jobs", json=body, headers=key).raise_for_status()
        self.jobs[path].append(answer.json()["id"])

    def submit_until(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            for path in PATHS:
                self.submit(path)

    @contextmanager
    def under_load(self) -> Iterator[None]:
        """Jobs of both paths are submitted all the time: some before, and some after."""
        stopping = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            submitting = pool.submit(self.submit_until, stopping)
            try:
                self._wait_for(JOBS)
                yield
                self._wait_for(JOBS)
            finally:
                stopping.set()
            submitting.result()

    def _wait_for(self, more: int) -> None:
        wanted = len(self.jobs["direct"]) + more
        until(lambda: len(self.jobs["direct"]) >= wanted, within_seconds=30, what="more jobs")

    def wait_until_all_succeeded(self) -> None:
        waiting = [job for jobs in self.jobs.values() for job in jobs]

        def all_succeeded() -> bool:
            while waiting:
                job = self.caller.http.get(f"/v1/jobs/{waiting[0]}").raise_for_status().json()
                if job["status"] != "succeeded":
                    return False
                waiting.pop(0)
            return True

        until(all_succeeded, within_seconds=SETTLED_SECONDS, what="that every job succeeds")

    def admin(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A command, with the stack's environment alone."""
        return subprocess.run(
            [*ADMIN, *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def admin_killed(self, *arguments: str, after: str) -> None:
        """A command that is killed once it has said this."""
        running = subprocess.Popen(
            [*ADMIN, *arguments], cwd=REPOSITORY, env=self.environment, stderr=subprocess.PIPE, text=True
        )
        with running:
            assert running.stderr is not None
            assert any(after in line for line in running.stderr), "it ended before"
            running.kill()

    @property
    def environment(self) -> dict[str, str]:
        return isolated({}) | self.described["environment"]

    def printed(self, *arguments: str) -> dict[str, Any]:
        ran = self.admin(*arguments, "--json")
        assert ran.returncode == 0, ran.stderr
        document: dict[str, Any] = json.loads(ran.stdout)
        return document

    def is_kept(self, address: str) -> bool:
        """Whether the private key is in Secrets Manager."""
        secrets = edge_client("secretsmanager", self.described["edge_url"])
        names = [each["Name"] for each in secrets.list_secrets(MaxResults=100)["SecretList"]]
        return SIGNER_KEY.format(address=address) in names

    def events(self, topic: str) -> list[dict[str, Any]]:
        """All of this kind that the registry ever emitted."""
        chain = self.described["chain"]
        wanted = {"address": chain["registry"], "topics": [topic], "fromBlock": "0x0", "toBlock": "latest"}
        asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [wanted]}
        found: list[dict[str, Any]] = httpx.post(chain["rpc_url"], json=asked).json()["result"]
        return found

    def records(self) -> tuple[int, int, int]:
        """Direct records, different keys among them, and jobs in compact batches."""
        keys = [event["topics"][1] for event in self.events(JOB_CONFIRMED)]
        masks = [int(event["data"][2:66], 16) for event in self.events(COMPACT_CONFIRMED)]
        return len(keys), len(set(keys)), sum(mask.bit_count() for mask in masks)

    def alarms(self) -> list[str]:
        lines = self.started.logged("functions").splitlines()
        return [line for line in lines if "sender alarm" in line]


# README's commands rotate and verify in every run; this does it under load, which takes minutes.
pytestmark = pytest.mark.deep


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with start_stack(tmp_path_factory.mktemp("stack")) as started:
        described = started.ready()
        with calling(described, "initech") as caller:
            yield Stack(started, described, caller)


def rotated(stack: Stack, *options: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The signer that was active and the one that is, after a rotation under load that lost nothing."""
    before = stack.printed("signers", "list")["signers"][-1]
    with stack.under_load():
        document = stack.printed("signers", "rotate", *options)
    stack.wait_until_all_succeeded()
    direct, compact = (len(stack.jobs[path]) for path in PATHS)
    assert stack.records() == (direct, direct, compact)
    *_, old, new = document["signers"]
    assert (old["address"], old["duty"], old["is_confirmer"], old["open_transactions"]) == (
        before["address"],
        "retired",
        False,
        0,
    )
    assert (new["duty"], new["is_confirmer"], document["changed"]) == ("active", True, True)
    assert (stack.is_kept(old["address"]), stack.is_kept(new["address"])) == (False, True)
    return old, new


def test_every_job_is_recorded_once_when_the_signer_rotates_under_load(stack: Stack) -> None:
    old, new = rotated(stack)
    assert stack.alarms() == []
    listed = stack.printed("signers", "list")["signers"]
    assert listed[0]["next_nonce"] == old["next_nonce"] > 0
    assert listed[1]["next_nonce"] > 0
    acts = [event["act"] for event in stack.printed("audit")["events"] if event["subject"] == new["address"]]
    assert acts == ["signer.appointed", "signer.added"]


def test_every_job_is_recorded_once_when_the_rotation_was_killed_half_way(stack: Stack) -> None:
    with stack.under_load():
        stack.admin_killed("signers", "rotate", after="is active")
        *_, old, new = (each["duty"] for each in stack.printed("signers", "list")["signers"])
        assert (old, new) == ("draining", "active")
        *_, old, new = stack.printed("signers", "rotate")["signers"]
    stack.wait_until_all_succeeded()
    direct, compact = (len(stack.jobs[path]) for path in PATHS)
    assert stack.records() == (direct, direct, compact)
    assert (old["duty"], new["duty"], stack.is_kept(old["address"])) == ("retired", "active", False)
    assert stack.alarms() == []


def test_every_job_is_recorded_once_when_a_compromised_signer_is_replaced_under_load(stack: Stack) -> None:
    rotated(stack, "--compromised")
    assert all("refused" in line for line in stack.alarms())


@pytest.mark.parametrize("path", PATHS)
def test_a_job_verifies_when_it_has_succeeded(stack: Stack, path: str) -> None:
    stack.submit(path)
    stack.wait_until_all_succeeded()
    job = stack.jobs[path][-1]
    document = stack.printed("verify", job, "--tenant", "initech")
    assert (document["verified"], document["confirmation"]) == (True, path)
    assert all(check["holds"] for check in document["checks"])
    assert stack.admin("verify", job, "--tenant", "acme").returncode == 2


def test_a_compact_job_has_a_record_of_its_own_when_it_is_materialized(stack: Stack) -> None:
    for path in PATHS:
        stack.submit(path)
    stack.wait_until_all_succeeded()
    job = stack.jobs["compact"][-1]
    direct, keys, compact = stack.records()
    document = stack.printed("verify", job, "--materialize")
    assert (document["verified"], document["changed"]) == (True, True)
    assert stack.records() == (direct + 1, keys + 1, compact)
    assert stack.printed("verify", job, "--materialize")["changed"] is False
    refused = stack.admin("verify", stack.jobs["direct"][-1], "--materialize")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "is in no compact batch" in refused.stderr
