"""The stack's one port: API Gateway's data plane and control plane, the clock, and every other AWS API.

The signature's scope, or the path where nothing is signed, says who answers. AWS APIs block, so they run in a
pool of threads; the data plane runs in the event loop, which keeps its counters exact without a lock.
"""

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TextIO
from urllib.parse import unquote

from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope

from emulation import asgi
from emulation.aws import Aws
from emulation.clock import Clock, ManualClock
from emulation.forwarding import Forwarder
from emulation.gateway.authorizer import Authorizers
from emulation.gateway.control_plane import ControlPlane
from emulation.gateway.exchange import Invoke
from emulation.gateway.live_operations import LiveOperations
from emulation.gateway.pipeline import PAYLOAD_LIMIT_BYTES, Gateway
from emulation.gateway.usage import Ledger
from emulation.http import Request, Response

# As many AWS requests run at once: enough to keep two cores busy, and one for each function that runs.
THREADS = 32
# As many receives wait at once, in threads of their own, so that long polls keep nothing else waiting.
LONG_POLLS = 256
# A stop waits this long for requests in flight, then answers them with 503. The server's own grace is longer,
# so that it has nothing left to cut off.
GRACE_SECONDS = 1.0
SERVER_GRACE_SECONDS = 2

_DATA_PLANE = (
    re.compile(r"/_aws/execute-api/(?P<api>[^/]+)/(?P<stage>[^/]+)(?P<path>/.*)?"),
    re.compile(r"/restapis/(?P<api>[^/]+)/(?P<stage>[^/]+)/_user_request_(?P<path>/.*)?"),
)
_CLOCK_PATH = "/_aws/clock"
_SCOPE = re.compile(r"Credential=[^/,]+/[^/,]+/[^/,]+/([^/,]+)/aws4_request")
_CONTROL_PATH = re.compile(r"/(restapis|usageplans|apikeys)(/|$)")


class Edge:
    """Serves the stack on one port, from `start` to `stop`.

    With `aws_endpoint` every AWS API but API Gateway is passed on there unchanged.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        aws: Aws | None = None,
        aws_endpoint: str | None = None,
        invoke: Invoke | None = None,
        access_log: TextIO | None = None,
    ) -> None:
        self._clock = clock
        self._aws = aws or Aws(clock)
        self._forwarder = Forwarder(aws_endpoint) if aws_endpoint else None
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="aws")
        self._receives = ThreadPoolExecutor(LONG_POLLS, thread_name_prefix="receive")
        ledger, authorizers = Ledger(), Authorizers()
        self._control = ControlPlane(self._aws)
        view = self._control.view
        self._live = LiveOperations(clock=clock, view=view, ledger=ledger, authorizers=authorizers)
        self._gateway = Gateway(
            clock=clock, view=view, ledger=ledger, authorizers=authorizers, log=access_log
        )
        self._serving: tuple[asgi.Server, asyncio.Task[None]] | None = None
        self._in_flight: set[asyncio.Task[Any]] = set()
        if invoke is not None:
            self.attach(invoke)

    def attach(self, invoke: Invoke) -> None:
        """Sends integrations and authorizers to `invoke` from now on; before, every function is unknown."""
        self._gateway.invoke = invoke

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listens, and returns the port once requests are answered; port 0 takes any free one."""
        listener = asgi.listen(host, port)
        server = asgi.Server(self, grace_seconds=SERVER_GRACE_SECONDS)
        serving = asyncio.create_task(server.serve([listener]))
        serving.add_done_callback(lambda _: server.ready.set())  # it may fail before it is ready
        self._serving = server, serving
        await server.ready.wait()
        if serving.done():
            self._serving = None
            listener.close()
            serving.result()
        return int(listener.getsockname()[1])

    async def stop(self) -> None:
        """Frees the port, closes idle connections, and lets requests in flight end if they soon do."""
        if self._serving is not None:
            server, serving = self._serving
            self._serving = None
            server.should_exit = True
            self._aws.stop_waiting()
            await asyncio.wait([serving], timeout=GRACE_SECONDS)
            for late in self._in_flight:
                late.cancel()
            await serving
        if self._forwarder is not None:
            await self._forwarder.close()
        for pool in (self._pool, self._receives):
            pool.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """The ASGI application; it serves HTTP alone."""
        assert scope["type"] == "http"
        request = asyncio.current_task()
        assert request is not None
        self._in_flight.add(request)
        try:
            response = await self._respond(scope, receive)
        except asgi.ClientGone:
            return
        except asyncio.CancelledError:
            if self._serving is not None:
                raise
            response = _json(503, {"message": "the edge is stopping"})
        finally:
            self._in_flight.discard(request)
        await asgi.send_response(response, scope["method"], send)

    async def _respond(self, scope: HTTPScope, receive: ASGIReceiveCallable) -> Response:
        target = _data_plane_target(asgi.raw_path(scope))
        if target is None:
            return await self._answer(await asgi.read_request(scope, receive, None))
        request = await asgi.read_request(scope, receive, PAYLOAD_LIMIT_BYTES)
        api_id, stage, path = target
        return await self._gateway.answer(request, api_id=api_id, stage_name=stage, path=path)

    async def _answer(self, request: Request) -> Response:
        if request.path == _CLOCK_PATH:
            return _answer_clock(request, self._clock)
        if _is_control_plane(request):
            return self._live.answer(request) or await _in_thread(self._pool, self._control, request)
        if self._forwarder is not None:
            return await self._forwarder.forward(request)
        pool = self._receives if _is_receive(request) else self._pool
        return await _in_thread(pool, self._aws, request)


async def _in_thread(pool: ThreadPoolExecutor, api: Aws | ControlPlane, request: Request) -> Response:
    return await asyncio.get_running_loop().run_in_executor(pool, api.handle, request)


def _data_plane_target(path: str) -> tuple[str, str, str] | None:
    """The API, the stage and the path after it, if the path is one of a deployed API."""
    for pattern in _DATA_PLANE:
        if found := pattern.fullmatch(path):
            return found["api"], unquote(found["stage"]), found["path"] or "/"
    return None


def _is_control_plane(request: Request) -> bool:
    scope = _SCOPE.search(request.header("authorization") or "")
    if scope is not None:
        return scope[1] == "apigateway"
    return _CONTROL_PATH.match(request.path) is not None


def _is_receive(request: Request) -> bool:
    """Whether it may be a long poll, in either of SQS's protocols: JSON has a target, a query its action."""
    target = request.header("x-amz-target")
    return target == "AmazonSQS.ReceiveMessage" if target else b"Action=ReceiveMessage" in request.body


def _answer_clock(request: Request, clock: Clock) -> Response:
    """`GET` tells the time of the stack; `POST` with `advance_seconds` moves a manual clock."""
    if request.method == "GET":
        return _json(200, {"now": _told(clock)})
    if request.method != "POST":
        return _json(405, {"message": "the clock answers GET and POST"})
    if not isinstance(clock, ManualClock):
        message = "the clock follows the system; start the stack with a manual clock to move it"
        return _json(409, {"message": message})
    try:
        clock.advance(float(json.loads(request.body)["advance_seconds"]))
    except (ValueError, TypeError, KeyError) as error:
        return _json(400, {"message": f"advance_seconds is a number of seconds, 0 or more: {error}"})
    return _json(200, {"now": _told(clock)})


def _told(clock: Clock) -> str:
    return datetime.fromtimestamp(clock.now(), UTC).isoformat().replace("+00:00", "Z")


def _json(status: int, body: dict[str, str]) -> Response:
    return Response(status, (("Content-Type", "application/json"),), json.dumps(body).encode())
