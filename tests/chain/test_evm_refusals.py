"""What the chain's adapter says when the registry would refuse, or the node is gone, mad or another."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from chalicelib.adapters.evm import TRANSACTION_GAS_CAP, EvmChain
from chalicelib.domain.confirmation import Entry
from chalicelib.domain.errors import ChainUnavailable, ConfirmationRejected
from emulation.chain import Node
from tests.chain.conftest import Bench

REGISTRY = SOMEONE = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
WORD = "0x" + "ab" * 32

QUESTIONS: dict[str, Callable[[EvmChain], object]] = {
    "genesis_hash": lambda chain: chain.genesis_hash(),
    "head": lambda chain: chain.head(),
    "estimate_batch_gas": lambda chain: chain.estimate_batch_gas([Entry(WORD, WORD)], SOMEONE),
    "fees": lambda chain: chain.fees(),
    "broadcast": lambda chain: chain.broadcast(b"\2\3"),
    "receipt": lambda chain: chain.receipt(WORD),
    "is_pending": lambda chain: chain.is_pending(WORD),
    "next_nonce": lambda chain: chain.next_nonce(SOMEONE),
    "recorded_hashes": lambda chain: chain.recorded_hashes([WORD]),
    "recorded_at": lambda chain: chain.recorded_at(WORD),
}
NONSENSE = (b"", b"gone away", b"null", b"[]", b"{}", b'{"jsonrpc":"2.0","id":0,"result":"0xzz"}')


def test_confirmation_is_rejected_when_the_registry_is_paused(bench: Bench) -> None:
    bench.pause()
    with pytest.raises(ConfirmationRejected, match=r"^EnforcedPause$"):
        bench.chain.estimate_batch_gas(bench.entries(1), bench.signer)


def test_confirmation_is_rejected_when_the_sender_has_no_role(bench: Bench) -> None:
    stranger = bench.rpc("eth_accounts")[5]
    with pytest.raises(ConfirmationRejected, match=r"^AccessControlUnauthorizedAccount$"):
        bench.chain.estimate_batch_gas(bench.entries(1), stranger)


def test_confirmation_is_rejected_when_there_is_nothing_to_confirm(bench: Bench) -> None:
    with pytest.raises(ConfirmationRejected, match=r"^EmptyBatch$"):
        bench.chain.estimate_batch_gas([], bench.signer)


def test_confirmation_is_rejected_when_no_transaction_may_have_that_much_gas(bench: Bench) -> None:
    assert bench.chain.estimate_batch_gas(bench.entries(650), bench.signer) < TRANSACTION_GAS_CAP
    with pytest.raises(ConfirmationRejected, match="700 entries need"):
        bench.chain.estimate_batch_gas(bench.entries(700), bench.signer)


@pytest.mark.parametrize("question", QUESTIONS)
def test_chain_is_unavailable_when_no_node_listens(question: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    chain = EvmChain(f"http://127.0.0.1:{port}", chain_id=31337, registry=REGISTRY)
    with pytest.raises(ChainUnavailable):
        QUESTIONS[question](chain)


@pytest.mark.parametrize("answer", NONSENSE, ids=repr)
def test_chain_is_unavailable_when_the_node_talks_nonsense(answer: bytes) -> None:
    with _server(answer) as url, pytest.raises(ChainUnavailable):
        EvmChain(url, chain_id=31337, registry=REGISTRY).head()


def test_chain_is_unavailable_when_the_node_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ChainUnavailable, match="ReadTimeout"):
            EvmChain(url, chain_id=31337, registry=REGISTRY).head()


def test_url_is_not_told_when_the_chain_is_unavailable() -> None:
    chain = EvmChain("http://127.0.0.1:1/v3/secret-of-ours", chain_id=31337, registry=REGISTRY)
    with pytest.raises(ChainUnavailable) as caught:
        chain.head()
    assert "secret-of-ours" not in str(caught.value)


@pytest.mark.parametrize("question", QUESTIONS)
def test_chain_is_unavailable_when_its_id_is_another(node: Node, question: str) -> None:
    with pytest.raises(ChainUnavailable, match=r"runs chain 31337, and we are configured for 1\."):
        QUESTIONS[question](EvmChain(node.rpc_url, chain_id=1, registry=REGISTRY))


def test_nothing_is_sent_when_the_chain_id_is_another(bench: Bench) -> None:
    signed = bench.sign(bench.entries(1))
    with pytest.raises(ChainUnavailable):
        EvmChain(bench.rpc_url, chain_id=1, registry=bench.registry).broadcast(signed.raw)
    bench.rpc("evm_mine")
    assert bench.chain.next_nonce(bench.signer) == 0


@contextmanager
def _server(answer: bytes) -> Iterator[str]:
    """An HTTP server that has one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
