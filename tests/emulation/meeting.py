"""Where functions of the test app report, and wait until the test lets them go on: time without a clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Guest:
    """A function that has reported, and waits."""

    line: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def let_go(self, answer: str = "go") -> None:
        self.writer.write(answer.encode() + b"\n")
        await self.gone()

    async def gone(self) -> None:
        """Returns once its process has hung up: it went on, or it is no more."""
        await self.reader.read()
        self.writer.close()


@dataclass(slots=True)
class MeetingPoint:
    """A port of this machine, and the guests that have come."""

    port: int = 0
    arrived: asyncio.Queue[Guest] = field(default_factory=asyncio.Queue)

    async def guest(self) -> Guest:
        return await asyncio.wait_for(self.arrived.get(), timeout=20)

    async def _arrive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode().strip()
        self.arrived.put_nowait(Guest(line, reader, writer))


@asynccontextmanager
async def meeting_point() -> AsyncIterator[MeetingPoint]:
    point = MeetingPoint()
    server = await asyncio.start_server(point._arrive, "127.0.0.1", 0)
    point.port = server.sockets[0].getsockname()[1]
    async with server:
        yield point
