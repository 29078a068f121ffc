"""Requests and responses over ASGI, and uvicorn inside somebody else's event loop."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPResponseStartEvent, HTTPScope

from emulation.http import Request, Response

# Longer than SDKs keep an idle connection, so that it is they who close it.
KEEP_ALIVE_SECONDS = 75

# uvicorn's own: it sets it again as it starts.
BACKLOG = 2048


class ClientGone(Exception):
    """The client went away before its request was whole."""


class Server(uvicorn.Server):
    """Says when it is ready, and leaves the process's signals alone."""

    def __init__(self, application: Any, *, grace_seconds: int) -> None:
        config = uvicorn.Config(
            application,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=grace_seconds,
        )
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, or OSError if the port is taken."""
    # With the protocol spelt out asyncio turns Nagle's algorithm off; else each answer takes 40 ms more.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)  # until it listens, another process can bind the same port
    except OSError:
        listener.close()
        raise
    return listener


def raw_path(scope: HTTPScope) -> str:
    """The path as the client wrote it, percent-encoded, without the query."""
    return scope["raw_path"].decode("latin-1")


async def read_request(scope: HTTPScope, receive: ASGIReceiveCallable, body_limit: int | None) -> Request:
    """The request, or ClientGone; of a body beyond the limit only enough to tell that it is."""
    client = scope.get("client")
    return Request(
        method=scope["method"],
        path=raw_path(scope),
        query=scope["query_string"].decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        body=await _read_body(receive, body_limit),
        source_ip=client[0] if client else "127.0.0.1",
    )


async def _read_body(receive: ASGIReceiveCallable, limit: int | None) -> bytes:
    body = bytearray()
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if not message.get("more_body", False) or (limit is not None and len(body) > limit):
            return bytes(body)


async def send_response(response: Response, method: str, send: ASGISendCallable) -> None:
    """Sends the response with its true length; that of a HEAD is whatever the answering side says.

    A 204 or a 304 ends with its head, whatever body it was given.
    """
    has_body = response.status not in (204, 304)
    declares_length = method == "HEAD" and response.header("content-length") is not None
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1", errors="replace"))
        for name, value in response.headers
        if declares_length or name.lower() != "content-length"
    ]
    if not declares_length and has_body:
        headers.append((b"content-length", str(len(response.body)).encode()))
    start: HTTPResponseStartEvent = {
        "type": "http.response.start",
        "status": response.status,
        "headers": headers,
        "trailers": False,
    }
    await send(start)
    body = response.body if has_body else b""
    await send({"type": "http.response.body", "body": body, "more_body": False})
