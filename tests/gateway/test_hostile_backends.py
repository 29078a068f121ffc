"""Backends that answer what no backend should: the client gets one whole answer, and nothing is altered."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.gateway import apis
from tests.gateway.conftest import Stack


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], tuple[str, list[bytes]]]]:
    """Makes backends that answer one request each, byte for byte, and keep what they were sent."""
    opened: list[tuple[socket.socket, threading.Thread]] = []

    def make(answer: bytes) -> tuple[str, list[bytes]]:
        server, sent = socket.create_server(("127.0.0.1", 0)), []

        def serve() -> None:
            with server.accept()[0] as client:
                sent.append(client.recv(65_536))
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        opened.append((server, thread))
        return f"http://127.0.0.1:{server.getsockname()[1]}/", sent

    yield make
    for server, thread in opened:
        thread.join()
        server.close()


def _behind(stack: Stack, uri: str) -> apis.Api:
    integration = {"type": "http_proxy", "httpMethod": "ANY", "uri": uri}
    operation = apis.operation(**{"x-amazon-apigateway-integration": integration})
    return apis.imported(stack, apis.document({"/a": {"get": operation}}))


@pytest.mark.parametrize("status", ["101 Switching Protocols", "999 Odd"])
def test_a_failed_integration_when_a_backend_answers_with_the_status_of_no_response(
    stack: Stack, answering: Callable[[bytes], tuple[str, list[bytes]]], status: str
) -> None:
    uri, _ = answering(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nhi".encode())
    answer = _behind(stack, uri).get("/a")
    assert answer.status_code == 504
    assert answer.content == b'{"message":"Network error communicating with endpoint"}'


@pytest.mark.parametrize("value", ["caf\u00e9".encode(), "\u4e2d".encode()])
def test_headers_are_passed_byte_for_byte_when_they_are_not_ascii(
    stack: Stack, answering: Callable[[bytes], tuple[str, list[bytes]]], value: bytes
) -> None:
    uri, sent = answering(b"HTTP/1.1 200 OK\r\nX-Back: " + value + b"\r\nContent-Length: 2\r\n\r\nhi")
    answer = _behind(stack, uri).get("/a", headers={b"X-There": value})
    assert b"X-There: " + value + b"\r\n" in sent[0]
    assert (b"X-Back", value) in answer.headers.raw
