"""`Prefer: wait` and `Retry-After`: how long an answer takes, and when to ask for the next."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.adapters.memory import MemoryQueue
from chalicelib.domain.errors import ActiveJobsExceeded, Unavailable
from chalicelib.domain.job import Progress, Status
from chalicelib.domain.lease import renew
from chalicelib.ports import Change
from chalicelib.use_cases.read_job import LOOK_EVERY_SECONDS
from chalicelib.web.answers import problem_answer
from tests.unit.long_running import OPEN, TERMINAL, get, ids, reach, request, retry_after, submit, waited
from tests.unit.world import ACME, World, take


@pytest.mark.parametrize(
    ("prefer", "seconds", "applied"),
    [
        ("wait=0", 0, "wait=0"),
        ("wait=3", 3, "wait=3"),
        ("wait=20", 20, "wait=20"),
        ("wait=3600", 20, "wait=20"),
        ("wait=soon", 0, None),
        ("respond-async", 0, None),
    ],
)
def test_the_answer_comes_after_the_wait_when_nothing_happens(
    world: World, prefer: str, seconds: int, applied: str | None
) -> None:
    ref = world.submit().job_ref
    answer = get(world, ref, prefer=prefer)
    assert (waited(world), answer.status) == (seconds, 200)
    assert answer.headers.get("Preference-Applied") == applied
    assert "Retry-After" in answer.headers


def test_nothing_says_that_a_preference_was_applied_when_none_was_sent(world: World) -> None:
    assert "Preference-Applied" not in get(world, world.submit().job_ref).headers


def test_the_answer_comes_at_once_when_the_job_has_ended_already(world: World) -> None:
    ref = reach(world, Status.CANCELED)
    before = waited(world)
    answer = get(world, ref, prefer="wait=20")
    assert (waited(world), answer.status) == (before, 200)
    assert answer.headers["Preference-Applied"] == "wait=20"


def test_the_answer_comes_with_the_end_when_the_job_ends_during_the_wait(world: World) -> None:
    ref = world.submit().job_ref

    def meanwhile() -> None:
        if waited(world) == 3:
            take(world, ref)
        if waited(world) == 7:
            world.cancel_job(ref)

    world.clock.meanwhile = meanwhile
    answer = get(world, ref, prefer="wait=20")
    assert (waited(world), json.loads(answer.body)["status"]) == (7, "canceled")


def test_the_answer_comes_with_the_next_change_when_the_client_names_what_it_has(world: World) -> None:
    ref = world.submit().job_ref
    tag = get(world, ref).headers["ETag"]
    world.clock.meanwhile = lambda: take(world, ref) if waited(world) == 3 else None
    answer = get(world, ref, prefer="wait=20", if_none_match=tag)
    assert (waited(world), answer.status, json.loads(answer.body)["status"]) == (3, 200, "running")


def test_progress_is_a_change_when_the_client_names_what_it_has(world: World) -> None:
    ref = reach(world, Status.RUNNING)
    tag, before = get(world, ref).headers["ETag"], waited(world)

    def heartbeat() -> None:
        job = world.job(ref)
        world.jobs.save([Change(job, renew(replace(job, progress=Progress(1, 2)), now=world.clock.now()))])

    world.clock.meanwhile = heartbeat
    answer = get(world, ref, prefer="wait=20", if_none_match=tag)
    assert waited(world) - before == LOOK_EVERY_SECONDS
    assert json.loads(answer.body)["progress"] == {"completed": 1, "total": 2}


def test_the_body_is_left_out_when_the_wait_was_in_vain(world: World) -> None:
    ref = world.submit().job_ref
    tag = get(world, ref).headers["ETag"]
    answer = get(world, ref, prefer="wait=2", if_none_match=tag)
    assert (waited(world), answer.status, answer.body) == (2, 304, b"")
    assert answer.headers["Preference-Applied"] == "wait=2"


def test_the_wait_is_for_the_end_when_the_condition_is_malformed_or_met_by_anything(world: World) -> None:
    ref = world.submit().job_ref
    for n, (condition, status) in enumerate((("*", 304), ("no tag", 200)), start=1):
        assert get(world, ref, prefer="wait=1", if_none_match=condition).status == status
        assert waited(world) == n


@pytest.mark.parametrize("status", OPEN, ids=ids)
def test_every_answer_says_when_to_ask_again_when_the_job_can_still_change(
    world: World, status: Status
) -> None:
    ref = reach(world, status)
    assert 1 <= retry_after(get(world, ref)) <= 30
    assert 1 <= retry_after(get(world, ref, if_none_match="*")) <= 30


@pytest.mark.parametrize("status", TERMINAL, ids=ids)
def test_no_answer_says_when_to_ask_again_when_the_job_has_ended(world: World, status: Status) -> None:
    ref = reach(world, status)
    assert all("Retry-After" not in get(world, ref, if_none_match=tag).headers for tag in ("*", '"other"'))


def test_retry_after_follows_the_queue_when_it_grows_and_drains(world: World) -> None:
    queue = world.queue
    assert isinstance(queue, MemoryQueue)
    ref = world.submit("k0").job_ref
    seen = []
    for depth in (1, 20, 60, 10_000, 60, 20, 1):
        queue.run[:] = [ref] * depth
        seen.append((retry_after(submit(world)), retry_after(get(world, ref))))
    assert seen == [(1, 1), (5, 5), (15, 15), (30, 30), (15, 15), (5, 5), (1, 1)]


def test_retry_after_is_longer_when_runs_take_longer(world: World) -> None:
    queue = world.queue
    assert isinstance(queue, MemoryQueue)
    ref = world.submit().job_ref
    queue.run[:] = [ref] * 8
    before = retry_after(get(world, ref))
    for _ in range(3):
        world.backlogs.add_run(5.0)
    assert (before, retry_after(get(world, ref))) == (2, 10)
    world.clock.advance(timedelta(minutes=2))
    assert retry_after(get(world, ref)) == 2  # what was two minutes ago counts no more


def test_a_run_is_counted_with_its_time_when_a_worker_has_ended_it(world: World) -> None:
    ref = world.submit().job_ref
    ticking = world.clock.monotonic
    world.clock.monotonic = lambda: (world.clock.advance(timedelta(seconds=1)), ticking())[1]
    world.run_job(ref)
    assert world.backlogs.of_runs(ACME).drained_per_second < 4


def test_a_job_is_finished_when_its_run_cannot_be_counted(world: World) -> None:
    world.backlogs = Uncounted()
    assert reach(world, Status.CONFIRMING)


def test_requests_succeed_when_the_backlog_cannot_be_read(world: World) -> None:
    world.backlogs = Uncounted()
    assert retry_after(submit(world)) == 1
    assert retry_after(get(world, world.submit().job_ref)) == 1


def test_a_refused_submit_says_when_a_job_may_have_ended_when_too_many_are_active(world: World) -> None:
    queue = world.queue
    assert isinstance(queue, MemoryQueue)
    world.plan = replace(world.plan, active_jobs=1)
    ref = world.submit().job_ref
    waits = []
    for depth in (1, 40):
        queue.run[:] = [ref] * depth
        with pytest.raises(ActiveJobsExceeded) as refusal:
            submit(world, "k2")
        waits.append(retry_after(problem_answer(refusal.value, request())))
    assert waits == [5, 14]


class Uncounted:
    """The `Backlogs` port while its services are down."""

    def of_runs(self, *_tenant: str) -> Any:
        raise Unavailable("down")

    of_confirmations = of_runs

    def add_run(self, seconds: float) -> None:
        raise Unavailable("down")
