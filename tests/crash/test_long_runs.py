"""A run that takes several workers: one dies wherever it hands over, and the result is that of one go."""

from functools import reduce
from hashlib import sha256

import pytest

from chalicelib.domain.job import UNSEEN_AFTER, JobRef, Status
from chalicelib.domain.lease import LEASE
from chalicelib.use_cases.attempt import STOPPING_SECONDS, STORING_SECONDS
from chalicelib.use_cases.run_job import Outcome
from tests.crash.failpoints import Failing, Failpoint
from tests.crash.scene import Scene
from tests.crash.test_confirmations import shown
from tests.unit.world import SEED, World, result_of

ROUNDS = 400_000
INPUT = {"seed": SEED, "rounds": ROUNDS}
EXPECTED = "0x" + reduce(lambda digest, _: sha256(digest).digest(), range(ROUNDS), bytes(32)).hex()
# The worker asks its run to stop as soon as it has begun.
NO_TIME = STOPPING_SECONDS + STORING_SECONDS
# Leaving out the first part, which every case has.
HAND_OVERS = [
    Failpoint("checkpoints", "put", "before"),
    Failpoint("checkpoints", "put", "after"),
    Failpoint("jobs", "save", "before", 2),
    Failpoint("jobs", "save", "after", 2),
    Failpoint("queue", "wake_runner", "before"),
    Failpoint("queue", "wake_runner", "after"),
    Failpoint("checkpoints", "get", "before"),
    Failpoint("checkpoints", "get", "after"),
    Failpoint("sandbox", "start", "after"),
]


@pytest.fixture
def ref(world: World) -> JobRef:
    """A job that a worker has begun, and paused at a checkpoint."""
    ref = world.submit(job_input=INPUT).job_ref
    assert world.run_job(ref, seconds=NO_TIME) is Outcome.PAUSED
    return ref


def ended(world: World, ref: JobRef) -> World:
    """What queue and sweep do, until the run has ended."""
    while world.job(ref).status is not Status.CONFIRMING:
        world.clock.advance(UNSEEN_AFTER)
        world.sweep()
        world.run_job(ref)
    return world


def test_a_run_goes_on_where_it_was_when_its_worker_has_no_more_time(world: World, ref: JobRef) -> None:
    before = world.job(ref)
    assert (before.status, before.is_ready, before.attempts) == (Status.RUNNING, True, 0)
    assert before.progress is not None
    assert 0 < before.progress.completed < ROUNDS
    assert world.run_job(ref) is Outcome.FINISHED
    assert (world.job(ref).lease_epoch, world.job(ref).version) == (3, 3)
    assert result_of(world, ref) == {"digest": EXPECTED, "rounds": ROUNDS}


@pytest.mark.parametrize("failpoint", shown(HAND_OVERS), ids=str)
def test_the_result_is_that_of_one_go_when_a_worker_dies_while_it_hands_over(
    scene: Scene, world: World, ref: JobRef, failpoint: Failpoint
) -> None:
    scene.crash(world, failpoint, "run_job", ref, seconds=NO_TIME)
    assert result_of(ended(world, ref), ref) == {"digest": EXPECTED, "rounds": ROUNDS}
    used = f"{ref.job_id}:compute.used"
    assert (scene.events().count(used), world.job(ref).used_units) == (1, 1)


def test_the_late_workers_checkpoint_counts_for_nothing_when_another_goes_on(
    scene: Scene, world: World, ref: JobRef
) -> None:
    def another_finishes() -> None:
        assert scene.world(world.clock.now() + LEASE).run_job(ref) is Outcome.FINISHED

    late = scene.world(world.clock.now())
    late.jobs = Failing(late.jobs, Failpoint("jobs", "save", "before", 2), another_finishes)
    assert late.run_job(ref, seconds=NO_TIME) is Outcome.SUPERSEDED
    assert world.job(ref).status is Status.CONFIRMING
    assert result_of(world, ref) == {"digest": EXPECTED, "rounds": ROUNDS}


def test_one_end_wins_when_a_paused_job_is_canceled(scene: Scene, world: World, ref: JobRef) -> None:
    paused = world.job(ref)
    assert world.cancel_job(ref).status is Status.CANCELED
    assert world.run_job(ref) is Outcome.NOTHING_TO_DO
    assert (scene.counted("active"), world.job(ref).used_units) == (0, paused.units_so_far)
