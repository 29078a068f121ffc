"""HTTP with a server that may do anything: what it answers is whole, of a bounded size, and there in time.

No redirect is followed, no proxy of the environment used, no encoding of the body undone and nothing tried
twice. Errors name no URL, where a key may stand, and repeat nothing that the server said.
"""

import socket
from collections.abc import Mapping
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from chalicelib.adapters.system import SystemClock

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

OK = 200
READ_BYTES = 2**16


class NoAnswer(Exception):
    """There is no answer of the form that was asked for; the message says how that shows."""


class TooLarge(NoAnswer):
    """The answer has more bytes than are read."""


class BoundedHttp:
    """Posts to one server: to connect, to send and to be answered take `timeout_seconds` each at most."""

    def __init__(self, url: str, *, timeout_seconds: float, answer_bytes: int) -> None:
        self._url = url
        self._answer_bytes = answer_bytes
        # Without retries, a redirect is an answer too.
        self._pools = PoolManager(timeout=timeout_seconds, retries=False)
        self._pools.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def post(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The body of a 200, or `NoAnswer`."""
        try:
            with self._pools.request(
                "POST",
                self._url,
                body=body,
                headers=headers,
                preload_content=False,
                decode_content=False,
            ) as response:
                if response.status != OK:
                    raise NoAnswer(f"HTTP status {response.status}")
                answer = bytearray()
                while chunk := response.read1(READ_BYTES):
                    answer += chunk
                    if len(answer) > self._answer_bytes:
                        raise TooLarge(f"more than {self._answer_bytes} bytes")
                return bytes(answer)
        except HTTPError as error:
            raise NoAnswer(type(error).__name__) from None


class _UntilDeadline(RawIOBase):
    """What a socket receives until its time-out, counted from now, is over for all reads together."""

    def __init__(self, sock: socket.socket, received: RawIOBase) -> None:
        self._clock = SystemClock()
        self._deadline = self._clock.monotonic() + (sock.gettimeout() or 0)
        self._sock = sock
        self._received = received

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        left = self._deadline - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._received.readinto(buffer)

    def close(self) -> None:
        self._received.close()
        super().close()


class _Response(HTTPResponse):
    """One that cannot trickle: a time-out for each read would let it come byte by byte, the header too."""

    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None) -> None:
        super().__init__(sock, debuglevel, method)
        self.fp = BufferedReader(_UntilDeadline(sock, self.fp.detach()))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
