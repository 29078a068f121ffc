"""The engine on a whole stack: what it takes in a second, and how long a tenant's single job waits.

Times are the service's own, as each job shows them. One machine runs everything, the load included.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TypeVar

from benchmarks import engine_huey
from chalicelib.domain.polling import WORKERS
from chalicelib.use_cases.attempt import SLICE_SECONDS
from client.documents import ApiProblem, Job, Status
from client.jobs import JobsClient
from tests.stack_process import REPOSITORY, start_stack
from tests.waiting import until

JOBS, THREADS = 300, 8
SINGLES = 5
QUEUED = 200
SEED = "0x" + "00" * 32
SHORTEST = {"seed": SEED, "rounds": 1}
# About half a second each, and a minute: with two cores, four of them take two.
MEDIUM, LONG = ({"seed": SEED, "rounds": rounds} for rounds in (1_000_000, 120_000_000))
PATIENCE_SECONDS = 120.0
TENANTS = ("--tenant", "many:enterprise", "--tenant", "single:pro")

T, U = TypeVar("T"), TypeVar("U")


@dataclass(frozen=True, slots=True)
class Tenants:
    """One with much to do, one with a single job."""

    many: JobsClient
    single: JobsClient


def main() -> None:
    with _tenants() as tenants:
        _warm_up(tenants.many)
        _whole_way(tenants.many)
        print()
        idle = median(_waits(tenants.single))
        print(f"{'seconds until a single job begins':<44}{'median':>10}{'most':>10}{'of idle':>10}")
        _row("nothing else to do", [idle], idle)
        _beside_many(tenants, idle)
        _beside_long_ones(tenants, idle)


def _whole_way(client: JobsClient) -> None:
    def submit(_: int) -> tuple[str, float]:
        start = perf_counter()
        return client.submit("sha256.chain", SHORTEST).job.id, perf_counter() - start

    start = perf_counter()
    submitted = _at_once(submit, range(JOBS))
    submits_a_second = JOBS / (perf_counter() - start)
    jobs = [client.wait(job_id, timeout_seconds=PATIENCE_SECONDS) for job_id, _ in submitted]
    assert {job.status for job in jobs} == {Status.SUCCEEDED}
    peer = engine_huey.jobs_a_second(JOBS, SHORTEST)
    print(
        f"{f'{JOBS} shortest jobs on a stack':<44}{'a second':>10}{'p50 s':>10}{'p95 s':>10}{'of huey':>10}"
    )
    _rate("submit to 202", submits_a_second, [seconds for _, seconds in submitted], peer)
    for status in (Status.RUNNING, Status.CONFIRMING, Status.SUCCEEDED):
        waited = [_seconds(job, Status.QUEUED, status) for job in jobs]
        first = min(job.entered[Status.QUEUED] for job in jobs)
        last = max(job.entered[status] for job in jobs)
        _rate(f"accepted to {status}", JOBS / (last - first).total_seconds(), waited, peer)
    print(f"{f'huey over SQLite, {WORKERS} worker processes':<44}{peer:>10.1f}{'':>20}{1:>10.2f}")


def _beside_many(tenants: Tenants, idle: float) -> None:
    """What first in, first out would take is worked out: those that are queued, at the pace of meanwhile."""
    start = perf_counter()
    jobs = _at_once(lambda _: tenants.many.submit("sha256.chain", MEDIUM).job, range(QUEUED))
    queued = _queued(tenants.many)
    waits = _waits(tenants.single)
    pace = (QUEUED - _queued(tenants.many)) / (perf_counter() - start)
    _cancel(tenants.many, jobs)
    _row(f"another tenant has {queued} half-second ones", waits, idle)
    _row(f"… first in, first out, {pace:.1f} a second", [queued / pace], idle)


def _beside_long_ones(tenants: Tenants, idle: float) -> None:
    """Twice: when all workers have just begun, and when they are past their slices."""
    jobs = [tenants.many.submit("sha256.chain", LONG).job for _ in range(WORKERS)]
    for job in jobs:
        _begun(tenants.many, job.id)
    for name in ("that have just begun", "past their slice"):
        _row(f"{WORKERS} of another's minutes, {name}", [_wait(tenants.single)], idle)
    still = [tenants.many.get(job.id) for job in jobs]
    assert {job.status for job in still} == {Status.RUNNING}, "they are to hold the workers all along"
    _cancel(tenants.many, jobs)
    print(f"{'… at most a slice and a step':<44}{'':>10}{SLICE_SECONDS:>10.1f}")


def _warm_up(client: JobsClient) -> None:
    for job in _at_once(lambda _: client.submit("sha256.chain", SHORTEST).job, range(2 * THREADS)):
        client.wait(job.id, timeout_seconds=PATIENCE_SECONDS)


def _waits(client: JobsClient) -> list[float]:
    return [_wait(client) for _ in range(SINGLES)]


def _wait(client: JobsClient) -> float:
    """Of a new job, from accepted to running."""
    return _seconds(
        _begun(client, client.submit("sha256.chain", SHORTEST).job.id), Status.QUEUED, Status.RUNNING
    )


def _begun(client: JobsClient, job_id: str) -> Job:
    def begun() -> Job | None:
        job = client.get(job_id)
        return job if Status.RUNNING in job.entered else None

    return until(begun, within_seconds=PATIENCE_SECONDS, what="that the job begins")


def _queued(client: JobsClient) -> int:
    return sum(1 for _ in client.list(status=Status.QUEUED, page_size=100))


def _cancel(client: JobsClient, jobs: Sequence[Job]) -> None:
    """Those that have not run yet; nobody needs them any more."""

    def cancel(job: Job) -> None:
        try:
            client.cancel(job.id)
        except ApiProblem as problem:
            if problem.status != 409:
                raise

    _at_once(cancel, jobs)


def _at_once(call: Callable[[T], U], given: Sequence[T]) -> list[U]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, given))


def _seconds(job: Job, start: Status, end: Status) -> float:
    return (job.entered[end] - job.entered[start]).total_seconds()


def _rate(name: str, a_second: float, seconds: Sequence[float], peer: float) -> None:
    percentile = quantiles(seconds, n=100)
    print(
        f"{name:<44}{a_second:>10.1f}{percentile[49]:>10.2f}{percentile[94]:>10.2f}{a_second / peer:>10.2f}"
    )


def _row(name: str, seconds: Sequence[float], idle: float) -> None:
    print(f"{name:<44}{median(seconds):>10.2f}{max(seconds):>10.2f}{median(seconds) / idle:>10.1f}")


@contextmanager
def _tenants() -> Iterator[Tenants]:
    with TemporaryDirectory() as folder, start_stack(Path(folder) / "state") as started:
        stack = started.ready()
        printed = subprocess.run(
            [sys.executable, "-m", "chalicelib.admin", "provision", *TENANTS, "--json"],
            cwd=REPOSITORY,
            env={**os.environ, **stack["environment"]},
            capture_output=True,
            check=True,
        ).stdout
        made = {
            each["name"]: (each["client_id"], each["client_secret"])
            for each in json.loads(printed)["tenants"]
        }
        url = stack["api"]["base_url"]
        with JobsClient(url, *made["many"]) as many, JobsClient(url, *made["single"]) as single:
            yield Tenants(many, single)
