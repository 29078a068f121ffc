"""Jobs of minutes on a real stack: nobody else waits for them, and a cancel ends them at once."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.domain.polling import WORKERS
from client.documents import Job, Status
from tests.e2e.conftest import Caller, calling
from tests.stack_process import StackProcess, processes_writing_to, start_stack
from tests.waiting import until

MINUTES: dict[str, Any] = {"seed": "0x" + "00" * 32, "rounds": 1_000_000_000}
SHORTEST: dict[str, Any] = {**MINUTES, "rounds": 1}
# A slice and a step are some ten seconds; a busy machine gets time.
PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    with start_stack(tmp_path_factory.mktemp("stack") / "state") as stack:
        stack.ready()
        yield stack


@pytest.fixture
def long_jobs(started: StackProcess, acme: Caller) -> Iterator[list[str]]:
    """More jobs of minutes than there are workers, which all of them are at."""
    ids = [acme.client.submit("sha256.chain", MINUTES).job.id for _ in range(WORKERS + 2)]
    until(lambda: statuses(acme, ids)[Status.RUNNING] == WORKERS, within_seconds=PATIENCE_SECONDS)
    yield ids
    for job_id in ids:
        acme.client.cancel(job_id)


@pytest.fixture(scope="module")
def acme(started: StackProcess) -> Iterator[Caller]:
    with calling(started.ready(), "acme") as caller:
        yield caller


def statuses(caller: Caller, ids: list[str]) -> Counter[Status]:
    return Counter(caller.client.get(job_id).status for job_id in ids)


def outcomes(started: StackProcess, job_id: str) -> list[str]:
    """What came of the messages that the job's runs were woken by."""
    lines = map(json.loads, started.logged("functions").splitlines())
    return [line["outcome"] for line in lines if line.get("message") == "woken" and line["job_id"] == job_id]


def test_another_tenants_job_ends_first_when_long_jobs_hold_all_workers(
    started: StackProcess, acme: Caller, long_jobs: list[str]
) -> None:
    with calling(started.ready(), "globex") as globex:
        job_id = globex.client.submit("sha256.chain", SHORTEST).job.id
        ended = globex.client.wait(job_id, timeout_seconds=PATIENCE_SECONDS)
    assert ended.status is Status.SUCCEEDED
    # Of the two that came before it and wait still, the worker that did it may have begun the first.
    assert statuses(acme, long_jobs)[Status.QUEUED] >= len(long_jobs) - WORKERS - 1
    paused = [job_id for job_id in long_jobs if "paused" in outcomes(started, job_id)]
    assert paused
    goes_on = acme.client.get(paused[0])
    assert goes_on.status is Status.RUNNING
    assert goes_on.progress is not None
    assert goes_on.progress.completed > 0


@pytest.mark.deep
def test_its_process_is_gone_and_its_work_charged_when_a_running_job_is_canceled(
    started: StackProcess, acme: Caller, long_jobs: list[str]
) -> None:
    job_id = long_jobs[0]

    def has_got_on() -> Job | None:
        job = acme.client.get(job_id)
        return job if job.progress and job.progress.completed > 10_000_000 else None

    until(has_got_on, within_seconds=PATIENCE_SECONDS)
    workers = len(processes_writing_to(started.state_dir))
    canceled = acme.client.cancel(job_id)
    assert canceled.status is Status.CANCELED
    assert canceled.progress is not None
    assert canceled.compute is not None
    # Charged by the progress that the cancel saw; a heartbeat may have told more since.
    assert 0 < canceled.compute.used_units <= 1_000 * canceled.progress.completed // canceled.progress.total
    until(lambda: outcomes(started, job_id)[-1:] == ["superseded"], within_seconds=PATIENCE_SECONDS)
    for other in long_jobs[1:]:
        acme.client.cancel(other)
    until(
        lambda: len(processes_writing_to(started.state_dir)) <= workers - WORKERS,
        within_seconds=PATIENCE_SECONDS,
    )
