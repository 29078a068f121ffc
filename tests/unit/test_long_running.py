"""A long-running job as its tenant sees it: versions, times, validators, and cancels."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.errors import JobNotCancelable, JobNotFound
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.lease import LEASE
from chalicelib.web.answers import etag, problem_answer
from chalicelib.web.handlers import jobs
from chalicelib.web.http import Response
from tests.unit.long_running import TERMINAL, cancel, confirm, get, ids, reach, request, submit
from tests.unit.test_cancel_job import Interposed
from tests.unit.world import START, World, take


def test_versions_rise_by_one_and_every_state_has_its_time_when_a_job_goes_all_the_way(world: World) -> None:
    ref = world.submit().job_ref
    seen = [json.loads(get(world, ref).body)]
    for step in (take, lambda *_: world.clock.advance(LEASE), lambda w, r: w.run_job(r), confirm):
        world.clock.advance(timedelta(seconds=1))
        step(world, ref)
        seen.append(json.loads(get(world, ref).body))
    assert [(job["status"], job["version"]) for job in seen] == [
        ("queued", 1),
        ("running", 2),
        ("running", 2),  # taken over by another worker, which is no transition
        ("confirming", 3),
        ("succeeded", 4),
    ]
    entered = seen[-1]["entered"]
    assert set(entered) == {"queued", "running", "confirming", "succeeded"}
    moments = [entered[status] for status in ("queued", "running", "confirming", "succeeded")]
    assert moments == sorted(moments)
    assert all(job["entered"].items() <= entered.items() for job in seen)
    assert datetime.fromisoformat(moments[0]) == START


@pytest.mark.parametrize("status", TERMINAL, ids=ids)
def test_the_answer_never_changes_when_the_job_has_ended(world: World, status: Status) -> None:
    ref = reach(world, status)
    first = get(world, ref)
    disturbances: Iterable[Callable[[], object]] = (
        lambda: world.run_job(ref),
        lambda: world.confirm_jobs([ref]),
        lambda: world.submit(),
        lambda: world.clock.advance(timedelta(days=1)),
        world.sweep,
    )
    for disturb in disturbances:
        disturb()
        again = get(world, ref)
        assert (again.body, again.headers) == (first.body, first.headers)
    assert first.headers == {"ETag": etag(first.body)}


@pytest.mark.parametrize("status", list(Status), ids=ids)
def test_the_body_is_left_out_when_the_client_has_it(world: World, status: Status) -> None:
    ref = reach(world, status)
    whole = get(world, ref)
    spared = get(world, ref, if_none_match=whole.headers["ETag"])
    assert (whole.status, spared.status, spared.body, spared.media_type) == (200, 304, b"", None)
    assert spared.headers == whole.headers


@pytest.mark.parametrize(
    ("if_none_match", "status"),
    [("*", 304), ("W/{}", 304), ('"other", {}', 304), ('"other"', 200), ("other", 200), ("{", 200)],
)
def test_the_comparison_is_weak_and_forgiving_when_the_header_varies(
    world: World, if_none_match: str, status: int
) -> None:
    ref = world.submit().job_ref
    tag = get(world, ref).headers["ETag"]
    assert get(world, ref, if_none_match=if_none_match.replace("{}", tag)).status == status


def test_the_validator_changes_when_the_job_has_moved(world: World) -> None:
    ref = world.submit().job_ref
    accepted = get(world, ref).headers["ETag"]
    take(world, ref)
    assert get(world, ref, if_none_match=accepted).status == 200


def test_a_submits_validator_is_the_jobs_when_nothing_has_moved(world: World) -> None:
    accepted = submit(world)
    ref = JobRef(world.tenant, json.loads(accepted.body)["id"])
    assert get(world, ref, if_none_match=accepted.headers["ETag"]).status == 304


@pytest.mark.parametrize("header", ["if_none_match", "prefer"])
def test_a_job_that_is_none_is_not_found_when_the_request_is_conditional_or_patient(
    world: World, header: str
) -> None:
    ref = JobRef(world.tenant, "job_" + "0" * 26)
    with pytest.raises(JobNotFound):
        get(world, ref, **{header: {"if_none_match": "*", "prefer": "wait=9"}[header]})
    assert world.clock.now() == START


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING, Status.CANCELED], ids=ids)
def test_the_job_is_canceled_for_good_when_it_had_no_result(world: World, status: Status) -> None:
    ref = reach(world, status)
    first = cancel(world, ref)
    world.clock.advance(timedelta(hours=1))
    again = cancel(world, ref)
    assert (first.status, first.headers) == (200, {"ETag": etag(first.body)})
    assert (again.body, again.headers) == (first.body, first.headers)
    shown = get(world, ref)
    assert (shown.body, shown.headers) == (first.body, first.headers)
    document = json.loads(first.body)
    assert (document["status"], document["version"]) == (
        "canceled",
        2 if status is not Status.RUNNING else 3,
    )
    assert "canceled" in document["entered"]


@pytest.mark.parametrize("status", [Status.CONFIRMING, Status.SUCCEEDED, Status.FAILED], ids=ids)
def test_a_cancel_is_refused_with_the_state_when_it_comes_too_late(world: World, status: Status) -> None:
    ref = reach(world, status)
    before = get(world, ref)
    for _ in range(2):
        with pytest.raises(JobNotCancelable) as refusal:
            cancel(world, ref)
        answer = problem_answer(refusal.value, request())
        assert (answer.status, "Retry-After" in answer.headers) == (409, False)
        assert f"is {status} " in json.loads(answer.body)["detail"]
    assert get(world, ref).body == before.body


def test_a_cancel_is_refused_with_the_state_when_a_worker_finishes_first(world: World) -> None:
    ref = world.submit().job_ref
    use_case = replace(world.cancel_job, jobs=Interposed(world.jobs, lambda: world.run_job(ref)))
    with pytest.raises(JobNotCancelable, match="is confirming "):
        jobs.cancel_job(use_case, request(ref))
    assert world.job(ref).status is Status.CONFIRMING


def test_a_worker_writes_nothing_when_the_cancel_comes_first(world: World) -> None:
    ref = world.submit().job_ref
    canceled: list[Response] = []
    finishing = Interposed(world.jobs, lambda: None)

    def save(changes: Any) -> None:
        if changes[0].after.status is Status.CONFIRMING:
            canceled.append(cancel(world, ref))
        world.jobs.save(changes)

    finishing.save = save
    finishing.get, finishing.input_of = world.jobs.get, world.jobs.input_of
    assert replace(world.worker(), jobs=finishing)(ref, seconds=60).outcome == "superseded"
    assert [get(world, ref).body] == [each.body for each in canceled]
