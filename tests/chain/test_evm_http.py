"""A server in the node's place that answers anything, of any size, at any pace, is as good as none."""

import gzip
import json
import socket
from threading import Event
from typing import Any

import pytest

from chalicelib.adapters.bounded_http import BoundedHttp, NoAnswer
from chalicelib.adapters.evm import EvmChain
from chalicelib.adapters.json_rpc import ANSWER_BYTES
from chalicelib.domain.errors import ChainUnavailable
from emulation.chain import CHAIN_ID
from tests.chain.servers import Heard, Reply, saying, serving

WORD = "0x" + "ab" * 32
ADDRESS = "0x" + "ab" * 20
# Long enough for a local server, and short enough to be waited for.
TIMEOUT_SECONDS = 0.3
# Together longer than the time-out, and each far shorter.
DRIPS, DRIP_SECONDS = 100, 0.03
HEADER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "text": b"gone away",
    "null": b"null",
    "empty batch": b"[]",
    "an object": b"{}",
    "error of the whole": b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no batches"}}',
    "NaN": b"[NaN]",
    "cut short": b'[{"jsonrpc":"2.0","id":0,"result":"0x1"}',
    "trailing": b"[] []",
    "byte order mark": b"\xef\xbb\xbf[]",
    "UTF-16": "[]".encode("utf-16"),
    "no UTF-8": b'["\xff"]',
    "deep": b"[" * 1_000_000,
    "deep result": b'[{"jsonrpc":"2.0","id":0,"result":' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    "long number": b'[{"jsonrpc":"2.0","id":' + b"9" * 100_000 + b',"result":"0x1"}]',
}


def chain_at(url: str) -> EvmChain:
    return EvmChain(url, chain_id=CHAIN_ID, genesis_hash=WORD, registry=ADDRESS)


def right(heard: Heard) -> bytes:
    """What a node of that chain, which knows of nothing, answers."""
    results = {
        "eth_chainId": hex(CHAIN_ID),
        "eth_getBlockByNumber": {"number": "0x0", "hash": WORD},
        "eth_blockNumber": "0x0",
    }
    answers = [
        {"jsonrpc": "2.0", "id": call["id"], "result": results.get(call["method"])} for call in heard.calls
    ]
    return json.dumps(answers).encode()


def test_answer_is_read_when_nothing_is_wrong() -> None:
    with serving(lambda heard: Reply(right(heard))) as url:
        assert len(chain_at(url).sightings([WORD])) == 1


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_chain_is_unavailable_when_the_node_talks_nonsense(body: bytes) -> None:
    with serving(lambda heard: Reply(body)) as url, pytest.raises(ChainUnavailable):
        chain_at(url).sightings([WORD])


@pytest.mark.parametrize("status", [201, 204, 400, 401, 404, 429, 500, 503])
def test_chain_is_unavailable_when_the_status_is_not_200(status: int) -> None:
    refusal = pytest.raises(ChainUnavailable, match=f"HTTP status {status}")
    with serving(lambda heard: Reply(right(heard), status)) as url, refusal:
        chain_at(url).sightings([WORD])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nobody_else_is_asked_when_the_node_sends_us_there(status: int) -> None:
    heard_there: list[Heard] = []

    def there(heard: Heard) -> Reply:
        heard_there.append(heard)
        return Reply(right(heard))

    with serving(there) as elsewhere:
        redirect = Reply(b"", status, {"Location": elsewhere})
        with serving(lambda heard: redirect) as url, pytest.raises(ChainUnavailable, match=str(status)):
            chain_at(url).sightings([WORD])
    assert heard_there == []


def test_no_proxy_is_used_when_the_environment_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving(lambda heard: Reply(right(heard))) as url:
        assert len(chain_at(url).sightings([WORD])) == 1


def test_chain_is_unavailable_when_the_answer_is_compressed() -> None:
    def packed(heard: Heard) -> Reply:
        return Reply(gzip.compress(right(heard)), headers={"Content-Encoding": "gzip"})

    with serving(packed) as url, pytest.raises(ChainUnavailable):
        chain_at(url).sightings([WORD])


def test_connection_is_kept_when_there_are_more_requests() -> None:
    peers: list[Any] = []

    def note(heard: Heard) -> Reply:
        peers.append(heard.peer)
        return Reply(right(heard))

    with serving(note) as url:
        chain = chain_at(url)
        for _ in range(3):
            chain.sightings([WORD])
    assert len(peers) == 6
    assert len(set(peers)) == 1


def test_answer_is_given_up_when_it_never_ends() -> None:
    def endless(connection: socket.socket, over: Event) -> None:
        connection.recv(2**16)
        connection.sendall(HEADER + b"\r\n")
        while not over.is_set():
            connection.sendall(b" " * 2**16)

    with saying(endless) as url, pytest.raises(ChainUnavailable, match=f"more than {ANSWER_BYTES} bytes"):
        chain_at(url).sightings([WORD])


@pytest.mark.parametrize(
    "said",
    [
        HEADER + b"Content-Length: 100\r\n\r\n[]",
        HEADER + b"Content-Length: 99999999999999\r\n\r\n[]",
        HEADER + b"Transfer-Encoding: chunked\r\n\r\nffffff\r\n[]",
        HEADER + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n[]",
        HEADER + b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]",
        HEADER,
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n[]",
        b"HTTP/1.1 200 " + b"x" * 100_000,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"",
    ],
)
def test_there_is_no_answer_when_it_is_cut_short_or_not_http(said: bytes) -> None:
    def say(connection: socket.socket, over: Event) -> None:
        connection.recv(2**16)
        connection.sendall(said)

    with saying(say) as url, pytest.raises(ChainUnavailable):
        chain_at(url).sightings([WORD])


@pytest.mark.parametrize(
    ("at_once", "in_drips"),
    [
        (b"", HEADER + b"A: " + b"x" * DRIPS),
        (HEADER + b"Content-Length: 100\r\n\r\n", b"x" * DRIPS),
        (HEADER + b"\r\n", b"x" * DRIPS),
    ],
)
def test_answer_is_given_up_when_it_trickles(at_once: bytes, in_drips: bytes) -> None:
    """Each byte comes in time, all of them do not."""

    def trickle(connection: socket.socket, over: Event) -> None:
        connection.recv(2**16)
        connection.sendall(at_once)
        for byte in in_drips:
            connection.sendall(bytes([byte]))
            over.wait(DRIP_SECONDS)
        connection.sendall(b"\r\nContent-Length: 2\r\n\r\n[]")

    with saying(trickle) as url, pytest.raises(NoAnswer, match="Timeout"):
        BoundedHttp(url, timeout_seconds=TIMEOUT_SECONDS, answer_bytes=1_000).post(b"", {})
