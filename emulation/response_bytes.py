"""A response as HTTP/1.1 has it on the wire."""

from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from emulation import clock
from emulation.http import Response

# A longer answer is written in pieces of this size, each when the client has read most of the one before.
PIECE_BYTES = 1024 * 1024
_BODILESS = frozenset([204, 304])
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_SYSTEM_CLOCK = clock.SystemClock()


def pieces(response: Response, method: str, *, is_last: bool) -> tuple[bytes | memoryview, memoryview]:
    """What to write at once, and what after it: a large body is not copied to stand behind its head."""
    if len(response.body) <= PIECE_BYTES or method == "HEAD":
        return encoded(response, method, is_last=is_last), memoryview(b"")
    head = _head(response, method, is_last=is_last)
    return head, memoryview(response.body if _has_body(response) else b"")


def encoded(response: Response, method: str, *, is_last: bool) -> bytes:
    """The response with its true length and the date; that of a HEAD is as long as the answering side says.

    A 204 or a 304 ends with its head, whatever body it was given. ValueError if a header would be two.
    """
    body = response.body if _has_body(response) and method != "HEAD" else b""
    return _head(response, method, is_last=is_last) + body


def _has_body(response: Response) -> bool:
    return response.status not in _BODILESS


def _head(response: Response, method: str, *, is_last: bool) -> bytes:
    """Everything of the response before its body."""
    declares_length = method == "HEAD" and response.header("content-length") is not None
    lines = [_STATUS_LINES.get(response.status) or f"HTTP/1.1 {response.status} \r\n"]
    for name, value in response.headers:
        if declares_length or name.lower() != "content-length":
            lines.append(f"{name}: {value}\r\n")
    if _has_body(response) and not declares_length:
        lines.append(f"Content-Length: {len(response.body)}\r\n")
    if is_last:
        lines.append("Connection: close\r\n")
    lines.append(f"Date: {_date(int(_SYSTEM_CLOCK.now()))}\r\n")
    head = "".join(lines)
    if not len(lines) == head.count("\n") == head.count("\r"):
        raise ValueError(f"a header of {response.headers} holds the end of a line")
    return f"{head}\r\n".encode("latin-1", errors="replace")


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
