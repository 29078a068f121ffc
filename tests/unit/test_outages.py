"""Services that are down for a moment: whichever call it hits, the run is tried again and nothing is lost."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.lease import LEASE, MAX_ATTEMPTS, RETRY_CAP_SECONDS
from chalicelib.ports.sandbox import Began, Ended, Hindered
from chalicelib.use_cases.run_job import Outcome
from tests.crash.failpoints import Failing, Failpoint
from tests.unit.runs import UNITS_A_STEP, Scripted, Steps, steps_of, submit_steps
from tests.unit.world import INVOCATION_SECONDS, World, result_of

STEPS = 60
PORTS = ("jobs", "checkpoints", "payloads", "queue", "backlogs")


def unavailable() -> None:
    raise Unavailable("down")


def failing(world: World, failpoint: Failpoint) -> World:
    """The world as one worker finds it."""
    broken = replace(world)
    broken.sandbox, broken.backlogs, broken.ids = world.sandbox, world.backlogs, world.ids
    setattr(broken, failpoint.port, Failing(getattr(world, failpoint.port), failpoint, unavailable))
    return broken


@pytest.fixture
def steps(world: World) -> Steps:
    return steps_of(world)


@pytest.mark.parametrize(
    "failpoint",
    [
        Failpoint("jobs", "input_of", "before"),
        Failpoint("checkpoints", "get", "before"),
        Failpoint("checkpoints", "put", "before"),
        Failpoint("checkpoints", "put", "after"),
        Failpoint("jobs", "next_ready", "before", 2),
        Failpoint("payloads", "put", "before"),
        Failpoint("payloads", "put", "after"),
        *[Failpoint("jobs", "save", when, nth) for when in ("before", "after") for nth in (2, 3)],
    ],
    ids=str,
)
def test_a_run_is_tried_again_from_its_checkpoint_when_a_call_of_it_fails(
    world: World, steps: Steps, failpoint: Failpoint
) -> None:
    ref = submit_steps(world, STEPS)
    assert world.run_job(ref) is Outcome.PAUSED
    reached = world.job(ref).checkpoint.progress.completed
    ran = failing(world, failpoint).worker()(ref, seconds=INVOCATION_SECONDS)
    assert (ran.outcome, ran.detail) == (Outcome.RETRIED, "down")
    world.clock.advance(timedelta(seconds=world.queue.delays[-1]))
    assert world.run_job(ref) is Outcome.FINISHED
    assert min(steps.began[1:]) == reached
    assert result_of(world, ref)["steps"] == STEPS


@pytest.mark.parametrize(
    "failpoint",
    [
        Failpoint("jobs", "get", "before"),
        Failpoint("jobs", "next_ready", "before"),
        Failpoint("jobs", "save", "before"),
        Failpoint("jobs", "save", "after"),
    ],
    ids=str,
)
def test_the_message_comes_again_when_the_job_could_not_be_taken(
    world: World, steps: Steps, failpoint: Failpoint
) -> None:
    ref = submit_steps(world, 3)
    with pytest.raises(Unavailable):
        failing(world, failpoint).worker()(ref, seconds=INVOCATION_SECONDS)
    assert steps.began == []
    world.clock.advance(LEASE)
    assert world.run_job(ref) is Outcome.FINISHED


class Down:
    """Payloads that nobody can store."""

    def put(self, ref: JobRef, content: bytes) -> str:
        """See `ports.Payloads.put`."""
        raise Unavailable("down")


def test_no_attempt_is_used_up_when_a_service_is_down_for_longer(world: World, steps: Steps) -> None:
    ref = submit_steps(world, 3)
    broken = replace(world)
    broken.payloads = Down()
    for _ in range(4 * MAX_ATTEMPTS):
        ran = broken.worker()(ref, seconds=INVOCATION_SECONDS)
        assert (ran.outcome, ran.detail) == (Outcome.RETRIED, "down")
        assert world.queue.delays[-1] <= RETRY_CAP_SECONDS
        world.clock.advance(timedelta(seconds=world.queue.delays[-1]))
    assert world.queue.dead == []
    assert world.run_job(ref) is Outcome.FINISHED


def test_no_attempt_is_used_up_when_a_run_cannot_reach_what_it_needs(world: World) -> None:
    ref = world.submit().job_ref
    hindered = [[Began(1), Hindered("no node")]] * 4 * MAX_ATTEMPTS
    world.sandbox = Scripted(world.clock, *hindered, [Began(1), Ended(b"1")])
    for _ in hindered:
        assert world.run_job(ref) is Outcome.RETRIED
        world.clock.advance(timedelta(seconds=world.queue.delays[-1]))
    assert world.run_job(ref) is Outcome.FINISHED


@pytest.mark.parametrize("port", PORTS)
def test_the_job_ends_as_ever_when_any_one_call_fails_on_its_whole_way(port: str) -> None:
    """Each call of the port in turn, before it takes effect and after."""
    methods = called(port)
    assert methods
    for method, count in methods.items():
        for nth in range(1, count + 1):
            for when in ("before", "after"):
                play(Failpoint(port, method, when, nth))


def called(port: str) -> dict[str, int]:
    """How often each method is called when nothing fails."""
    counts: dict[str, int] = {}

    class Counting:
        def __init__(self, real: Any) -> None:
            self._real = real

        def __getattr__(self, name: str) -> Any:
            counts[name] = counts.get(name, 0) + 1
            return getattr(self._real, name)

    world = World()
    steps_of(world, seconds=10.0)
    ref = submit_steps(world, 9)
    broken = replace(world)
    broken.sandbox, broken.backlogs = world.sandbox, world.backlogs
    setattr(broken, port, Counting(getattr(world, port)))
    deliver(world, broken, ref)
    return counts


def play(failpoint: Failpoint) -> None:
    world = World()
    steps_of(world, seconds=10.0)
    ref = submit_steps(world, 9)
    deliver(world, failing(world, failpoint), ref)
    job = world.job(ref)
    assert (job.status, job.version) == (Status.CONFIRMING, 3), failpoint
    assert result_of(world, ref) == {"steps": 9, "version": 1}
    charged = {each.meter: each.quantity for each in world.jobs.events().values()}
    assert charged == {"job.accepted": 1, "compute.used": 9 * UNITS_A_STEP, "payload.stored": 1}
    assert world.jobs.next_ready(after="") is None


def deliver(world: World, broken: World, ref: JobRef) -> None:
    """Messages come, and come again when they are not answered; the sweep looks every minute."""
    worker = broken.worker()
    for _ in range(10):
        if world.job(ref).status is Status.CONFIRMING:
            return
        messages, world.queue.run[:] = [*world.queue.run], []
        for named in messages:
            try:
                worker(named, seconds=INVOCATION_SECONDS)
            except Unavailable:
                world.queue.run.append(named)
        world.clock.advance(timedelta(minutes=1))
        world.sweep()
    raise AssertionError("it never ends")
