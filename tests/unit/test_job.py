"""The job's graph: every path keeps to it, versions rise by one, ends are final."""

from datetime import timedelta
from itertools import product

import pytest

from chalicelib.domain import job as domain
from chalicelib.domain import lease
from chalicelib.domain.failure import Failure, FailureCode
from chalicelib.domain.job import (
    TERMINAL,
    IllegalTransition,
    Job,
    JobRef,
    Result,
    Status,
)
from tests.unit.world import START

RESULT = Result(storage_key="k", sha256="ab", salt="0x01", commitment="0x02")
CONFIRMATION = domain.Confirmation(
    chain_id=1,
    registry="0x",
    job_key="0x",
    transaction_hash="0x",
    block_number=1,
    depth=3,
    gas_used=1,
    gas_price_wei=7,
)

GRAPH = {
    (Status.QUEUED, Status.RUNNING),
    (Status.QUEUED, Status.FAILED),
    (Status.QUEUED, Status.CANCELED),
    (Status.RUNNING, Status.CONFIRMING),
    (Status.RUNNING, Status.FAILED),
    (Status.RUNNING, Status.CANCELED),
    (Status.CONFIRMING, Status.SUCCEEDED),
}

MOVES = {
    Status.RUNNING: lambda job, now: lease.lease(job, now=now),
    Status.CONFIRMING: lambda job, now: domain.finish(job, now=now, result=RESULT),
    Status.SUCCEEDED: lambda job, now: domain.succeed(job, now=now, confirmation=CONFIRMATION),
    Status.FAILED: lambda job, now: domain.fail(job, now=now, failure=Failure(FailureCode.JOB_ERROR, "no")),
    Status.CANCELED: lambda job, now: domain.cancel(job, now=now),
}


def queued() -> Job:
    return domain.new_job(
        JobRef("t", "j"), job_type="sha256.chain", plan="free", now=START, trace_id="", request_id=""
    )


@pytest.mark.parametrize("moves", [*product(sorted(MOVES), repeat=4)], ids=" ".join)
def test_every_history_lies_in_the_graph_when_four_moves_are_tried(moves: tuple[Status, ...]) -> None:
    job, now = queued(), START
    for target in moves:
        now += timedelta(minutes=1)  # every lease has run out
        try:
            after = MOVES[target](job, now)
        except IllegalTransition:
            assert (job.status, target) not in GRAPH
            continue
        is_takeover = job.status is after.status is Status.RUNNING
        assert is_takeover or (job.status, target) in GRAPH
        assert after.version == job.version + (0 if is_takeover else 1)
        assert after.lease_epoch == job.lease_epoch + (1 if target is Status.RUNNING else 0)
        assert (after.due_at is None) == (after.status in TERMINAL)
        job = after


@pytest.mark.parametrize("end", sorted(TERMINAL))
def test_nothing_changes_when_a_job_has_ended(end: Status) -> None:
    job = queued()
    path = [Status.RUNNING, Status.CONFIRMING, end] if end is Status.SUCCEEDED else [end]
    for status in path:
        job = MOVES[status](job, START)
    for move in MOVES.values():
        with pytest.raises(IllegalTransition):
            move(job, START)


def test_a_lease_cannot_be_taken_over_when_it_is_live() -> None:
    running = lease.lease(queued(), now=START)
    with pytest.raises(IllegalTransition):
        lease.lease(running, now=START + lease.LEASE - timedelta(microseconds=1))
    assert lease.lease(running, now=START + lease.LEASE).lease_epoch == 2


def test_the_sweep_looks_less_often_but_every_ten_minutes_when_a_job_waits_long() -> None:
    job = queued()
    waited = [timedelta(0), timedelta(minutes=1), timedelta(hours=1)]
    looked = [domain.postpone(job, now=START + age).due_at for age in waited]
    assert looked == [
        START + timedelta(minutes=1),
        START + timedelta(minutes=2),
        START + timedelta(minutes=70),
    ]
