"""Bytes of one connection to requests, by httptools, knowing nothing of sockets.

Invariant: what one request holds is bounded, by the limit of its head and that of its body, in memory by
`IN_MEMORY_BYTES`; and trailers are not headers.
"""

import tempfile
from collections.abc import Callable
from io import BufferedRandom
from typing import NamedTuple, TypeAlias

import httptools

from emulation import clock
from emulation.http import Headers, Request, header

# Far beyond the service's 10,240 bytes, which the AWS APIs on the same port do not share.
HEAD_LIMIT_BYTES = 64 * 1024

# A larger body goes to a file: more than any API takes but S3 (DynamoDB 16 MB, API Gateway 10).
IN_MEMORY_BYTES = 16 * 1024 * 1024

# Headers without which a request has no body.
_FRAMING = frozenset(["content-length", "transfer-encoding"])

BodyLimit: TypeAlias = Callable[[str], int]
"""How many bytes of a body are read for a raw path."""


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

    A body beyond its limit arrives as far as it was read, enough to tell that it is, and is the last. One
    that would go to a file, and says that it is beyond, is not read at all.
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
        self._file: BufferedRandom | None = None
        self._limit = 0
        self._waits = False

    def abandon(self) -> None:
        """Forgets what was read of a request that will not come."""
        if self._file is not None:
            self._file.close()

    def feed(self, data: bytes) -> None:
        """Reads on; raises Unreadable."""
        while data and not self._over:
            data = self._parse(data)

    def _parse(self, data: bytes) -> bytes:
        """What is left to be read after the data."""
        body_bytes = self._body_bytes
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            left = data[upgrade.args[0] :]
            again = b"" if self._parser.get_method() == b"CONNECT" else self._head_without_upgrade()
            self._parser = httptools.HttpRequestParser(self)
            return again + left
        except httptools.HttpParserError as error:
            self._over = True
            if isinstance(error.__context__, Unreadable):  # raised in a callback
                raise error.__context__ from None
            raise Unreadable(400, "Bad Request") from error
        if self._body_bytes != body_bytes:
            self._head_bytes = 0
        elif self.began_at is not None and (self._head is None or self._body_bytes):
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_LIMIT_BYTES:
                self._over = True
                raise Unreadable(431, "Request Header Fields Too Large")
        return b""

    def _head_without_upgrade(self) -> bytes:
        """The head once more. No upgrade is taken, and the parser would read the body as the next request."""
        version = self._parser.get_http_version()
        lines = [f"{self._parser.get_method().decode()} {self._url.decode('latin-1')} HTTP/{version}"]
        lines += [f"{name}: {value}" for name, value in self._headers if name.lower() != "upgrade"]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    @property
    def _is_read_again(self) -> bool:
        return self._parser.should_upgrade() and self._parser.get_method() != b"CONNECT"

    # What httptools calls, in this order:

    def on_message_begin(self) -> None:
        self.began_at = clock.monotonic()
        self._head, self._head_bytes = None, 0
        self._url, self._headers, self._waits = b"", [], False
        self._body, self._body_bytes, self._file = [], 0, None

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head is None:
            self._headers.append((name.decode("latin-1"), value.decode("latin-1")))
            self._waits = self._waits or (name.lower() == b"expect" and value.lower() == b"100-continue")

    def on_headers_complete(self) -> None:
        if self._is_read_again:
            return
        version = self._parser.get_http_version()
        _check_head(version, self._parser.get_method(), self._headers)
        path, query = _target(self._url)
        self._head = self._parser.get_method().decode(), path, query, tuple(self._headers)
        self._limit = self._body_limit(path)
        if self._limit > IN_MEMORY_BYTES and declared_bytes(self._head[3]) > self._limit:
            self._hand_on(is_last=True)
        elif self._waits and version == "1.1" and any(name.lower() in _FRAMING for name, _ in self._headers):
            self._expected()

    def on_body(self, body: bytes) -> None:
        if self._over:
            return
        self._body.append(body)
        self._body_bytes += len(body)
        if self._body_bytes > self._limit:
            self._over = True
            self._hand_on(is_last=True)
        elif self._body_bytes > IN_MEMORY_BYTES:
            self._write_to_file()

    def _write_to_file(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 closed by who answers, or by `abandon`
        self._file.writelines(self._body)
        self._body = []

    def on_message_complete(self) -> None:
        if not self._over and not self._is_read_again:
            self._hand_on(is_last=not self._parser.should_keep_alive())

    def _hand_on(self, *, is_last: bool) -> None:
        assert self._head is not None, "a body before its head"
        method, path, query, headers = self._head
        if self._file is not None:
            self._write_to_file()
        body, file = b"".join(self._body), self._file
        self.began_at, self._body, self._file = None, [], None
        self._over = is_last
        request = Request(method, path, query, headers, body, self._source_ip, file)
        self._arrived(Arrived(request, is_last))


def declared_bytes(headers: Headers) -> int:
    """The length that a head gives its body; 0 if it gives none."""
    return int(header(headers, "content-length") or 0)


def _check_head(version: str, method: bytes, headers: list[tuple[str, str]]) -> None:
    """Raises Unreadable if RFC 9112 demands it and the parser lets it pass."""
    names = [name.lower() for name, _ in headers]
    if version not in ("1.0", "1.1"):
        raise Unreadable(505, "HTTP Version Not Supported")
    if names.count("host") > 1 or (version == "1.1" and "host" not in names):
        raise Unreadable(400, "Bad Request: a request has one Host")
    codings = [value.strip().lower() for name, value in headers if name.lower() == "transfer-encoding"]
    if any(coding != "chunked" for coding in codings):
        raise Unreadable(501, "Not Implemented: of transfer codings only chunked is read")
    if codings and version == "1.0":
        raise Unreadable(400, "Bad Request: HTTP/1.0 has no Transfer-Encoding")
    if method == b"CONNECT" and not _FRAMING.isdisjoint(names):
        raise Unreadable(400, "Bad Request: a CONNECT has no body")


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
