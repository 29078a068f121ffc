"""What a job costs and how far it is, as its tenant sees it in each state and on the invoice."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.job import JobRef, Progress
from chalicelib.domain.lease import MAX_ATTEMPTS, RETRY_CAP_SECONDS
from chalicelib.job_types import JOB_TYPES
from chalicelib.job_types.contract import Context, JobError, Step
from chalicelib.use_cases.attempt import STORING_SECONDS
from tests.api.conftest import ACME, INVOCATION_SECONDS, Api

UNITS = 10
# Of an invocation so short that it asks the run to stop at once; with none at all the run is ended at once.
SHORT_SECONDS = STORING_SECONDS + 1
# What is counted of a small job that ended, beside its compute: the kibibyte that its input begins is one.
STORED = {"job.accepted": "1", "payload.stored": "1"}


class Steps:
    """A run of ten steps and units that fails as it is told; a checkpoint has a byte for each step."""

    def __init__(self, *, fails_at: int = UNITS, error: Exception | None = None) -> None:
        self._fails_at = fails_at
        self._error = error

    def __call__(self, context: Context[Any]) -> Iterator[Step]:
        for n in range(len(context.checkpoint or b""), UNITS):
            if n == self._fails_at and self._error:
                raise self._error
            yield Step(Progress(n + 1, UNITS), lambda done=n + 1: b"." * done)
        return {"steps": UNITS}


def offer(api: Api, run: Steps) -> None:
    """`sha256.chain` is this run from now on."""
    told = replace(JOB_TYPES["sha256.chain"], run=run, cost=lambda _: UNITS)
    api.container.job_types = {**JOB_TYPES, told.name: told}


def seen(api: Api, job_id: str) -> dict[str, Any]:
    """The job as its tenant sees it."""
    job: dict[str, Any] = api.http.get(f"/v1/jobs/{job_id}", headers=api.bearer()).json()
    return job


def submitted(api: Api, **members: object) -> str:
    return str(api.submit(**members).json()["id"])


def run(api: Api, job_id: str, *, seconds: float = INVOCATION_SECONDS) -> None:
    api.container.run_job(JobRef(ACME, job_id), seconds=seconds)


def totals(api: Api) -> dict[str, str]:
    """What each meter counted, where it did."""
    usage = api.http.get("/v1/usage", headers=api.bearer()).json()
    return {meter["meter"]: meter["total"] for meter in usage["meters"] if meter["total"] != "0"}


def invoiced(api: Api) -> int:
    """The invoice's total without the monthly fee."""
    usage = api.http.get("/v1/usage", headers=api.bearer()).json()
    invoice = api.http.get(f"/v1/invoices/{usage['entitlements']['period']}", headers=api.bearer()).json()
    fee = sum(int(line["amount_micros"]) for line in invoice["lines"] if line["item"] == "monthly_fee")
    return int(invoice["total_micros"]) - fee


def test_the_estimate_is_there_and_nothing_is_charged_when_a_job_is_queued(api: Api) -> None:
    offer(api, Steps())
    job = api.submit().json()
    assert job["compute"] == {"estimated_units": UNITS, "used_units": 0}
    assert totals(api) == {"job.accepted": "1"}


def test_all_of_the_estimate_is_charged_when_there_is_a_result(api: Api) -> None:
    offer(api, Steps())
    job_id = submitted(api)
    run(api, job_id)
    assert seen(api, job_id)["compute"] == {"estimated_units": UNITS, "used_units": UNITS}
    assert totals(api) == {**STORED, "compute.used": str(UNITS)}


def test_a_job_is_running_with_its_progress_when_its_run_is_paused(api: Api) -> None:
    offer(api, Steps())
    job_id = submitted(api)
    for done in (1, 2, 3):
        run(api, job_id, seconds=SHORT_SECONDS)
        paused = seen(api, job_id)
        assert (paused["status"], paused["progress"]) == ("running", {"completed": done, "total": UNITS})
        assert paused["compute"]["used_units"] == 0
    run(api, job_id)
    assert seen(api, job_id)["status"] == "confirming"


def test_the_share_that_was_done_is_charged_when_a_running_job_is_canceled(api: Api) -> None:
    offer(api, Steps())
    job_id = submitted(api)
    for _ in range(4):
        run(api, job_id, seconds=SHORT_SECONDS)
    canceled = api.cancel(job_id).json()
    assert canceled["compute"] == {"estimated_units": UNITS, "used_units": 4}
    assert totals(api) == {**STORED, "compute.used": "4"}


def test_no_unit_is_charged_when_a_queued_job_is_canceled(api: Api) -> None:
    offer(api, Steps())
    canceled = api.cancel(submitted(api)).json()
    assert canceled["compute"] == {"estimated_units": UNITS, "used_units": 0}
    assert totals(api) == STORED


def test_the_share_that_was_done_is_charged_when_the_input_is_at_fault(api: Api) -> None:
    offer(api, Steps(fails_at=3, error=JobError("The fourth is wrong.")))
    job_id = submitted(api)
    run(api, job_id)
    failed = seen(api, job_id)
    assert (failed["error"]["code"], failed["error"]["detail"]) == ("job_error", "The fourth is wrong.")
    assert failed["compute"]["used_units"] == 3
    assert totals(api) == {**STORED, "compute.used": "3"}


def test_a_job_fails_when_its_run_takes_more_than_it_may(api: Api) -> None:
    offer(api, Steps(fails_at=3, error=MemoryError()))
    job_id = submitted(api)
    run(api, job_id)
    failed = seen(api, job_id)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "run_limit_exceeded")
    assert (failed["error"]["status"], failed["error"]["retryable"]) == (422, False)


def test_nothing_is_owed_when_a_job_does_not_begin_in_its_time(api: Api) -> None:
    job = api.submit(deadline_seconds=60).json()
    api.stack.clock.advance(60)
    api.container.sweep()
    expired = seen(api, job["id"])
    assert (expired["status"], expired["error"]["code"]) == ("failed", "deadline_exceeded")
    assert "costs nothing" in expired["error"]["detail"]
    assert totals(api) == {"job.accepted": "1", "job.waived": "1"}
    assert invoiced(api) == 0


def test_the_share_that_was_done_is_owed_when_a_job_does_not_end_in_its_time(api: Api) -> None:
    offer(api, Steps())
    job_id = submitted(api, deadline_seconds=60)
    run(api, job_id, seconds=SHORT_SECONDS)
    api.stack.clock.advance(60)
    run(api, job_id)
    failed = seen(api, job_id)
    assert (failed["error"]["code"], failed["compute"]["used_units"]) == ("deadline_exceeded", 1)
    assert totals(api) == {**STORED, "compute.used": "1"}


def test_nothing_is_owed_when_the_platform_cannot_run_a_job(api: Api) -> None:
    offer(api, Steps(fails_at=3, error=RuntimeError("a defect")))
    job_id = submitted(api)
    for _ in range(MAX_ATTEMPTS):
        run(api, job_id)
        api.stack.clock.advance(RETRY_CAP_SECONDS)
    failed = seen(api, job_id)
    assert (failed["error"]["code"], failed["error"]["retryable"]) == ("attempts_exhausted", True)
    assert failed["compute"]["used_units"] == 0
    assert invoiced(api) == 0


def test_the_estimate_comes_with_the_run_when_the_input_was_uploaded(api: Api) -> None:
    body = b'{"rounds":3,"seed":"0x%s"}' % (b"00" * 32)
    document = {"type": "sha256.chain", "input_upload": api.upload(body)}
    headers = {**api.bearer(), "Idempotency-Key": "k1"}
    job = api.http.post("/v1/jobs", json=document, headers=headers).json()
    assert job["compute"] == {"estimated_units": None, "used_units": 0}
    run(api, job["id"])
    assert seen(api, job["id"])["compute"] == {"estimated_units": 1, "used_units": 1}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, timedelta(days=1)),
        ({"deadline_seconds": 1}, timedelta(seconds=1)),
        ({"deadline_seconds": 604_800}, timedelta(days=7)),
    ],
)
def test_the_deadline_is_told_when_a_job_is_accepted(
    api: Api, members: dict[str, int], expected: timedelta
) -> None:
    ref = JobRef(ACME, submitted(api, **members))
    stored = api.container.get_job(ref)
    assert stored.deadline_at == stored.created_at + expected
    told = seen(api, ref.job_id)["deadline_at"]
    assert told == stored.deadline_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
