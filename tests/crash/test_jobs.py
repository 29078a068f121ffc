"""Submitting, running and canceling, made to happen: a process dies there, and what must follow follows.

Long runs, which take several workers, are in `test_long_runs`.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from hashlib import sha256
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from chalicelib.adapters.dynamodb import CONFLICT_ROUNDS, Tables
from chalicelib.adapters.dynamodb_jobs import DynamoDbJobs
from chalicelib.domain.errors import Superseded, Unavailable
from chalicelib.domain.job import UNSEEN_AFTER, JobRef, Status
from chalicelib.domain.lease import LEASE, MAX_ATTEMPTS, reason_to_fail
from chalicelib.use_cases.run_job import Outcome
from tests.conformance.real_ports import client
from tests.crash.failpoints import Failing, Failpoint
from tests.crash.scene import Scene
from tests.unit.world import World, take

EXPECTED = {"digest": "0x" + reduce(lambda d, _: sha256(d).digest(), range(3), bytes(32)).hex(), "rounds": 3}


def swept(world: World, scene: Scene, queue: str) -> list[tuple[JobRef, ...]]:
    """What the sweep sends a minute after a crash, whatever was sent before."""
    scene.messages(queue)
    world.clock.advance(UNSEEN_AFTER)
    world.sweep()
    return scene.messages(queue)


# Submit


def test_nothing_is_stored_when_a_submit_dies_before_the_commit(scene: Scene, world: World) -> None:
    scene.crash(world, Failpoint("jobs", "admit", "before"), "submit")
    assert scene.stored("jobs", scene.tenant) == scene.stored("idempotency", scene.tenant) == []
    assert scene.counted("active") == 0
    assert not world.submit().is_replay


@pytest.mark.parametrize(
    "failpoint",
    [
        Failpoint("jobs", "admit", "after"),
        Failpoint("queue", "wake_runner", "before"),
        Failpoint("queue", "wake_runner", "after"),
        Failpoint("jobs", "save", "before"),
        Failpoint("jobs", "save", "after"),
    ],
    ids=str,
)
def test_the_job_is_accepted_once_when_a_submit_dies_after_the_commit(
    scene: Scene, world: World, failpoint: Failpoint
) -> None:
    scene.crash(world, failpoint, "submit")
    retry = world.submit()
    assert retry.is_replay
    assert json.loads(retry.body)["id"] == retry.job_ref.job_id
    assert [row["job_id"] for row in scene.stored("jobs", scene.tenant)] == [retry.job_ref.job_id]
    assert (scene.counted("active"), scene.counted("admitted#2026-11")) == (1, 1)
    assert scene.events() == [f"{retry.job_ref.job_id}:job.accepted"]


def test_the_sweep_sends_the_message_when_a_submit_dies_before_sending(scene: Scene, world: World) -> None:
    scene.crash(world, Failpoint("queue", "wake_runner", "before"), "submit")
    ref = world.submit().job_ref
    assert scene.messages("jobs-run") == []
    assert swept(world, scene, "jobs-run") == [(ref,)]


def test_the_second_message_does_nothing_when_a_submit_dies_after_sending(scene: Scene, world: World) -> None:
    scene.crash(world, Failpoint("queue", "wake_runner", "after"), "submit")
    first = scene.messages("jobs-run")
    second = swept(world, scene, "jobs-run")
    assert len(first) == len(second) == 1
    assert [world.run_job(refs[0]) for refs in first + second] == [Outcome.FINISHED, Outcome.NOTHING_TO_DO]


def test_the_table_decides_when_every_answer_of_the_commit_is_lost(scene: Scene, world: World) -> None:
    dynamodb = client("dynamodb", endpoint=scene.endpoint)
    session = URLLib3Session()

    def lose(request: object, **_: object) -> None:
        session.send(request)
        raise ConnectionClosedError(endpoint_url=scene.endpoint)

    dynamodb.meta.events.register("before-send.dynamodb.TransactWriteItems", lose)
    world.jobs = DynamoDbJobs(Tables(dynamodb, backoff=lambda _: None))
    assert not world.submit().is_replay
    assert (len(scene.stored("jobs", scene.tenant)), scene.counted("active")) == (1, 1)


# Run

RUN_POINTS = [
    Failpoint("jobs", "get", "before"),
    Failpoint("jobs", "save", "before", 1),
    Failpoint("jobs", "save", "after", 1),
    Failpoint("jobs", "input_of", "after"),
    Failpoint("sandbox", "start", "after"),
    Failpoint("payloads", "put", "before"),
    Failpoint("payloads", "put", "after"),
    Failpoint("jobs", "save", "before", 2),
]


@pytest.mark.parametrize("failpoint", RUN_POINTS, ids=str)
def test_the_job_is_run_again_when_a_worker_dies_before_the_result_is_committed(
    scene: Scene, world: World, failpoint: Failpoint
) -> None:
    ref = world.submit().job_ref
    scene.crash(world, failpoint, "run_job", ref)
    assert swept(world, scene, "jobs-run") == [(ref,)]
    assert world.run_job(ref) is Outcome.FINISHED
    job = world.job(ref)
    leased_before = failpoint not in RUN_POINTS[:2]
    # The sweep, too, ends a lease: what its holder does late was done under an older one.
    assert (job.status, job.version, job.lease_epoch) == (Status.CONFIRMING, 3, 3 if leased_before else 1)
    assert json.loads(world.get_result(ref).content) == EXPECTED


@pytest.mark.parametrize(
    "failpoint",
    [
        Failpoint("jobs", "save", "after", 2),
        Failpoint("queue", "wake_confirmer", "before"),
        Failpoint("queue", "wake_confirmer", "after"),
    ],
    ids=str,
)
def test_the_job_is_never_run_again_when_a_worker_dies_after_the_result_is_committed(
    scene: Scene, world: World, failpoint: Failpoint
) -> None:
    ref = world.submit().job_ref
    scene.crash(world, failpoint, "run_job", ref)
    committed = world.job(ref)
    assert swept(world, scene, "jobs-confirm") == [(ref,)]
    assert world.run_job(ref) is Outcome.NOTHING_TO_DO
    assert replace(world.job(ref), due_at=committed.due_at) == committed


def test_the_late_workers_write_loses_when_it_hangs_past_its_lease(scene: Scene, world: World) -> None:
    ref = world.submit().job_ref

    def another_finishes() -> None:
        other = scene.world(world.clock.now() + LEASE)
        assert other.run_job(ref) is Outcome.FINISHED

    late = scene.world(world.clock.now())
    late.jobs = Failing(late.jobs, Failpoint("jobs", "save", "before", 2), another_finishes)
    assert late.run_job(ref) is Outcome.SUPERSEDED
    job = world.job(ref)
    assert (job.status, job.lease_epoch) == (Status.CONFIRMING, 2)
    assert world.get_result(ref).result == job.result


# Cancel


@pytest.mark.parametrize(
    ("failpoint", "status"),
    [
        (Failpoint("jobs", "save", "before"), Status.QUEUED),
        (Failpoint("jobs", "save", "after"), Status.CANCELED),
    ],
    ids=str,
)
def test_a_cancel_has_happened_or_not_when_it_dies(
    scene: Scene, world: World, failpoint: Failpoint, status: Status
) -> None:
    ref = world.submit().job_ref
    scene.crash(world, failpoint, "cancel_job", ref)
    assert world.job(ref).status is status
    assert world.cancel_job(ref).status is Status.CANCELED
    assert scene.counted("active") == 0


def test_one_end_wins_when_a_canceled_jobs_worker_finishes_late(scene: Scene, world: World) -> None:
    ref = world.submit().job_ref
    late = scene.world(world.clock.now())
    late.jobs = Failing(late.jobs, Failpoint("jobs", "save", "before", 2), lambda: world.cancel_job(ref))
    assert late.run_job(ref) is Outcome.SUPERSEDED
    assert world.job(ref).status is Status.CANCELED


def test_one_end_wins_when_a_canceled_job_is_given_up(scene: Scene, world: World) -> None:
    ref = world.submit().job_ref
    for _ in range(MAX_ATTEMPTS):
        take(world, ref)
        world.clock.advance(LEASE)
    late = world.job(ref)
    world.cancel_job(ref)
    reason = reason_to_fail(late, now=world.clock.now())
    assert reason is not None
    with pytest.raises(Superseded):
        world.give_up(late, reason, now=world.clock.now())
    assert (world.job(ref).status, scene.counted("active")) == (Status.CANCELED, 0)
    assert scene.messages("jobs-run-dead") == []


# Conflicts, which the real service has and the emulator's lock hides


class Body(io.BytesIO):
    """A response's body as botocore reads it."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


def meet(dynamodb: Any, times: int) -> None:
    """The first `times` transactions meet another on the claim's row, and a limit seems to be spent."""
    reasons = [{"Code": "TransactionConflict"}, {"Code": "ConditionalCheckFailed"}]
    error = {"__type": "x#TransactionCanceledException", "message": "m", "CancellationReasons": reasons}
    answers = [json.dumps(error).encode()] * times

    def answer(request: Any, **_: object) -> AWSResponse | None:
        return AWSResponse(request.url, 400, {}, Body(answers.pop())) if answers else None

    dynamodb.meta.events.register("before-send.dynamodb.TransactWriteItems", answer)


def test_the_job_is_accepted_when_its_transaction_meets_others(scene: Scene, world: World) -> None:
    dynamodb = client("dynamodb", endpoint=scene.endpoint)
    waits: list[int] = []
    meet(dynamodb, CONFLICT_ROUNDS - 1)
    world.jobs = DynamoDbJobs(Tables(dynamodb, backoff=waits.append))
    assert not world.submit().is_replay
    assert waits == list(range(CONFLICT_ROUNDS - 1))


def test_the_caller_is_told_to_try_again_when_its_transaction_meets_others_for_ever(
    scene: Scene, world: World
) -> None:
    dynamodb = client("dynamodb", endpoint=scene.endpoint)
    meet(dynamodb, CONFLICT_ROUNDS)
    world.jobs = DynamoDbJobs(Tables(dynamodb, backoff=lambda _: None))
    with pytest.raises(Unavailable):
        world.submit()
    assert scene.stored("jobs", scene.tenant) == []


def test_a_lost_answer_is_not_another_workers_lease_when_the_client_retries(
    scene: Scene, world: World
) -> None:
    ref = world.submit().job_ref
    dynamodb = client("dynamodb", endpoint=scene.endpoint)
    session, lost = URLLib3Session(), []

    def lose_the_first(request: Any, **_: object) -> None:
        if not lost:
            lost.append(session.send(request))
            raise ConnectionClosedError(endpoint_url=scene.endpoint)

    dynamodb.meta.events.register("before-send.dynamodb.TransactWriteItems", lose_the_first)
    world.jobs = DynamoDbJobs(Tables(dynamodb, backoff=lambda _: None))
    assert world.run_job(ref) is Outcome.FINISHED
    assert len(lost) == 1
