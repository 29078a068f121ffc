"""HTTP/1.1 on one port, in somebody else's event loop: started, and stopped with grace."""

import asyncio
import socket
from contextlib import suppress

from emulation.connection import Application, Connection
from emulation.patience import Patience

# As many clients may be waiting to be accepted, or the kernel turns them away.
BACKLOG = 2048
# What is answered when a stop has cut it short is small, and read at once by whoever is there.
FLUSH_SECONDS = 0.5


class HttpServer:
    """Serves an application, from `start` to `stop`."""

    def __init__(self, application: Application, patience: Patience | None = None) -> None:
        self._application = application
        self._patience = patience or Patience()
        self._connections: set[Connection] = set()
        self._none_left = asyncio.Event()
        self._listening: asyncio.Server | None = None

    @property
    def in_flight(self) -> int:
        """How many requests are being read or answered."""
        return sum(each.is_busy for each in self._connections)

    async def start(self, host: str, port: int) -> int:
        """Listens, and returns the port; port 0 takes any free one. OSError if it is taken."""
        listener = listen(host, port)
        try:
            self._listening = await asyncio.get_running_loop().create_server(
                self._connection, sock=listener, backlog=BACKLOG
            )
        except OSError:
            listener.close()
            raise
        return int(listener.getsockname()[1])

    async def stop(self, *, grace_seconds: float) -> None:
        """Frees the port, closes idle connections, and lets the others end what they soon do."""
        if self._listening is None:
            return
        self._listening.close()
        self._listening = None
        for each in tuple(self._connections):
            each.finish()
        await self._emptied(grace_seconds)
        for each in tuple(self._connections):
            each.end()
        await self._emptied(FLUSH_SECONDS)
        for each in tuple(self._connections):
            each.abort()

    def _connection(self) -> Connection:
        made = Connection(self._application, self._patience, ended=self._ended)
        self._connections.add(made)
        return made

    def _ended(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._none_left.set()

    async def _emptied(self, seconds: float) -> None:
        """Returns once no connection is left, or after so long."""
        if self._connections:
            self._none_left.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._none_left.wait(), seconds)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, or OSError if the port is taken."""
    # With the protocol spelt out asyncio turns Nagle's algorithm off; else each answer takes 40 ms more.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)  # until it listens, another process can bind the same port
    except OSError:
        listener.close()
        raise
    return listener
