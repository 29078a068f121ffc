"""The load of `bench_gateway`: a closed loop of keep-alive connections, in a process of its own.

    python -m benchmarks.load PORT CONNECTIONS SECONDS < request

Sends the bytes it reads again and again: each connection waits for its answer and then asks once more. Every
answer must be a 200; any other ends it at once, with the answer on standard error. Prints one `Load` as JSON.
"""

import asyncio
import json
import os
import sys
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import cast

import httptools
import uvloop

WARM_UP_SHARE = 0.25
"""Of the time, before anything counts: connections, workers and caches are then as they stay."""
PATIENCE_SECONDS = 10.0
"""How much longer than it shall run it may take; a peer that answers nothing at all must not hang it."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of one run; latencies in milliseconds."""

    requests_a_second: float
    p50_ms: float
    p99_ms: float


class Unexpected(Exception):
    """An answer that is not a 200, or a connection that ended before its answer."""


class _Client(asyncio.Protocol):
    """One connection: sends the request, times the answer, and again."""

    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._sent_at = 0.0
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status != 200:
            self._run.end(Unexpected(f"{status}: {self._body.decode(errors='replace')}"))
            return
        self._body = b""
        self._run.answered(self._sent_at)
        if self._parser.should_keep_alive():
            self._send()

    def connection_lost(self, reason: Exception | None) -> None:
        """After an answer a server may close (MiniStack does, after 1,000): another connection goes on."""
        if not self._run.over.done():
            self._run.connect()

    def _send(self) -> None:
        assert self._transport is not None
        self._sent_at = perf_counter()
        self._transport.write(self._run.request)


class _Run:
    """All connections together, and the latencies of what counts."""

    def __init__(self, port: int, request: bytes, *, seconds: float) -> None:
        self.request = request
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []
        self._port = port
        self._counts_from = perf_counter() + WARM_UP_SHARE * seconds
        self._counts_to = self._counts_from + seconds
        self._connecting: set[asyncio.Task[None]] = set()

    def connect(self) -> None:
        task = asyncio.create_task(self._connect())
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: _Client(self), "127.0.0.1", self._port)
        except OSError as error:
            self.end(error)

    def answered(self, sent_at: float) -> None:
        now = perf_counter()
        if sent_at >= self._counts_from:
            self.latencies.append(now - sent_at)
        if now >= self._counts_to:
            self.end(None)

    def end(self, error: Exception | None) -> None:
        if self.over.done():
            return
        if error is None:
            self.over.set_result(None)
        else:
            self.over.set_exception(error)


async def generate(port: int, request: bytes, *, connections: int, seconds: float) -> Load:
    """Loads the port for so long; raises Unexpected, OSError or TimeoutError if it does not go well."""
    run = _Run(port, request, seconds=seconds)
    for _ in range(connections):
        run.connect()
    await asyncio.wait_for(run.over, seconds + PATIENCE_SECONDS)
    ordered = sorted(run.latencies)
    if not ordered:
        raise Unexpected("no answer came in time to count")
    return Load(
        requests_a_second=len(ordered) / seconds,
        p50_ms=1000 * ordered[len(ordered) // 2],
        p99_ms=1000 * ordered[len(ordered) * 99 // 100],
    )


def main() -> None:
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    request = sys.stdin.buffer.read()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            load = runner.run(generate(port, request, connections=connections, seconds=seconds))
        except (Unexpected, OSError, TimeoutError, httptools.HttpParserError) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)  # without waiting for connections that may be why
        print(json.dumps(asdict(load)))


if __name__ == "__main__":
    main()
