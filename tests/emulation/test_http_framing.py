"""What the edge refuses of HTTP/1.1 so that a body is never read as a request, and nothing grows for ever."""

import pytest

from tests.emulation.test_http_server import LAST, client, head, play


def test_body_is_no_request_of_its_own_when_an_upgrade_is_asked_for() -> None:
    hidden = head("/smuggled", LAST)
    upgrade = ("Connection: Upgrade", "Upgrade: h2c", f"Content-Length: {len(hidden)}")

    async def scenario() -> None:
        async with client() as asking:
            answer = await asking.ask(head("/a", *upgrade, method="POST") + hidden + head("/b", LAST))
        assert (answer.count(b"HTTP/1.1 200"), b"/smuggled" in answer) == (2, False)
        assert b"POST /a  %d " % len(hidden) in answer

    play(scenario())


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (head("/", "host: other"), b"400"),
        (b"GET / HTTP/2.0\r\nhost: x\r\n\r\n", b"505"),
        (b"DESCRIBE / RTSP/2.0\r\nhost: x\r\n\r\n", b"505"),
        (head("/", "transfer-encoding: gzip, chunked", method="POST") + b"0\r\n\r\n", b"501"),
        (b"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (head("x:1", "content-length: 2", method="CONNECT") + b"ab", b"400"),
    ],
    ids=["no host", "two hosts", "version 2", "another protocol", "two codings", "coded 1.0", "connect"],
)
def test_request_is_refused_once_when_its_head_is_not_http_1(sent: bytes, status: bytes) -> None:
    async def scenario() -> None:
        async with client() as asking:
            answer = await asking.ask(sent)
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert answer.count(b"HTTP/1.1 ") == 1

    play(scenario())


def test_trailers_are_refused_when_they_do_not_end() -> None:
    async def scenario() -> None:
        async with client() as asking:
            chunked = head("/", "transfer-encoding: chunked", method="POST") + b"2\r\n{}\r\n0\r\nx: "
            answer = await asking.ask(chunked, *[b"a" * 65_536] * 10)
        assert answer.startswith(b"HTTP/1.1 431")

    play(scenario())


@pytest.mark.parametrize(
    "sent",
    [
        head("/", "expect: 100-continue", LAST),
        head("/", "expect: another", "content-length: 2", LAST, method="POST") + b"{}",
        b"POST / HTTP/1.0\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n{}",
    ],
    ids=["no body", "another expectation", "HTTP/1.0"],
)
def test_client_is_not_told_to_continue_when_it_does_not_wait(sent: bytes) -> None:
    async def scenario() -> None:
        async with client() as asking:
            assert (await asking.ask(sent)).startswith(b"HTTP/1.1 200")

    play(scenario())
