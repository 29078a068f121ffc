"""One client's connection: its requests are answered one at a time, in their order.

Invariant: whatever the client does, the connection holds a bounded amount for a bounded time. One that stops
sending is told so with 408, one that does not read its answers is cut off, one that goes away leaves nothing
but the request it made, which is answered to its end as in the service and then forgotten.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from math import inf
from typing import cast

from emulation import clock
from emulation.http import Request, Response
from emulation.patience import Patience
from emulation.request_reader import Arrived, BodyLimit, RequestReader, Unreadable
from emulation.response_bytes import PIECE_BYTES, encoded, pieces

_LOG = logging.getLogger(__name__)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What is served, and how much of a body is read for it."""

    answer: Callable[[Request], Awaitable[Response]]
    body_limit: BodyLimit


class Connection(asyncio.Protocol):
    """Serves one client until either side ends the connection.

    `ended` is called once nothing is left of it: no socket, and no request that is still being answered.
    """

    def __init__(
        self, application: Application, patience: Patience, *, ended: Callable[["Connection"], None]
    ) -> None:
        self._application = application
        self._patience = patience
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Arrived | Response] = deque()  # a response ends the connection
        self._answering: asyncio.Task[None] | None = None
        self._stalled_at: float | None = None  # since then the client has not read its answers
        self._is_deaf = False  # until the client's next request is due
        self._is_finishing = False  # the next answer is the last one
        self._is_over = False  # what still comes is not answered
        self._is_lost = False
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._is_half_written = False

    @property
    def is_busy(self) -> bool:
        """Whether a request is being read or answered."""
        return self._answering is not None or (self._reader.began_at is not None and not self._is_over)

    def finish(self) -> None:
        """Ends the connection after what it is reading or answering."""
        self._is_finishing = True
        if not self.is_busy:
            self._transport.close()

    def end(self) -> None:
        """Ends the connection; a client that still waits for an answer is told that there is none."""
        if self._is_half_written:
            self._transport.abort()
        elif self.is_busy and not self._is_lost:
            self._transport.write(encoded(_told(503, "the edge is stopping"), "", is_last=True))
        self._transport.close()
        self._forget_waiting()
        if self._answering is not None:
            self._answering.cancel()
            self._answered()

    def abort(self) -> None:
        """Ends the connection whatever the client has not read yet."""
        self._transport.abort()

    # What the event loop calls:

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._reader = RequestReader(
            transport.get_extra_info("peername")[0],
            body_limit=self._application.body_limit,
            arrived=self._arrived,
            expected=self._expected,
        )
        self._free_since = clock.monotonic()
        self._watching = self._loop.call_later(self._patience.request_seconds, self._watch)

    def data_received(self, data: bytes) -> None:
        if not self._is_over:
            try:
                self._reader.feed(data)
            except Unreadable as error:
                self._waiting.append(_told(error.status, error.message))
                self._answer_next()

    def pause_writing(self) -> None:
        self._stalled_at = clock.monotonic()
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._stalled_at = None
        self._may_write.set()
        self._free_since = clock.monotonic()
        self._answer_next()

    def connection_lost(self, reason: Exception | None) -> None:
        self._is_over = self._is_lost = True
        self._may_write.set()
        self._reader.abandon()
        self._forget_waiting()
        self._watching.cancel()
        if self._answering is None:
            self._ended(self)

    # What the reader calls:

    def _arrived(self, arrived: Arrived) -> None:
        self._waiting.append(arrived)
        self._answer_next()
        if self._waiting:  # a client need not wait for its answer to ask again, but is not heard until then
            self._is_deaf = True
            self._transport.pause_reading()

    def _expected(self) -> None:
        if not self._waiting and self._answering is None:  # else it would stand before another's answer
            self._transport.write(_CONTINUE)

    # One request after the other:

    def _answer_next(self) -> None:
        if self._answering is not None or self._stalled_at is not None or not self._waiting:
            return
        asked = self._waiting.popleft()
        if isinstance(asked, Response):
            self._transport.write(encoded(asked, "", is_last=True))
            self._linger()
        else:
            self._answering = self._loop.create_task(self._answer(asked))

    async def _answer(self, asked: Arrived) -> None:
        request, is_last = asked
        try:
            response = await self._application.answer(request)
            is_last = is_last or self._is_finishing
            answer, rest = pieces(response, request.method, is_last=is_last)
        except Exception:  # the outermost catch-all of whatever is served
            _LOG.exception("a %s was not answered", request.method)
            answer, is_last = encoded(_told(500, "Internal Server Error"), request.method, is_last=True), True
            rest = memoryview(b"")
        finally:
            _forget(request)
        if rest and not self._is_lost:
            self._transport.write(answer)
            answer = await self._write_all_but_the_end(rest)
        self._answered()
        if self._is_lost:
            return
        self._transport.write(answer)
        if is_last:
            self._linger()
            return
        if self._is_deaf and not self._waiting:
            self._is_deaf = False
            self._transport.resume_reading()
        self._answer_next()

    async def _write_all_but_the_end(self, body: memoryview) -> memoryview:
        """Writes as the client reads, and hands back the last piece; ends early if the client is lost."""
        self._is_half_written = True
        while len(body) > PIECE_BYTES and not self._is_lost:
            await self._may_write.wait()
            self._transport.write(body[:PIECE_BYTES])
            body = body[PIECE_BYTES:]
        await self._may_write.wait()
        self._is_half_written = False
        return body

    def _forget_waiting(self) -> None:
        for each in self._waiting:
            if not isinstance(each, Response):
                _forget(each.request)
        self._waiting.clear()

    def _answered(self) -> None:
        self._answering = None
        self._free_since = clock.monotonic()
        if self._is_lost:
            self._ended(self)

    # How long a client may take:

    def _watch(self) -> None:
        """Ends a connection whose time is over; else looks again when it may be, for none is sooner over."""
        now, patience = clock.monotonic(), self._patience
        until = self._until()
        if now < until:
            self._watching = self._loop.call_later(min(patience.request_seconds, until - now), self._watch)
        elif self._reader.began_at is not None and self._stalled_at is None and not self._is_over:
            self._waiting.append(_told(408, "Request Timeout"))
            self._answer_next()
        else:
            self._transport.abort()

    def _until(self) -> float:
        """When the client's time is over, unless something happens before; never, while it waits for us."""
        if self._stalled_at is not None:
            return self._stalled_at + self._patience.request_seconds
        if self._is_over:
            return self._free_since + self._patience.linger_seconds
        if self._answering is not None:
            return inf
        if self._reader.began_at is not None:
            return max(self._reader.began_at, self._free_since) + self._patience.request_seconds
        return self._free_since + self._patience.idle_seconds

    def _linger(self) -> None:
        """After the last answer: nothing that comes is heard, and the client is left time to read."""
        self._is_over = True
        self._forget_waiting()
        self._transport.write_eof()
        self._transport.resume_reading()  # and forgets what is read: a socket closed on it would be reset
        self._watching.cancel()
        self._watching = self._loop.call_later(self._patience.linger_seconds, self._watch)


def _forget(request: Request) -> None:
    if request.file is not None:
        request.file.close()


def _told(status: int, message: str) -> Response:
    """What the server itself says of bytes that are no request: a problem of no type (RFC 9457)."""
    problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": message}
    return Response(status, (("Content-Type", "application/problem+json"),), json.dumps(problem).encode())
