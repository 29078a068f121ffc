"""The stack's one port: API Gateway's data and control plane, the clock, the reference, every other AWS API.

The signature's scope, or the path where nothing is signed, says who answers. AWS APIs block, so they run in a
pool of threads; the data plane runs in the event loop, which keeps its counters exact without a lock.
"""

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO
from urllib.parse import quote, unquote

from emulation import presigned
from emulation.aws import Aws
from emulation.clock import Clock, ManualClock
from emulation.connection import Application
from emulation.docs import Docs
from emulation.forwarding import Forwarder
from emulation.gateway.authorizer import Authorizers
from emulation.gateway.control_plane import ControlPlane
from emulation.gateway.exchange import Invoke
from emulation.gateway.live_operations import LiveOperations
from emulation.gateway.observation import moment_text
from emulation.gateway.pipeline import PAYLOAD_LIMIT_BYTES, Gateway
from emulation.gateway.token_bucket import Limit
from emulation.gateway.usage import Ledger
from emulation.gateway.usage_store import UsageFile
from emulation.gateway.view_compiler import ACCOUNT_LIMIT
from emulation.http import Request, Response
from emulation.http_server import HttpServer
from emulation.request_reader import declared_bytes

# As many AWS requests run at once: enough to keep two cores busy, and one for each function that runs.
THREADS = 32
# As many receives wait at once, in threads of their own, so that long polls keep nothing else waiting.
LONG_POLLS = 256
# More than the 100 MiB of a job's input, and with five at once well within a disk; S3 itself takes 5 GiB.
OBJECT_LIMIT_BYTES = 128 * 1024 * 1024
# No query of SQS is longer; what is, is an object, and looking through it would keep the others waiting.
QUERY_LIMIT_BYTES = 2 * 1024 * 1024
# A stop waits this long for requests in flight, then answers them with 503.
GRACE_SECONDS = 1.0

_DATA_PLANE = (
    re.compile(r"/_aws/execute-api/(?P<api>[^/]+)/(?P<stage>[^/]+)(?P<path>/.*)?"),
    re.compile(r"/restapis/(?P<api>[^/]+)/(?P<stage>[^/]+)/_user_request_(?P<path>/.*)?"),
)
# What a path may hold as it is (RFC 3986 §3.3). Anything else is encoded before templates and logs see it: a
# quotation mark would end the text that `$context.path` stands in.
_PATH_CHARACTERS = "/%:@!$&'()*+,;=~"
_CLOCK_PATH = "/_aws/clock"
_USAGE_PATH = "/_aws/usage"
_SCOPE = re.compile(r"Credential=[^/,]+/[^/,]+/[^/,]+/([^/,]+)/aws4_request")
_CONTROL_PATH = re.compile(r"/(restapis|usageplans|apikeys)(/|$)")


class Edge:
    """Serves the stack on one port, from `start` to `stop`.

    With `aws_endpoint` every AWS API but API Gateway is passed on there unchanged; with a `usage_file` the
    counters outlast the edge.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        aws: Aws | None = None,
        aws_endpoint: str | None = None,
        invoke: Invoke | None = None,
        access_log: TextIO | None = None,
        usage_file: UsageFile | None = None,
        account: Limit = ACCOUNT_LIMIT,
    ) -> None:
        self._clock = clock
        self._aws = aws or Aws(clock)
        self._forwarder = Forwarder(aws_endpoint) if aws_endpoint else None
        self._docs: Docs | None = None
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="aws")
        self._receives = ThreadPoolExecutor(LONG_POLLS, thread_name_prefix="receive")
        ledger, authorizers = Ledger(usage_file), Authorizers()
        self._control = ControlPlane(usage_file)
        view = self._control.view
        self._live = LiveOperations(
            clock=clock, view=view, ledger=ledger, authorizers=authorizers, account=account
        )
        self._gateway = Gateway(
            clock=clock,
            view=view,
            ledger=ledger,
            authorizers=authorizers,
            log=access_log,
            account=account,
        )
        self._server = HttpServer(Application(answer=self._respond, body_limit=_body_limit))
        if invoke is not None:
            self.attach(invoke)

    def attach(self, invoke: Invoke) -> None:
        """Sends integrations and authorizers to `invoke` from now on; before, every function is unknown."""
        self._gateway.invoke = invoke

    def show(self, docs: Docs) -> None:
        """Answers requests for the API's reference from now on; before, its path is AWS's as any other."""
        self._docs = docs

    @property
    def in_flight(self) -> int:
        """How many requests are being read or answered."""
        return self._server.in_flight

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listens, and returns the port once requests are answered; port 0 takes any free one."""
        return await self._server.start(host, port)

    async def stop(self) -> None:
        """Frees the port, closes idle connections, and lets requests in flight end if they soon do."""
        self._aws.stop_waiting()
        await self._server.stop(grace_seconds=GRACE_SECONDS)
        if self._forwarder is not None:
            await self._forwarder.close()
        await self._gateway.close()
        for pool in (self._pool, self._receives):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _respond(self, request: Request) -> Response:
        target = _data_plane_target(request.path)
        if target is None:
            return await self._answer(request)
        api_id, stage, path = target
        return await self._gateway.answer(request, api_id=api_id, stage_name=stage, path=path)

    async def _answer(self, request: Request) -> Response:
        if _is_beyond(request, OBJECT_LIMIT_BYTES):
            return presigned.too_large()
        if request.path == _CLOCK_PATH:
            return _answer_clock(request, self._clock)
        if request.path == _USAGE_PATH and request.method == "GET":
            return self._live.observe()
        if _is_control_plane(request):
            return self._live.answer(request) or await _in_thread(self._pool, self._control, request)
        if self._docs is not None and self._docs.covers(request):
            return self._docs.answer(request)
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
            path = quote(found["path"] or "/", safe=_PATH_CHARACTERS, encoding="latin-1")
            return found["api"], unquote(found["stage"]), path
    return None


def _body_limit(path: str) -> int:
    return OBJECT_LIMIT_BYTES if _data_plane_target(path) is None else PAYLOAD_LIMIT_BYTES


def _is_beyond(request: Request, limit_bytes: int) -> bool:
    read = request.file.tell() if request.file else len(request.body)
    return max(read, declared_bytes(request.headers)) > limit_bytes


def _is_control_plane(request: Request) -> bool:
    scope = _SCOPE.search(request.header("authorization") or "")
    if scope is not None:
        return scope[1] == "apigateway"
    return _CONTROL_PATH.match(request.path) is not None


def _is_receive(request: Request) -> bool:
    """Whether it may be a long poll, in either of SQS's protocols: JSON has a target, a query its action."""
    target = request.header("x-amz-target")
    if target:
        return target == "AmazonSQS.ReceiveMessage"
    return len(request.body) <= QUERY_LIMIT_BYTES and b"Action=ReceiveMessage" in request.body


def _answer_clock(request: Request, clock: Clock) -> Response:
    """`GET` tells the time of the stack; `POST` with `advance_seconds` moves a manual clock."""
    if request.method == "GET":
        return _json(200, {"now": moment_text(clock.now())})
    if request.method != "POST":
        return _json(405, {"message": "the clock answers GET and POST"})
    if not isinstance(clock, ManualClock):
        message = "the clock follows the system; start the stack with a manual clock to move it"
        return _json(409, {"message": message})
    try:
        clock.advance(float(json.loads(request.body)["advance_seconds"]))
    except (ValueError, TypeError, KeyError) as error:
        return _json(400, {"message": f"advance_seconds is a number of seconds, 0 or more: {error}"})
    return _json(200, {"now": moment_text(clock.now())})


def _json(status: int, body: dict[str, str]) -> Response:
    return Response(status, (("Content-Type", "application/json"),), json.dumps(body).encode())
