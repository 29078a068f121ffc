"""The AWS services of the stack: moto's server application inside our process, made atomic.

A request goes to the application of its service, one at a time for each service: moto has no locks of its
own, and with many threads two conditional writes of one item would both win. What else is changed in moto
stands in the patches of `aws_dynamodb`, `aws_s3` and `aws_sqs`.

Invariant: no lock is held while somebody waits; a long poll sets its service's lock free (`aws_sqs`).
moto keeps its state in its modules, so one process has one set of services, in the time of the newest `Aws`.
"""

import io
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from emulation import aws_dynamodb, aws_patch, aws_queue, aws_s3, aws_sqs, presigned
from emulation.clock import Clock
from emulation.http import Request, Response

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# Services that moto tells by the signature's scope and the target alone, so that its answer can be kept: it
# looks for it with some 200 regular expressions. The others, S3 among them, may depend on path or host too.
TOLD_BY_SIGNATURE = frozenset({"dynamodb", "events", "kms", "secretsmanager", "sqs", "ssm", "sts"})

# What is read as fields, and no longer as a body.
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_SCOPE = re.compile(r"Credential=[^/,]+/[^/,]+/[^/,]+/([^/,]+)/aws4_request")


class Aws:
    """Answers requests to any AWS API that moto knows; safe to call from many threads.

    A mistake inside moto is answered with status 500 and logged with its traceback.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        aws_patch.require_patched_version()
        aws_patch.apply((*aws_dynamodb.patches(clock), *aws_s3.patches(clock)))
        self._stopping = threading.Event()
        aws_patch.apply(aws_sqs.patches(clock, self._stopping))
        self._dispatcher = DomainDispatcherApplication(_create_app)
        self._apps: dict[tuple[str, str], WsgiApp] = {}
        self._locks: dict[str, threading.RLock] = {"sqs": aws_queue.LOCK}

    def handle(self, request: Request) -> Response:
        """Answers one request; it waits for its turn, and in a long poll for messages."""
        refused = presigned.refusal(request, now=self._clock.now())
        if refused is not None:
            return refused
        environ = wsgi_environ(request)
        app = self._application(environ)
        if request.file is not None:
            request.file.seek(0)
        with self._locks.setdefault(app.service, threading.RLock()):
            return run_wsgi(app, environ)

    def stop_waiting(self) -> None:
        """Ends every long poll, now and later, as if its time were up."""
        self._stopping.set()

    def _application(self, environ: dict[str, Any]) -> Any:
        scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        if scope is None or scope[1] not in TOLD_BY_SIGNATURE:
            return self._dispatcher.get_application(environ)
        told_by = (scope[1], environ.get("HTTP_X_AMZ_TARGET", "").partition(".")[0])
        app = self._apps.get(told_by)
        if app is None:
            app = self._apps[told_by] = self._dispatcher.get_application(environ)
        return app


def _create_app(service: Any) -> Any:
    app = create_backend_app(service)
    app.debug = False  # moto sets it, and Flask then raises what should be a 500
    return app


def wsgi_environ(request: Request) -> dict[str, Any]:
    """The request as WSGI (PEP 3333) has it, with what moto's own server adds."""
    headers = dict(_folded(request.headers))
    host, _, port = headers.get("HTTP_HOST", "127.0.0.1").partition(":")
    return {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "QUERY_STRING": request.query,
        "RAW_URI": f"{request.path}?{request.query}" if request.query else request.path,
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.source_ip,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": request.file or io.BytesIO(request.body),
        "wsgi.input_terminated": True,  # read at once: werkzeug would read pieces and put them together
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        PRESERVED_HEADER_NAMES_ENVIRON_KEY: _preserved_names(request.headers),
        **headers,
        "CONTENT_LENGTH": str(_length(request)),  # the body is whole, however it came
        "CONTENT_TYPE": _content_type(request.method, headers.get("CONTENT_TYPE", "")),
    }


def _length(request: Request) -> int:
    return len(request.body) if request.file is None else os.fstat(request.file.fileno()).st_size


def _content_type(method: str, declared: str) -> str:
    """As declared, except a form on a PUT: curl and urllib say so, and moto would store an empty object."""
    is_form = declared.strip().lower().startswith(_FORMS)
    return "binary/octet-stream" if method == "PUT" and is_form else declared


def _folded(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(environ_key_for_header(name), []).append(value)
    values.pop("HTTP_TRANSFER_ENCODING", None)  # already taken off
    return ((key, ",".join(several)) for key, several in values.items())


def _preserved_names(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The S3 metadata names that have underscores, which WSGI cannot tell from dashes."""
    return {
        environ_key_for_header(name): name.lower()
        for name, _ in headers
        if should_preserve_original_header_name(name)
    }


def run_wsgi(app: WsgiApp, environ: dict[str, Any]) -> Response:
    """The application's whole answer."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        started.append((status, headers))

    chunks = app(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if close := getattr(chunks, "close", None):
            close()
    status, headers = started[-1]
    return Response(int(status.split(" ", 1)[0]), tuple(headers), body)
