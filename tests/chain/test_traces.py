"""A node is told which trace each call is part of."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

from chalicelib.adapters.evm import EvmChain
from chalicelib.domain import tracing
from tests.chain.conftest import Bench

TRACES = tracing.new_trace_id("first"), tracing.new_trace_id("second")

Call = tuple[str, str | None]


@contextmanager
def listening(rpc_url: str) -> Iterator[tuple[str, list[Call]]]:
    """A way to the node that notes each call's method and `traceparent`."""
    calls: list[Call] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            calls.append((json.loads(body)["method"], self.headers["traceparent"]))
            answer = httpx.post(rpc_url, content=body, headers={"Content-Type": "application/json"})
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", calls
        server.shutdown()


def test_the_first_jobs_trace_is_told_when_a_batch_is_broadcast(bench: Bench) -> None:
    signed = bench.sign(bench.entries(2))
    with listening(bench.rpc_url) as (url, calls):
        chain = EvmChain(url, chain_id=31337, registry=bench.registry)
        with tracing.story(*TRACES):
            chain.broadcast(signed.raw)
        with tracing.story(TRACES[1]):
            chain.receipt(signed.hash)
    told = {method: tracing.parse(header or "") for method, header in calls}
    assert told["eth_sendRawTransaction"] == TRACES[0]
    assert told["eth_getTransactionReceipt"] == TRACES[1]


def test_no_trace_is_told_when_none_is_followed(bench: Bench) -> None:
    with listening(bench.rpc_url) as (url, calls):
        EvmChain(url, chain_id=31337, registry=bench.registry).head()
    assert [header for _, header in calls] == [None, None]
