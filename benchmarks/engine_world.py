"""The engine alone, as `bench_engine` measures it: a job type that does nothing, over ports in memory."""

from collections.abc import Sequence

from chalicelib.adapters.memory import MemoryJobs, MemoryQueue
from chalicelib.adapters.memory_backlogs import MemoryBacklogs
from chalicelib.adapters.memory_uploads import MemoryPayloads
from chalicelib.adapters.system import SystemClock
from chalicelib.domain.entitlements import Plan
from chalicelib.domain.job import JobRef, Status
from chalicelib.job_types.contract import Context, JobInput, JobType, Run
from chalicelib.ports import Change
from tests.unit.world import World

UNREACHED = Plan(
    name="test", jobs_per_month=10**9, active_jobs=10**9, spend_cap_micros=10**12, currency="USD"
)


class NoInput(JobInput):
    """Nothing."""


def run(_: Context[NoInput]) -> Run:
    """Over at once, without a step."""
    yield from ()
    return None


EMPTY = JobType(
    name="empty",
    version=1,
    title="Empty",
    description="What a job costs that does nothing is the engine's.",
    input_model=NoInput,
    example={},
    compute_unit="a run",
    cost=lambda _: 1,
    run=run,
)


class ForgettingJobs(MemoryJobs):
    """Holds no job that has run, so that what grows is not the store; one job at a time."""

    def save(self, changes: Sequence[Change]) -> None:
        """See `ports.Jobs.save`."""
        super().save(changes)
        for job in (change.after for change in changes):
            if job.status not in (Status.QUEUED, Status.RUNNING):
                del self._jobs[job.ref], self._inputs[job.ref]
                self._claims.clear()
                self._events.clear()


class ForgettingQueue(MemoryQueue):
    """Sends nothing: who measures calls the worker."""

    def wake_runner(self, ref: JobRef, *, trace_id: str, delay_seconds: int = 0) -> None:
        """See `ports.Queue.wake_runner`."""

    def wake_confirmer(self, refs: Sequence[JobRef], *, trace_id: str = "") -> None:
        """See `ports.Queue.wake_confirmer`."""


class ForgettingPayloads(MemoryPayloads):
    """Stores nothing."""

    def put(self, ref: JobRef, content: bytes) -> str:
        """See `ports.Payloads.put`."""
        key = super().put(ref, content)
        del self._contents[key]
        return key


class ForgettingBacklogs(MemoryBacklogs):
    """Counts nothing."""

    def add_run(self, seconds: float) -> None:
        """See `ports.Backlogs.add_run`."""


def remembering() -> World:
    """The engine on the machine's clock; runs are in this process."""
    return World(clock=SystemClock(), job_types={EMPTY.name: EMPTY}, plan=UNREACHED)


def forgetting() -> World:
    """The same over ports that forget each job as soon as it has run."""
    world = World(
        jobs=ForgettingJobs(),
        queue=ForgettingQueue(),
        payloads=ForgettingPayloads(),
        clock=SystemClock(),
        job_types={EMPTY.name: EMPTY},
        plan=UNREACHED,
    )
    world.backlogs = ForgettingBacklogs(ForgettingQueue(), world.clock)
    return world


def submit(world: World, key: str, tenant: str | None = None) -> JobRef:
    """A job that does nothing."""
    return world.submit(key, tenant=tenant, job_type=EMPTY.name, job_input={}).job_ref
