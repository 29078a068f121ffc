"""The stack as its users meet it: time to ready, submit latency, accepted-to-succeeded for a load of jobs.

    python -m benchmarks.bench_api

One stack on this machine runs everything, load included, so the numbers are the whole stack's. The rate
limits of the plans are raised first, as they would hide the latency of what is admitted.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import boto3

from client.documents import Status
from client.jobs import JobsClient
from tests.stack_process import start_stack

STARTS = 3
SUBMITS = 200
JOBS = 200
INPUT = {"seed": "0x" + "00" * 32, "rounds": 1}


def main() -> None:
    ready = [_seconds_to_ready() for _ in range(STARTS)]
    print(f"make up to ready: median {median(ready):.1f} s of {STARTS} starts ({_listed(ready)})")
    with TemporaryDirectory() as folder, start_stack(Path(folder) / "state") as started:
        stack = started.ready()
        _raise_limits(stack["edge_url"])
        tenant = next(tenant for tenant in stack["tenants"] if tenant["plan"] == "pro")
        with JobsClient(stack["api"]["base_url"], tenant["client_id"], tenant["client_secret"]) as client:
            for clients in (1, 16):
                _submits(client, clients)
            _whole_way(client)


def _seconds_to_ready() -> float:
    with TemporaryDirectory() as folder:
        start = perf_counter()
        with start_stack(Path(folder) / "state") as started:
            started.ready()
            return perf_counter() - start


def _raise_limits(edge_url: str) -> None:
    gateway: Any = boto3.client(
        "apigateway",
        endpoint_url=edge_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    for plan in gateway.get_usage_plans(limit=500)["items"]:
        changes = [("/throttle/rateLimit", "10000"), ("/throttle/burstLimit", "10000")]
        gateway.update_usage_plan(
            usagePlanId=plan["id"],
            patchOperations=[{"op": "replace", "path": path, "value": value} for path, value in changes],
        )


def _submits(client: JobsClient, clients: int) -> None:
    """Submit to 202, then a cancel that is not timed, so that the workers stay idle."""

    def submit(_: int) -> float:
        start = perf_counter()
        submitted = client.submit("sha256.chain", {**INPUT, "rounds": 20_000_000})
        seconds = perf_counter() - start
        client.cancel(submitted.job.id)
        return seconds

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(submit, range(2 * clients)))  # the workers are warm
        start = perf_counter()
        taken = list(pool.map(submit, range(SUBMITS)))
        rate = SUBMITS / (perf_counter() - start)
    percentile = quantiles(taken, n=100)
    print(
        f"submit to 202, {clients:>2} clients: p50 {percentile[49] * 1000:.0f} ms, "
        f"p95 {percentile[94] * 1000:.0f} ms, {rate:.0f} submit-and-cancel pairs a second"
    )


def _whole_way(client: JobsClient) -> None:
    start = perf_counter()
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: client.submit("sha256.chain", INPUT).job.id, range(JOBS)))
        jobs = list(pool.map(client.wait, ids))
    elapsed = perf_counter() - start
    assert all(job.status == "succeeded" for job in jobs)
    seconds = [_seconds(job.entered[Status.QUEUED], job.entered[Status.SUCCEEDED]) for job in jobs]
    percentile = quantiles(seconds, n=100)
    print(
        f"accepted to succeeded, {JOBS} jobs at once: p50 {percentile[49]:.1f} s, "
        f"p95 {percentile[94]:.1f} s, all in {elapsed:.1f} s"
    )


def _seconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in values)


if __name__ == "__main__":
    main()
