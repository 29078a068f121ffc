"""How many jobs begin before a tenant's single one, when another tenant has ten thousand in the queue."""

from itertools import count, cycle

from benchmarks.engine_world import remembering, submit
from chalicelib.domain.polling import WORKERS
from chalicelib.ports import Jobs
from tests.unit.world import GLOBEX, INVOCATION_SECONDS, Alone, World

QUEUED = 10_000
# So many that every worker has served the tenant twice.
AT_WORK = 2 * WORKERS


def main() -> None:
    print(f"{f'jobs begun before a single one, of {QUEUED:,}':<44}{'turns':>10}{'by message':>12}")
    for name, served in (("workers at work", AT_WORK), ("workers that have just begun", 0)):
        print(
            f"{name:<44}{_begun_before(served, in_turn=True):>10,}{_begun_before(served, in_turn=False):>12,}"
        )


def _begun_before(served: int, *, in_turn: bool) -> int:
    """By message, each runs the job that its message names, as a queue that is first in, first out has it."""
    world = remembering()
    workers = cycle([world.worker(turns_among=_seen(world, in_turn=in_turn)) for _ in range(WORKERS)])
    for number in range(QUEUED):
        submit(world, f"k{number}")
    messages = iter(world.queue.run)

    def serve() -> object:
        return next(workers)(next(messages), seconds=INVOCATION_SECONDS).job

    for _ in range(served):
        serve()
    single = submit(world, "single", tenant=GLOBEX)
    return next(begun for begun in count() if serve() == single)


def _seen(world: World, *, in_turn: bool) -> Jobs:
    """Which of the jobs that are ready a worker is shown; without any, it takes the named one."""
    return world.jobs if in_turn else Alone(world.jobs)
