"""What a job costs beside its run: a job type that does nothing, through the engine and through its peers.

The engine leases, reads and validates an input, meters, stores a result and freezes a commitment; a peer
calls a function. What runs in process is beside a task queue, what is isolated beside a process a task.
"""

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from statistics import quantiles
from time import perf_counter

from huey import MemoryHuey

from benchmarks.engine_world import EMPTY, NoInput, forgetting, run, submit
from chalicelib.adapters.memory_logs import MemoryLogs
from chalicelib.adapters.sandbox import ForkedSandbox
from chalicelib.adapters.system import SystemClock
from chalicelib.job_types.contract import Context
from chalicelib.use_cases.run_job import Outcome
from tests.unit.world import INVOCATION_SECONDS, World

ROUNDS = 400
# Of the first, caches and free memory are not yet as they stay.
WARM_UP_ROUNDS = 20
IN_PROCESS, ISOLATED = "huey, in memory", "multiprocessing.Process a task"
NOTHING = Context(input=NoInput(), chain=MemoryLogs())

Way = Callable[[], Callable[[], object]]
"""Makes a job ready, untimed; calling what it gives runs the job."""

_FORK = multiprocessing.get_context("fork")


def main() -> None:
    seconds = _interleaved(
        {
            "the bare run": lambda: bare,
            IN_PROCESS: _huey(),
            "the engine, run in process": engine(forgetting()),
            "os.fork, and nothing else": lambda: _fork_alone,
            ISOLATED: lambda: process_a_task,
            "the engine, run in a forked sandbox": engine(forked()),
        }
    )
    with _pool() as way:
        seconds |= _interleaved({"multiprocessing.Pool, maxtasksperchild=1": way})
    percentiles = {name: quantiles(taken, n=100) for name, taken in seconds.items()}
    print(f"{'us a job':<44}{'p50':>10}{'p95':>10}{'of huey':>10}{'of Process':>12}")
    for name, each in percentiles.items():
        ratios = [each[49] / percentiles[peer][49] for peer in (IN_PROCESS, ISOLATED)]
        print(
            f"{name:<44}{each[49] * 1e6:>10,.1f}{each[94] * 1e6:>10,.1f}{ratios[0]:>10.2f}{ratios[1]:>12.2f}"
        )


def bare() -> None:
    """The run, called to its end."""
    for _ in run(NOTHING):
        pass


def process_a_task() -> None:
    """The run in a forked process of its own, which sends what came of it."""
    ours, theirs = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_send, args=(theirs,))
    process.start()
    theirs.close()
    ours.recv()
    process.join()
    process.close()
    ours.close()


def forked() -> World:
    """The engine as a function has it, but for its ports."""
    world = forgetting()
    world.sandbox = ForkedSandbox(monotonic=SystemClock().monotonic)
    return world


def engine(world: World) -> Way:
    """A job through `RunJob`, by one worker."""
    worker = world.worker()
    numbers = iter(range(10**9))

    def ready() -> Callable[[], object]:
        ref = submit(world, f"k{next(numbers)}")

        def work() -> None:
            assert worker(ref, seconds=INVOCATION_SECONDS).outcome is Outcome.FINISHED

        return work

    return ready


def _interleaved(ways: dict[str, Way]) -> dict[str, list[float]]:
    """The seconds of each way, all in turn, so that each meets the same machine."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    gc.collect()
    for number in range(WARM_UP_ROUNDS + ROUNDS):
        for name, way in ways.items():
            work = way()
            start = perf_counter()
            work()
            if number >= WARM_UP_ROUNDS:
                taken[name].append(perf_counter() - start)
    return taken


def _huey() -> Way:
    """A task queue without isolation: taken off its queue and run, as its worker does."""
    queue = MemoryHuey(results=True)
    task = queue.task(name=EMPTY.name)(bare)

    def ready() -> Callable[[], object]:
        task()
        return lambda: queue.execute(queue.dequeue())

    return ready


def _fork_alone() -> None:
    """The least that a process of its own costs."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _send(channel: Connection) -> None:
    bare()
    channel.send(None)


@contextmanager
def _pool() -> Iterator[Way]:
    """`concurrent.futures` has no fork a task: its `max_tasks_per_child` refuses that."""
    with _FORK.Pool(1, maxtasksperchild=1) as pool:
        yield lambda: lambda: pool.apply(bare)
