"""Runs under a test's hand: of a job type whose steps take the manual clock's time, or told word for word."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated

from pydantic import Field, JsonValue

from chalicelib.adapters.memory import ManualClock
from chalicelib.domain.job import JobRef, Progress
from chalicelib.job_types import JOB_TYPES
from chalicelib.job_types.contract import Context, JobInput, JobType, Run, Step
from chalicelib.ports.sandbox import Event, Work
from chalicelib.use_cases.run_job import Outcome
from tests.unit.world import World

STEPS = "test.steps"
UNITS_A_STEP = 3


class StepsInput(JobInput):
    """How many steps."""

    steps: Annotated[int, Field(ge=1)]


@dataclass(slots=True, kw_only=True)
class Steps:
    """A job type whose steps take a second each. `began` tells after which step each of its runs began."""

    clock: ManualClock
    seconds: float = 1.0
    version: int = 1
    can_go_on: bool = True
    on_step: Callable[[int], object] = lambda _: None
    began: list[int] = field(default_factory=list)

    @property
    def job_types(self) -> Mapping[str, JobType]:
        """All job types, and this one."""
        mine = replace(
            JOB_TYPES["sha256.chain"],
            name=STEPS,
            version=self.version,
            input_model=StepsInput,
            cost=lambda job_input: UNITS_A_STEP * job_input.steps,
            run=self._run,
        )
        return {**JOB_TYPES, STEPS: mine}

    def _run(self, context: Context[StepsInput]) -> Run:
        done = int(context.checkpoint or b"0")
        self.began.append(done)
        while done < context.input.steps:
            self.clock.pause(self.seconds)
            done += 1
            self.on_step(done)
            checkpoint = partial(str(done).encode) if self.can_go_on else None
            yield Step(Progress(done, context.input.steps), checkpoint)
        return {"steps": done, "version": self.version}


def steps_of(world: World, **changes: object) -> Steps:
    """The world's own job type of steps, from now on."""
    steps = Steps(clock=world.clock, **changes)
    world.job_types = steps.job_types
    return steps


def submit_steps(world: World, count: int, key: str = "k1", **submission: object) -> JobRef:
    """A job of so many steps."""
    job_input: JsonValue = {"steps": count}
    return world.submit(key, job_type=STEPS, job_input=job_input, **submission).job_ref


def slowed(job_type: JobType, clock: ManualClock, *, seconds: float) -> JobType:
    """The job type, each step of which takes so many seconds of the manual clock."""

    def run(context: Context[JobInput]) -> Run:
        steps = job_type.run(context)
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            clock.pause(seconds)
            yield step

    return replace(job_type, run=run)


def run_on(world: World, ref: JobRef, *, invocations: int = 100) -> list[Outcome]:
    """What came of each message for the job, until one was not that it goes on or is tried again."""
    outcomes: list[Outcome] = []
    while not outcomes or outcomes[-1] in (Outcome.PAUSED, Outcome.RETRIED):
        assert len(outcomes) < invocations, "it never ends"
        outcomes.append(world.run_job(ref))
    return outcomes


class Dies(BaseException):
    """The whole function is gone: nothing in it is told."""


def dies_at(steps: Steps, step: int) -> None:
    """The worker's end, when its run comes to this step."""

    def on_step(done: int) -> None:
        if done == step:
            raise Dies

    steps.on_step = on_step


Word = Event | None | Callable[[], Event | None]


class Scripted:
    """A sandbox whose runs say what is written: an event, None for half a second's silence, or a call."""

    def __init__(self, clock: ManualClock, *scripts: Sequence[Word]) -> None:
        self._clock = clock
        self._scripts = [*scripts]
        self.stopped = 0
        self.killed = 0

    def start(self, work: Work) -> "Scripted":
        """See `ports.Sandbox.start`."""
        self._words = [*self._scripts.pop(0)]
        return self

    def next(self, *, timeout_seconds: float) -> Event | None:
        """See `ports.Running.next`."""
        said = self._words.pop(0)
        event = said() if callable(said) else said
        if event is None:
            self._clock.pause(timeout_seconds)
        return event

    def stop(self) -> None:
        """See `ports.Running.stop`."""
        self.stopped += 1

    def kill(self) -> None:
        """See `ports.Running.kill`."""
        self.killed += 1
