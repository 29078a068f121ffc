"""Canceling against everything that may happen at the same time: exactly one end wins."""

from dataclasses import replace

import pytest

from chalicelib.adapters.memory import MemoryJobs
from chalicelib.domain.errors import JobNotCancelable, JobNotFound
from chalicelib.domain.job import JobRef, Progress, Status
from chalicelib.domain.lease import renew
from chalicelib.ports import Change
from tests.unit.world import World, give_up, take


def test_a_queued_job_never_runs_when_it_is_canceled(world: World) -> None:
    ref = world.submit().job_ref
    assert world.cancel_job(ref).status is Status.CANCELED
    world.run_job(ref)
    assert world.job(ref).status is Status.CANCELED


def test_the_answer_is_the_same_when_a_cancel_is_repeated(world: World) -> None:
    ref = world.submit().job_ref
    assert world.cancel_job(ref) == world.cancel_job(ref)
    assert world.jobs.count(ref.tenant_id, "active") == 0


def test_a_cancel_is_refused_when_the_result_is_stored(world: World) -> None:
    ref = world.confirming()
    with pytest.raises(JobNotCancelable, match="confirming"):
        world.cancel_job(ref)
    assert world.job(ref).status is Status.CONFIRMING


def test_a_cancel_finds_nothing_when_the_job_is_another_tenants(world: World) -> None:
    ref = world.submit().job_ref
    with pytest.raises(JobNotFound) as other:
        world.cancel_job(JobRef("ten_globex", ref.job_id))
    with pytest.raises(JobNotFound) as none:
        world.cancel_job(JobRef("ten_globex", "job_none"))
    assert str(other.value) == str(none.value)


@pytest.mark.parametrize(
    ("rival", "end"),
    [
        ("a finishing worker", JobNotCancelable),
        ("a starting worker", Status.CANCELED),
        ("a second cancel", Status.CANCELED),
        ("a replayed submit", Status.CANCELED),
        ("a sweep that gives up", JobNotCancelable),
    ],
)
def test_one_end_wins_when_a_rival_is_between_the_cancels_read_and_write(
    world: World, rival: str, end: object
) -> None:
    ref = world.submit().job_ref
    rivals = {
        "a finishing worker": lambda: world.run_job(ref),
        "a starting worker": lambda: take(world, ref),
        "a second cancel": lambda: world.cancel_job(ref),
        "a replayed submit": lambda: world.submit(),
        "a sweep that gives up": lambda: give_up(world, ref),
    }
    cancel = world.cancel_job
    world_jobs = world.jobs
    object.__setattr__(cancel, "jobs", Interposed(world_jobs, rivals[rival]))
    if end is JobNotCancelable:
        with pytest.raises(JobNotCancelable):
            cancel(ref)
    else:
        assert cancel(ref).status is end
    job = world.job(ref)
    assert job.is_terminal or job.status is Status.CONFIRMING
    assert world.jobs.count(ref.tenant_id, "active") == (0 if job.is_terminal else 1)


def test_the_answer_has_the_progress_of_meanwhile_when_a_heartbeat_comes_between_read_and_write(
    world: World,
) -> None:
    ref = world.submit().job_ref
    take(world, ref)
    progress = Progress(completed=2, total=3)

    def beat() -> None:
        job = world.job(ref)
        world.jobs.save([Change(job, renew(replace(job, progress=progress), now=world.clock.now()))])

    canceling = replace(world.cancel_job, jobs=Interposed(world.jobs, beat))
    answer = canceling(ref)
    assert (answer.status, answer.progress) == (Status.CANCELED, progress)
    assert answer == world.cancel_job(ref) == world.job(ref)


class Interposed:
    """Jobs whose first `save` comes after something else."""

    def __init__(self, jobs: MemoryJobs, meanwhile: object) -> None:
        self._jobs = jobs
        self._meanwhile = [meanwhile]

    def save(self, changes: object) -> None:
        if self._meanwhile:
            self._meanwhile.pop()()
        self._jobs.save(changes)
