"""What clients may rely on, and what they cannot do to the server, at a socket."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from emulation.connection import Application
from emulation.http import Request, Response
from emulation.http_server import HttpServer
from emulation.patience import Patience
from emulation.request_reader import HEAD_LIMIT_BYTES
from tests.waiting import until

BODY_LIMIT = 100
SOON = Patience(idle_seconds=0.2, request_seconds=0.1, linger_seconds=0.1)
TIMEOUT_SECONDS = 5.0


@dataclass
class Client:
    """A socket on the server, and the server."""

    server: HttpServer
    port: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, *sent: bytes) -> bytes:
        """Everything that comes until the server closes the connection."""
        for each in sent:
            self.writer.write(each)
        return await asyncio.wait_for(self.reader.read(), TIMEOUT_SECONDS)


async def told(request: Request) -> Response:
    """Answers with what was asked."""
    text = f"{request.method} {request.path} {request.query} {len(request.body)} {request.headers}"
    return Response(200, (("X-Case", "1"), ("x-twice", "1"), ("x-twice", "2")), text.encode())


@asynccontextmanager
async def client(
    answer: Callable[[Request], Awaitable[Response]] = told, patience: Patience | None = None
) -> AsyncIterator[Client]:
    server = HttpServer(Application(answer=answer, body_limit=lambda path: BODY_LIMIT), patience)
    port = await server.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(server, port, reader, writer)
    finally:
        writer.close()
        await server.stop(grace_seconds=0.1)


def play(scenario: Coroutine[None, None, None]) -> None:
    asyncio.run(scenario)


def head(path: str = "/", *headers: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "host: x", *headers, "", ""]).encode()


LAST = "connection: close"


def test_path_query_and_repeated_headers_stay_as_sent_when_a_request_comes() -> None:
    async def scenario() -> None:
        async with client() as asking:
            answer = await asking.ask(head("/a%2Fb//c?d=%20&d", "X-B: 1", "x-a: 2", "x-b: 3", LAST))
        assert b"GET /a%2Fb//c d=%20&d 0 (('host', 'x'), ('X-B', '1'), ('x-a', '2'), ('x-b', '3')," in answer
        assert b"X-Case: 1\r\nx-twice: 1\r\nx-twice: 2\r\nContent-Length: " in answer

    play(scenario())


def test_answers_keep_the_order_of_the_requests_when_several_come_at_once() -> None:
    slow_may_go = asyncio.Event()

    async def answer(request: Request) -> Response:
        if request.path == "/slow":
            await slow_may_go.wait()
        else:
            slow_may_go.set()
        return Response(200, (), request.path.encode())

    async def scenario() -> None:
        async with client(answer) as asking:
            asking.writer.write(head("/slow") + head("/b") + head("/c", LAST))
            other_reader, other = await asyncio.open_connection("127.0.0.1", asking.port)
            other.write(head("/lets-go", LAST))
            await asyncio.wait_for(other_reader.read(), TIMEOUT_SECONDS)
            other.close()
            answers = await asking.ask()
        bodies = [each.partition(b"\r\n\r\n")[2] for each in answers.split(b"HTTP/1.1 200 OK")[1:]]
        assert bodies == [b"/slow", b"/b", b"/c"]

    play(scenario())


@pytest.mark.parametrize(
    "sent", [head("/", "content-length: 9", method="POST") + b"{", b"GET / HTTP/1.1\r\nho", b"G"]
)
def test_client_is_told_408_and_nothing_is_held_when_it_stops_sending(sent: bytes) -> None:
    async def scenario() -> None:
        async with client(patience=SOON) as asking:
            answer = await asking.ask(sent)
            assert answer.startswith(b"HTTP/1.1 408 Request Timeout")
            assert asking.server.in_flight == 0

    play(scenario())


def test_connection_is_closed_silently_when_it_idles_too_long() -> None:
    async def scenario() -> None:
        async with client(patience=SOON) as asking:
            assert await asking.ask() == b""

    play(scenario())


def test_client_is_not_timed_out_when_it_waits_for_an_answer() -> None:
    another_was = asyncio.Event()

    async def slow(request: Request) -> Response:
        await another_was.wait()
        return Response(200)

    async def scenario() -> None:
        async with client(slow, SOON) as asking:
            asking.writer.write(head("/", LAST))
            reader, writer = await asyncio.open_connection("127.0.0.1", asking.port)
            writer.write(b"GET")
            assert (await asyncio.wait_for(reader.read(), TIMEOUT_SECONDS)).startswith(b"HTTP/1.1 408")
            writer.close()
            another_was.set()
            assert (await asking.ask()).startswith(b"HTTP/1.1 200")

    play(scenario())


def test_client_is_cut_off_when_it_does_not_read_its_answer() -> None:
    async def large(request: Request) -> Response:
        return Response(200, (), bytes(64_000_000))

    def is_cut_off(connection: socket.socket) -> bool:
        try:
            connection.send(b" ")
        except OSError:
            return True
        return False

    async def scenario() -> None:
        async with client(large, SOON) as asking:
            with socket.create_connection(("127.0.0.1", asking.port)) as deaf:
                deaf.sendall(head())
                await asyncio.to_thread(until, lambda: is_cut_off(deaf), within_seconds=TIMEOUT_SECONDS)

    play(scenario())


def test_request_is_answered_to_its_end_and_nothing_is_held_when_the_client_goes_away() -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        begun.set()
        await may_end.wait()
        ended.set()
        return Response(200)

    async def scenario() -> None:
        async with client(slow) as asking:
            asking.writer.write(head())
            await begun.wait()
            asking.writer.transport.abort()
            may_end.set()
            await asyncio.wait_for(ended.wait(), TIMEOUT_SECONDS)
            await asyncio.to_thread(
                until, lambda: asking.server.in_flight == 0, within_seconds=TIMEOUT_SECONDS
            )

    play(scenario())


def test_body_beyond_the_limit_is_answered_when_the_client_goes_on_sending() -> None:
    async def scenario() -> None:
        async with client() as asking:
            length = f"content-length: {50 * BODY_LIMIT}"
            answer = await asking.ask(head("/", length, method="POST"), *[bytes(BODY_LIMIT)] * 50)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"Connection: close" in answer

    play(scenario())


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (head("/", "content-length: 1", "transfer-encoding: chunked", method="POST"), b"400"),
        (b"GET / HTTP/1.1\r\n" + b"x: " + bytes([97]) * 2 * HEAD_LIMIT_BYTES, b"431"),
    ],
)
def test_client_is_refused_when_what_it_sends_is_no_request(sent: bytes, status: bytes) -> None:
    async def scenario() -> None:
        async with client() as asking:
            assert (await asking.ask(sent)).startswith(b"HTTP/1.1 " + status)

    play(scenario())


def test_trailers_are_no_headers_when_a_body_is_chunked() -> None:
    async def scenario() -> None:
        async with client() as asking:
            chunks = b"2\r\nab\r\n3\r\ncde\r\n0\r\nx-api-key: k\r\n\r\n"
            answer = await asking.ask(head("/", "transfer-encoding: chunked", LAST, method="POST"), chunks)
        assert b"POST /  5 " in answer
        assert b"x-api-key" not in answer

    play(scenario())


def test_client_is_told_to_go_on_when_it_expects_it() -> None:
    async def scenario() -> None:
        async with client() as asking:
            asking.writer.write(head("/", "content-length: 2", "expect: 100-continue", LAST, method="PUT"))
            interim = await asyncio.wait_for(asking.reader.readuntil(b"\r\n\r\n"), TIMEOUT_SECONDS)
            assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
            assert (await asking.ask(b"ab")).startswith(b"HTTP/1.1 200")

    play(scenario())


def test_request_is_answered_as_any_other_when_it_offers_an_upgrade() -> None:
    async def scenario() -> None:
        async with client() as asking:
            offer = head("/a", "connection: upgrade", "upgrade: h2c", "content-length: 2", method="POST")
            answers = await asking.ask(offer + b"ab" + head("/b", LAST))
        assert b"POST /a  2 " in answers
        assert b"GET /b " in answers

    play(scenario())


def test_head_is_answered_without_a_body_but_with_its_length() -> None:
    async def four(request: Request) -> Response:
        return Response(200, (), b"four")

    async def scenario() -> None:
        async with client(four) as asking:
            answer = await asking.ask(head("/", LAST, method="HEAD"))
        assert b"\r\nContent-Length: 4\r\n" in answer
        assert answer.endswith(b"\r\n\r\n")

    play(scenario())


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\rb"])
def test_no_header_becomes_two_when_a_value_holds_the_end_of_a_line(value: str) -> None:
    async def split(request: Request) -> Response:
        return Response(200, (("x", value),))

    async def scenario() -> None:
        async with client(split) as asking:
            answer = await asking.ask(head())
        assert answer.startswith(b"HTTP/1.1 500")
        assert b"Set-Cookie" not in answer

    play(scenario())


def test_connection_goes_on_when_an_answer_was_read() -> None:
    async def scenario() -> None:
        async with client() as asking:
            for path in ("/a", "/b"):
                asking.writer.write(head(path))
                await asyncio.wait_for(asking.reader.readuntil(b"\r\n\r\n"), TIMEOUT_SECONDS)
                await asyncio.wait_for(asking.reader.readuntil(b",)"), TIMEOUT_SECONDS)

    play(scenario())


def test_answer_is_cut_off_and_nothing_follows_it_when_a_stop_comes_amid_it() -> None:
    async def large(request: Request) -> Response:
        return Response(200, (), bytes(64 * 1024 * 1024))

    async def scenario() -> None:
        async with client(large) as asking:
            asking.writer.write(head())
            read = await asking.reader.readuntil(b"\r\n\r\n")
            assert read.startswith(b"HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n")
            await asking.server.stop(grace_seconds=0.1)
            rest = b""
            with suppress(ConnectionResetError):
                while piece := await asking.reader.read(1 << 20):
                    rest += piece
            assert rest.strip(b"\0") == b""
            assert len(rest) < 64 * 1024 * 1024

    play(scenario())
