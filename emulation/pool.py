"""The near side of the worker processes: one function's warm workers, and a call to one of them."""

import asyncio
import json
import os
import signal
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from emulation import clock
from emulation.limits import Limits
from emulation.worker import LENGTH

KEPT_IDLE = 4
IDLE_SECONDS = 10.0
"""Beyond `KEPT_IDLE` workers of a function, one unused for this long is ended."""


@dataclass(slots=True)
class Worker:
    """One forked process, and the socket that it answers on."""

    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    idle_since: float = 0.0

    async def call(self, request: dict[str, Any]) -> Any:
        """The worker's answer; raises EOFError or ConnectionError if the process ends first."""
        message = json.dumps(request).encode()
        self.writer.write(LENGTH.pack(len(message)) + message)
        await self.writer.drain()
        return await receive(self.reader)

    def retire(self) -> None:
        """Lets the process end by itself, for it waits for the next call."""
        self.writer.close()

    def kill(self) -> None:
        self.writer.close()
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
            if not chosen.reader.at_eof():
                return chosen
            chosen.retire()
        return None

    def put_back(self, used: Worker) -> None:
        used.idle_since = clock.monotonic()
        self.idle.append(used)
        unused_before = used.idle_since - IDLE_SECONDS
        while len(self.idle) > KEPT_IDLE and self.idle[0].idle_since < unused_before:
            self.idle.popleft().retire()


async def receive(reader: asyncio.StreamReader) -> Any:
    (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    return json.loads(await reader.readexactly(length))
