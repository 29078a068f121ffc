"""Servers in a node's place: with one answer to everything, between us and a real node, or without HTTP."""

import json
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answers."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a server was asked: the calls of one request, and its `traceparent`; `peer` is the connection."""

    calls: Sequence[Any]
    traceparent: str | None
    peer: object
    body: bytes

    @property
    def methods(self) -> list[str]:
        """Of the calls."""
        return [call["method"] for call in self.calls]


@contextmanager
def serving(reply: Callable[[Heard], Reply]) -> Iterator[str]:
    """The URL of an HTTP server with these answers, which keeps its connections."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # What its peer keeps would have `server_close` wait.
        timeout = 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard = Heard(json.loads(body), self.headers["traceparent"], self.client_address, body)
            answer = reply(heard)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def listening(rpc_url: str) -> Iterator[tuple[str, list[Heard]]]:
    """A way to the node that notes what it is asked."""
    noted: list[Heard] = []

    def note(heard: Heard) -> Reply:
        noted.append(heard)
        return Reply(ask(heard))

    with _asking(rpc_url) as ask, serving(note) as url:
        yield url, noted


@contextmanager
def altering(rpc_url: str, alter: Callable[[list[Any]], Any]) -> Iterator[str]:
    """A way to the node that answers each batch with what this makes of the node's answers to it."""

    def answers(heard: Heard) -> Reply:
        return Reply(json.dumps(alter(json.loads(ask(heard)))).encode())

    with _asking(rpc_url) as ask, serving(answers) as url:
        yield url


@contextmanager
def lying(rpc_url: str, method: str, lie: Callable[[Any], Any]) -> Iterator[str]:
    """A way to the node that changes the results of this method."""
    with _answering(rpc_url, method, lambda answer: {**answer, "result": lie(answer["result"])}) as url:
        yield url


@contextmanager
def refusing(rpc_url: str, method: str, error: Mapping[str, Any]) -> Iterator[str]:
    """A way to the node that answers the calls of this method with an error."""
    refusal = {"jsonrpc": "2.0", "error": error}
    with _answering(rpc_url, method, lambda answer: {**refusal, "id": answer["id"]}) as url:
        yield url


@contextmanager
def _answering(rpc_url: str, method: str, change: Callable[[Any], Any]) -> Iterator[str]:
    def answers(heard: Heard) -> Reply:
        ids = {call["id"] for call in heard.calls if call["method"] == method}
        told = json.loads(ask(heard))
        return Reply(json.dumps([change(each) if each["id"] in ids else each for each in told]).encode())

    with _asking(rpc_url) as ask, serving(answers) as url:
        yield url


@contextmanager
def _asking(rpc_url: str) -> Iterator[Callable[[Heard], bytes]]:
    """The node's own answers."""
    headers = {"Content-Type": "application/json"}
    with httpx.Client(headers=headers, trust_env=False, verify=False, timeout=30) as client:
        yield lambda heard: client.post(rpc_url, content=heard.body).content


@contextmanager
def saying(say: Callable[[socket.socket, Event], None]) -> Iterator[str]:
    """The URL of a server that says this on each connection, whatever it is asked, until the event."""
    over = Event()

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            Thread(target=speak, args=(connection,), daemon=True).start()

    def speak(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # nobody listens any more, as it should be
            say(connection, over)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=serve, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
