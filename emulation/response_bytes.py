"""A response as HTTP/1.1 has it on the wire."""

from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from emulation import clock
from emulation.http import Response

_BODILESS = frozenset([204, 304])
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_SYSTEM_CLOCK = clock.SystemClock()


def encoded(response: Response, method: str, *, is_last: bool) -> bytes:
    """The response with its true length and the date; that of a HEAD is as long as the answering side says.

    A 204 or a 304 ends with its head, whatever body it was given. ValueError if a header would be two.
    """
    has_body = response.status not in _BODILESS
    declares_length = method == "HEAD" and response.header("content-length") is not None
    lines = [_STATUS_LINES.get(response.status) or f"HTTP/1.1 {response.status} \r\n"]
    for name, value in response.headers:
        if declares_length or name.lower() != "content-length":
            lines.append(f"{name}: {value}\r\n")
    if has_body and not declares_length:
        lines.append(f"Content-Length: {len(response.body)}\r\n")
    if is_last:
        lines.append("Connection: close\r\n")
    lines.append(f"Date: {_date(int(_SYSTEM_CLOCK.now()))}\r\n")
    head = "".join(lines)
    if not len(lines) == head.count("\n") == head.count("\r"):
        raise ValueError(f"a header of {response.headers} holds the end of a line")
    body = response.body if has_body and method != "HEAD" else b""
    return f"{head}\r\n".encode("latin-1", errors="replace") + body


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
