"""What crosses the edge: one request in, one response out, as plain values.

Paths and queries stay as they came on the wire (percent-encoded), so that a signature over them stays valid;
header names keep the case they were given in and are compared without it.
"""

from dataclasses import dataclass
from io import BufferedRandom
from typing import TypeAlias

Headers: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, read whole."""

    method: str
    path: str  # raw, without the query
    query: str  # raw, without the question mark
    headers: Headers
    body: bytes
    source_ip: str
    file: BufferedRandom | None = None
    """Holds a body that is too large for memory; `body` is empty then. Closed after the answer."""

    def header(self, name: str) -> str | None:
        """The first value of the header, whatever the case of its name."""
        return header(self.headers, name)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response, sent whole."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value of the header, whatever the case of its name."""
        return header(self.headers, name)


def header(headers: Headers, name: str) -> str | None:
    """The first value under `name`.

    >>> header((("Content-Type", "text/plain"),), "content-type")
    'text/plain'
    """
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)
