"""A task queue on disk with worker processes, as a peer of the whole way: huey over SQLite.

It runs the same job type and keeps the results; it has no HTTP, no isolation, no metering and no chain.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from huey import SqliteHuey
from huey.api import TaskWrapper

from chalicelib.adapters.memory_logs import MemoryLogs
from chalicelib.domain.polling import WORKERS
from chalicelib.job_types.contract import Context
from chalicelib.job_types.sha256_chain import JOB_TYPE
from tests.stack_process import REPOSITORY

# An idle worker looks as often as this; by its own default, up to every ten seconds.
LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 60
# Not with -m: huey knows a task by its module's name.
CONSUME = f"import sys; from {__name__} import consume; consume(sys.argv[1])"


def jobs_a_second(jobs: int, job_input: dict[str, object]) -> float:
    """From the first enqueued until the last result is read."""
    with _consumer() as task:
        warm = [task(job_input) for _ in range(2 * WORKERS)]
        for result in warm:
            result.get(blocking=True, timeout=PATIENCE_SECONDS, max_delay=LOOK_SECONDS)
        start = perf_counter()
        results = [task(job_input) for _ in range(jobs)]
        for result in results:
            result.get(blocking=True, timeout=PATIENCE_SECONDS, max_delay=LOOK_SECONDS)
        return jobs / (perf_counter() - start)


@contextmanager
def _consumer() -> Iterator[TaskWrapper]:
    """The task; its workers run in a group of their own, which ends with this."""
    with TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-c", CONSUME, folder],
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield _task(_queue(folder))
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _queue(folder: str) -> SqliteHuey:
    return SqliteHuey(filename=str(Path(folder) / "huey.db"))


def _task(queue: SqliteHuey) -> TaskWrapper:
    task: TaskWrapper = queue.task(name=JOB_TYPE.name)(_last_digest)
    return task


def _last_digest(job_input: dict[str, object]) -> object:
    run = JOB_TYPE.run(Context(input=JOB_TYPE.input_model.model_validate(job_input), chain=MemoryLogs()))
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


def consume(folder: str) -> None:
    """Runs what is enqueued, until it is killed."""
    queue = _queue(folder)
    _task(queue)
    queue.create_consumer(
        workers=WORKERS,
        worker_type="process",
        periodic=False,
        initial_delay=LOOK_SECONDS,
        max_delay=LOOK_SECONDS,
    ).run()
