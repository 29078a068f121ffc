"""An edge on a real port, in a thread of its own, with a manual clock and functions that a test chooses."""

import asyncio
import io
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

import boto3
import httpx
import pytest
from botocore.config import Config
from moto.apigateway.models import apigateway_backends
from mypy_boto3_apigateway import APIGatewayClient

from emulation.aws import Aws
from emulation.clock import ManualClock
from emulation.edge import Edge
from emulation.functions import UnknownFunction
from emulation.gateway.api import ACCOUNT, REGION
from emulation.gateway.token_bucket import Limit
from emulation.gateway.view_compiler import ACCOUNT_LIMIT

# 2026-11-23T05:00:00Z, a Monday in the middle of a month.
START = 1_795_410_000.0
SESSION = boto3.Session(region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
Function = Callable[[dict[str, Any]], object]
T = TypeVar("T")


class SettableClock(ManualClock):
    """Goes back too, as a machine's clock does when somebody sets it right."""

    def set(self, now: float) -> None:
        with self._lock:
            self._now = now


class Loop:
    """An event loop that runs in a thread, so that tests can call the edge with blocking clients."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._later: list[Future[object]] = []
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.begin(work).result()

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def later(self, work: Coroutine[Any, Any, object]) -> None:
        """Begins work that only has to be over when the loop closes."""
        self._later.append(self.begin(work))

    def close(self) -> None:
        for future in self._later:
            future.result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Stack:
    """An edge, its clock, its access log, and the functions behind it."""

    def __init__(self, edge: Edge, clock: SettableClock, url: str, log: io.StringIO) -> None:
        self.edge = edge
        self.clock = clock
        self.url = url
        self.functions: dict[str, Function] = {}
        self.calls: list[tuple[str, Any]] = []
        self.http = httpx.Client(base_url=url, timeout=10, verify=False, trust_env=False)
        self.apigateway = client(url)
        self._log = log

    async def invoke(self, name: str, event: object, timeout_seconds: float) -> object:
        self.calls.append((name, event))
        function = self.functions.get(name)
        if function is None:
            raise UnknownFunction(name)
        assert isinstance(event, dict)
        return await asyncio.to_thread(function, json.loads(json.dumps(event)))  # it may call the edge

    def events(self, name: str) -> list[Any]:
        return [event for called, event in self.calls if called == name]

    def clear_log(self) -> None:
        self._log.seek(0)
        self._log.truncate()

    def close_log(self) -> None:
        self._log.close()

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_text().splitlines()]

    def log_text(self) -> str:
        return self._log.getvalue()


def client(url: str) -> APIGatewayClient:
    made: APIGatewayClient = SESSION.client(
        "apigateway",
        endpoint_url=url,
        config=Config(retries={"max_attempts": 0}),
    )
    return made


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(START)


@pytest.fixture
def account() -> Limit:
    """The account's throttle; a module overrides it where it shall bind."""
    return ACCOUNT_LIMIT


@contextmanager
def running_stack(loop: Loop, clock: SettableClock, account: Limit = ACCOUNT_LIMIT) -> Iterator[Stack]:
    """An edge whose control plane is empty; one at a time, for moto keeps its state in its modules."""
    log = io.StringIO()
    apigateway_backends[ACCOUNT][REGION].reset()
    edge = Edge(clock=clock, aws=Aws(clock), access_log=log, account=account)
    port = loop.run(edge.start("127.0.0.1", 0))
    running = Stack(edge, clock, f"http://127.0.0.1:{port}", log)
    edge.attach(running.invoke)
    yield running
    running.http.close()
    loop.later(edge.stop())


@pytest.fixture
def stack(loop: Loop, clock: SettableClock, account: Limit) -> Iterator[Stack]:
    with running_stack(loop, clock, account) as running:
        yield running
