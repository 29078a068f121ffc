"""Jobs in every state, and the handlers as their tenant calls them."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta

from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.job import JobRef, Status
from chalicelib.web.handlers import jobs
from chalicelib.web.http import Caller, Request, Response
from tests.unit.world import ACME, BASE_URL, SHORT, START, World, give_up, take

SUBMIT = json.dumps({"type": "sha256.chain", "input": SHORT}).encode()
TERMINAL = [Status.SUCCEEDED, Status.FAILED, Status.CANCELED]
OPEN = [Status.QUEUED, Status.RUNNING, Status.CONFIRMING]


def request(
    ref: JobRef | None = None, *, headers: Mapping[str, tuple[str, ...]] | None = None, body: bytes = b""
) -> Request:
    """A request of acme's about a job."""
    return Request(
        base_url=BASE_URL,
        route="/v1/jobs",
        path="/local/v1/jobs",
        method="GET",
        url=f"{BASE_URL}/v1/jobs",
        address="192.0.2.1",
        headers=headers or {},
        path_parameters={"job_id": ref.job_id} if ref else {},
        query={},
        body=body,
        request_id="r1",
        trace_id="t1",
        caller=Caller(tenant_id=ACME, client_id="cli_1", scopes=frozenset()),
    )


def reach(world: World, status: Status, key: str = "k1") -> JobRef:
    """A job that has come to this state in the shortest way, a second a step."""
    ref = world.submit(key).job_ref
    steps: dict[Status, list[Callable[[], object]]] = {
        Status.QUEUED: [],
        Status.RUNNING: [lambda: take(world, ref)],
        Status.CONFIRMING: [lambda: world.run_job(ref)],
        Status.SUCCEEDED: [lambda: world.run_job(ref), lambda: confirm(world, ref)],
        Status.FAILED: [lambda: give_up(world, ref)],
        Status.CANCELED: [lambda: world.cancel_job(ref)],
    }
    for step in steps[status]:
        world.clock.advance(timedelta(seconds=1))
        step()
    return ref


def confirm(world: World, ref: JobRef) -> None:
    world.confirm_jobs([ref])
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])


def get(world: World, ref: JobRef, **headers: str | tuple[str, ...]) -> Response:
    sent = {
        name.replace("_", "-"): (values,) if isinstance(values, str) else values
        for name, values in headers.items()
    }
    return jobs.get_job(world.await_job, world.estimate_wait, request(ref, headers=sent))


def cancel(world: World, ref: JobRef) -> Response:
    return jobs.cancel_job(world.cancel_job, request(ref))


def submit(world: World, key: str = "k1") -> Response:
    headers = {"content-type": ("application/json",), "idempotency-key": (key,)}
    return jobs.submit_job(world.submit_job(world.tenants), request(headers=headers, body=SUBMIT))


def retry_after(response: Response) -> int:
    return int(response.headers["Retry-After"])


def waited(world: World) -> float:
    """The seconds since the world began."""
    return (world.clock.now() - START).total_seconds()


def ids(status: Status) -> str:
    return status.value
