"""Who takes part in the demo, and what each has sent."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from client.documents import ApiProblem
from client.jobs import JobsClient
from client.system import System
from client.verify import Registry
from emulation.demo.screen import CheckFailed, Screen
from emulation.demo.stack import Tenant
from emulation.settings import Project

METERED = ("/v1/jobs", "/v1/uploads")
"""What the demo calls before its usage is counted, of all that the plans meter."""


class Counting(httpx.HTTPTransport):
    """Sends requests, and counts those that the gateway let through by the usage plan that meters them."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self.let_through: Counter[str] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        is_submit = request.method == "POST" and request.url.path.endswith("/v1/jobs")
        is_metered = any(path in request.url.path for path in METERED)
        if response.status_code != httpx.codes.TOO_MANY_REQUESTS and is_metered:
            with self._lock:
                self.let_through["submit" if is_submit else "read"] += 1
        return response


@dataclass(frozen=True, slots=True)
class Party:
    """A tenant with its client, and the count of its requests."""

    tenant: Tenant
    client: JobsClient
    counting: Counting


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What every chapter may use."""

    screen: Screen
    edge_url: str
    registry: Registry
    acme: Party
    globex: Party
    project: Project
    system: System


def refusal(request: Callable[[], object]) -> ApiProblem:
    """The problem that the request is answered with; it is an error if it succeeds."""
    try:
        answer = request()
    except ApiProblem as problem:
        return problem
    raise CheckFailed(f"a request that must be refused was answered with {answer}")
