"""The near side of the worker processes: one function's warm workers, and a call to one of them."""

import asyncio
import os
import signal
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

from emulation import clock
from emulation.limits import Limits
from emulation.worker import LENGTH

KEPT_IDLE = 4
IDLE_SECONDS = 10.0
"""Beyond `KEPT_IDLE` workers of a function, one unused for this long is ended."""


class Channel(asyncio.Protocol):
    """A worker's socket: one message at a time, and its answer.

    A future of the event loop and no stream, for that halves what an invocation costs this process.
    """

    def __init__(self) -> None:
        self.is_open = True
        self._received = bytearray()
        self._answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()  # its greeting

    def answer(self) -> "asyncio.Future[bytes]":
        """What the worker says next, or EOFError if it ends first."""
        return self._answer

    def ask(self, message: bytes) -> "asyncio.Future[bytes]":
        """Sends a message; `give_up` ends the wait for the answer with TimeoutError."""
        self._answer = asyncio.get_running_loop().create_future()
        if self.is_open:
            self._transport.write(LENGTH.pack(len(message)) + message)
        else:
            self._answer.set_exception(EOFError())
        return self._answer

    def give_up(self) -> None:
        if not self._answer.done():
            self._answer.set_exception(TimeoutError())

    def close(self) -> None:
        self.is_open = False
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        received = self._received
        if len(received) < LENGTH.size or len(received) < LENGTH.size + LENGTH.unpack_from(received)[0]:
            return
        self._received = bytearray()
        if not self._answer.done():
            self._answer.set_result(bytes(received[LENGTH.size :]))

    def connection_lost(self, reason: Exception | None) -> None:
        self.is_open = False
        if not self._answer.done():
            self._answer.set_exception(EOFError())


@dataclass(slots=True)
class Worker:
    """One forked process, and the channel that it answers on."""

    pid: int
    channel: Channel
    idle_since: float = 0.0

    def retire(self) -> None:
        """Lets the process end by itself, for it waits for the next call."""
        self.channel.close()

    def kill(self) -> None:
        self.channel.close()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


@dataclass(slots=True)
class Pool:
    """One function's limits and its warm workers, the longest unused on the left."""

    limits: Limits
    free: asyncio.Semaphore
    idle: deque[Worker] = field(default_factory=deque)

    def take(self) -> Worker | None:
        """The worker used last, for the rest to become idle long enough to be retired."""
        while self.idle:
            chosen = self.idle.pop()
            if chosen.channel.is_open:
                return chosen
            chosen.retire()
        return None

    def put_back(self, used: Worker) -> None:
        used.idle_since = clock.monotonic()
        self.idle.append(used)
        unused_before = used.idle_since - IDLE_SECONDS
        while len(self.idle) > KEPT_IDLE and self.idle[0].idle_since < unused_before:
            self.idle.popleft().retire()
