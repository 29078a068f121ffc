"""The one port: who answers what, the clock, passing on, and stopping."""

import asyncio
import socket
from collections.abc import Iterator

import httpx
import pytest

from emulation import http_server
from emulation.aws import Aws
from emulation.clock import ManualClock, SystemClock
from emulation.edge import Edge
from emulation.gateway.pipeline import nothing_attached
from tests.gateway import apis
from tests.gateway.conftest import SESSION, Loop, Stack


def test_every_other_aws_api_is_answered_on_the_same_port(stack: Stack) -> None:
    sqs = SESSION.client("sqs", endpoint_url=stack.url)
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "m"


def test_a_bucket_named_like_an_api_gateway_path_is_still_a_bucket(stack: Stack) -> None:
    s3 = SESSION.client("s3", endpoint_url=stack.url)
    s3.create_bucket(Bucket="restapis")
    s3.put_object(Bucket="restapis", Key="a b/ü", Body=b"content")
    assert s3.get_object(Bucket="restapis", Key="a b/ü")["Body"].read() == b"content"
    assert s3.head_object(Bucket="restapis", Key="a b/ü")["ContentLength"] == 7


def test_the_clock_tells_its_time_and_moves_when_it_is_manual(stack: Stack) -> None:
    assert stack.http.get("/_aws/clock").json() == {"now": "2026-11-23T05:00:00Z"}
    moved = stack.http.post("/_aws/clock", json={"advance_seconds": 90.5})
    assert moved.json() == {"now": "2026-11-23T05:01:30.500000Z"}
    assert stack.clock.now() == 1_795_410_090.5


@pytest.mark.parametrize("body", ["", "{}", '{"advance_seconds": -1}', '{"advance_seconds": "soon"}', "[]"])
def test_the_clock_refuses_what_is_not_a_number_of_seconds(stack: Stack, body: str) -> None:
    assert stack.http.post("/_aws/clock", content=body).status_code == 400
    assert stack.http.delete("/_aws/clock").status_code == 405


@pytest.fixture
def system_url(loop: Loop) -> Iterator[str]:
    edge = Edge(clock=SystemClock(), aws=Aws(SystemClock()))
    yield f"http://127.0.0.1:{loop.run(edge.start())}"
    loop.later(edge.stop())


def test_the_systems_clock_cannot_be_moved(system_url: str) -> None:
    answer = httpx.post(f"{system_url}/_aws/clock", json={"advance_seconds": 1})
    assert answer.status_code == 409
    assert "manual clock" in answer.json()["message"]


def test_functions_are_unknown_until_they_are_attached(stack: Stack) -> None:
    api = apis.imported(stack, apis.document({"/a": {"get": apis.operation()}}))
    stack.edge.attach(nothing_attached)
    before = api.get("/a").status_code
    stack.edge.attach(stack.invoke)
    assert (before, api.get("/a").status_code) == (500, 200)


class Recorder:
    """An endpoint that keeps the bytes of each request and answers all alike."""

    def __init__(self, answer: bytes) -> None:
        self.requests: list[bytes] = []
        self._answer = answer
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        self.requests.append(head + await reader.readexactly(length))
        writer.write(self._answer)
        await writer.drain()
        writer.close()


@pytest.fixture
def recorder(loop: Loop) -> Iterator[Recorder]:
    body = b"<ok/>"
    recorder = Recorder(
        b"HTTP/1.1 418 Odd\r\nX-Amz-Thing: 1\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s"
        % (len(body), body)
    )
    yield recorder
    loop.run(recorder.stop())


def test_a_request_is_passed_on_unchanged_when_there_is_an_aws_endpoint(
    loop: Loop, clock: ManualClock, recorder: Recorder
) -> None:
    edge = Edge(clock=clock, aws_endpoint=f"http://127.0.0.1:{loop.run(recorder.start())}")
    port = loop.run(edge.start())
    head = (
        b"PUT /bucket/a%2Fb%20c?x-id=Put&empty HTTP/1.1\r\nhost: s3.example\r\nx-amz-date: 1\r\n"
        b"authorization: AWS4-HMAC-SHA256 Credential=test/1/us-east-1/s3/aws4_request\r\ncontent-length: 4"
    )
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(head + b"\r\n\r\nbody")
        while not answer.endswith(b"<ok/>"):
            answer += connection.recv(65536)
    loop.later(edge.stop())
    (received,) = recorder.requests
    line, *headers = head.split(b"\r\n")
    passed_on, _, body = received.partition(b"\r\n\r\n")
    passed_line, *passed_headers = passed_on.split(b"\r\n")
    assert (passed_line, sorted(each.lower() for each in passed_headers)) == (
        line,
        sorted(each.lower() for each in headers),
    )
    assert body == b"body"
    assert answer.startswith(b"HTTP/1.1 418")
    assert b"x-amz-thing: 1" in answer.lower()


def test_the_control_plane_stays_the_edges_own_when_there_is_an_aws_endpoint(
    loop: Loop, clock: ManualClock
) -> None:
    edge = Edge(clock=clock, aws_endpoint="http://127.0.0.1:9")
    url = f"http://127.0.0.1:{loop.run(edge.start())}"
    assert httpx.get(f"{url}/restapis").status_code == 200
    answer = httpx.get(f"{url}/anything")
    loop.later(edge.stop())
    assert answer.status_code == 502
    assert "did not answer" in answer.json()["message"]


def test_stopping_takes_less_than_two_seconds_whatever_is_connected_or_in_flight(
    loop: Loop, clock: ManualClock
) -> None:
    edge = Edge(clock=clock, aws=Aws(clock))
    port = loop.run(edge.start())
    with (
        socket.create_connection(("127.0.0.1", port)) as idle,
        socket.create_connection(("127.0.0.1", port)) as busy,
    ):
        idle.sendall(b"GET /_aws/clock HTTP/1.1\r\nhost: x\r\n\r\n")
        assert idle.recv(65536).startswith(b"HTTP/1.1 200")
        busy.sendall(b"POST /_aws/clock HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
        loop.run(asyncio.wait_for(edge.stop(), timeout=2))
        assert b"" in (idle.recv(65536), idle.recv(65536))  # closed, after what is left of the answer
        assert busy.recv(65536).startswith(b"HTTP/1.1 503")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_the_port_is_refused_when_it_is_taken(loop: Loop, stack: Stack, clock: ManualClock) -> None:
    edge = Edge(clock=clock, aws=Aws(clock))
    with pytest.raises(OSError, match="in use"):
        loop.run(edge.start("127.0.0.1", int(stack.url.rpartition(":")[2])))
    loop.run(edge.stop())


def test_a_port_is_taken_from_the_moment_it_is_listened_on() -> None:
    with http_server.listen("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        http_server.listen("127.0.0.1", first.getsockname()[1])


class ServingNothing(asyncio.SelectorEventLoop):
    """An event loop in which no server can start."""

    async def create_server(self, *arguments: object, **settings: object) -> asyncio.Server:
        raise OSError("no servers here")


def test_starting_fails_when_the_server_cannot_start(clock: ManualClock) -> None:
    edge = Edge(clock=clock, aws=Aws(clock))

    async def start_and_stop() -> None:
        with pytest.raises(OSError, match="no servers here"):
            await asyncio.wait_for(edge.start(), timeout=5)
        await edge.stop()

    with asyncio.Runner(loop_factory=ServingNothing) as runner:
        runner.run(start_and_stop())
