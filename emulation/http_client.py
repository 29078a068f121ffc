"""Sends HTTP requests as they are, adds nothing to them, and hands the answers back as they come."""

from collections.abc import Iterable
from typing import BinaryIO

import aiohttp
from yarl import URL

from emulation.http import Response

CONNECT_SECONDS = 5
# aiohttp would add its own where the sender gave none.
_NOT_ADDED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class Unanswered(Exception):
    """There is no answer: the connection was refused, or broke."""


class InvalidAddress(Unanswered):
    """The URL is none, its host is unknown, or the host's certificate is another's."""


class TimedOut(Unanswered):
    """The answer did not come in time."""


class AnswerTooLarge(Unanswered):
    """The answer's body is beyond the limit."""


class HttpClient:
    """Keeps its connections open until it is closed; used in one event loop."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Iterable[tuple[str, str]],
        body: bytes | BinaryIO,
        timeout_seconds: float | None = None,
        limit_bytes: int | None = None,
    ) -> Response:
        """The answer, or Unanswered. It waits as long as the other side does if no time-out is given."""
        timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=CONNECT_SECONDS)
        try:
            async with self._connected().request(
                method,
                URL(url, encoded=True),
                headers=[(name, _as_written(value)) for name, value in headers],
                data=body or None,
                allow_redirects=False,
                timeout=timeout,
            ) as answer:
                given = tuple(
                    (name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.raw_headers
                )
                return Response(answer.status, given, await _body(answer, limit_bytes))
        except TimeoutError as error:
            raise TimedOut(url) from error
        except (
            ValueError,  # aiohttp's InvalidURL is one, and so is whatever else yarl finds wrong
            aiohttp.NonHttpUrlClientError,
            aiohttp.ClientConnectorDNSError,
            aiohttp.ClientConnectorCertificateError,
        ) as error:
            raise InvalidAddress(f"{url}: {type(error).__name__}") from error
        except aiohttp.ClientError as error:
            raise Unanswered(f"{url}: {type(error).__name__}") from error

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                skip_auto_headers=_NOT_ADDED,
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _as_written(value: str) -> str:
    """What aiohttp, which writes UTF-8, makes the same bytes of: here a character is a byte (Latin-1)."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


async def _body(answer: aiohttp.ClientResponse, limit_bytes: int | None) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if limit_bytes is not None and len(body) > limit_bytes:
            raise AnswerTooLarge(f"{answer.url}: more than {limit_bytes} bytes")
    return bytes(body)
