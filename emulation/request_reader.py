"""Bytes of one connection to requests, by httptools, knowing nothing of sockets.

Invariant: what one request holds is bounded, by the limit of its head and that of its body, and trailers are
not headers.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import httptools

from emulation import clock
from emulation.http import Headers, Request

# Far beyond the service's 10,240 bytes, which the AWS APIs on the same port do not share.
HEAD_LIMIT_BYTES = 64 * 1024

BodyLimit: TypeAlias = Callable[[str], int | None]
"""How many bytes of a body are read for a raw path; None sets no limit."""


class Unreadable(Exception):
    """What came is no request, or one with too long a head; nothing after it can be read."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Arrived(NamedTuple):
    """A request, read whole unless its body is beyond the limit; after the last one nothing is read."""

    request: Request
    is_last: bool


class RequestReader:
    """Calls `arrived` with each request, and `expected` when a client waits before it sends a body.

    A body beyond its limit arrives as far as it was read, enough to tell that it is, and is the last.
    """

    def __init__(
        self,
        source_ip: str,
        *,
        body_limit: BodyLimit,
        arrived: Callable[[Arrived], None],
        expected: Callable[[], None],
    ) -> None:
        self._source_ip = source_ip
        self._body_limit = body_limit
        self._arrived = arrived
        self._expected = expected
        self._parser = httptools.HttpRequestParser(self)
        self.began_at: float | None = None  # when the request that is being read began
        self._over = False
        self._head: tuple[str, str, str, Headers] | None = None  # method, path, query, headers
        self._head_bytes = 0
        self._url = b""
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._limit: int | None = None
        self._waits = False

    def feed(self, data: bytes) -> None:
        """Reads on; raises Unreadable."""
        while data and not self._over:
            data = self._parse(data)

    def _parse(self, data: bytes) -> bytes:
        """What is left to be read after the data."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:  # not taken, so what follows is HTTP as before
            self._parser = httptools.HttpRequestParser(self)
            return data[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            self._over = True
            raise Unreadable(400, "Bad Request") from error
        if self.began_at is not None and self._head is None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_LIMIT_BYTES:
                self._over = True
                raise Unreadable(431, "Request Header Fields Too Large")
        return b""

    # What httptools calls, in this order:

    def on_message_begin(self) -> None:
        self.began_at = clock.monotonic()
        self._head, self._head_bytes = None, 0
        self._url, self._headers, self._waits = b"", [], False
        self._body, self._body_bytes = [], 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head is None:
            lowered = name.lower().decode("latin-1")
            self._headers.append((lowered, value.decode("latin-1")))
            self._waits = self._waits or lowered == "expect"

    def on_headers_complete(self) -> None:
        path, query = _target(self._url)
        self._head = self._parser.get_method().decode(), path, query, tuple(self._headers)
        self._limit = self._body_limit(path)
        if self._waits:
            self._expected()

    def on_body(self, body: bytes) -> None:
        if self._over:
            return
        self._body.append(body)
        self._body_bytes += len(body)
        if self._limit is not None and self._body_bytes > self._limit:
            self._over = True
            self._hand_on(is_last=True)

    def on_message_complete(self) -> None:
        if not self._over:
            self._hand_on(is_last=not self._parser.should_keep_alive())

    def _hand_on(self, *, is_last: bool) -> None:
        assert self._head is not None, "a body before its head"
        method, path, query, headers = self._head
        body = b"".join(self._body)
        self.began_at, self._body = None, []
        self._over = is_last
        self._arrived(Arrived(Request(method, path, query, headers, body, self._source_ip), is_last))


def _target(url: bytes) -> tuple[str, str]:
    """The raw path and query of a request's target, which a client of a proxy writes with scheme and host.

    >>> _target(b"/a%2Fb?c=d?"), _target(b"http://host/a?b"), _target(b"*")
    (('/a%2Fb', 'c=d?'), ('/a', 'b'), ('*', ''))
    """
    target = url.decode("latin-1")
    if "://" in target[:8]:
        target = "/" + target.partition("://")[2].partition("/")[2]
    path, _, query = target.partition("?")
    return path, query
