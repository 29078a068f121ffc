"""Passes AWS requests on to another endpoint, so unchanged that their signatures stay valid."""

import json

import aiohttp
from yarl import URL

from emulation.http import Request, Response

# They belong to one connection, not to the request.
_HOP_BY_HOP = frozenset(
    ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"]
)
# aiohttp would add its own where the client sent none.
_NOT_ADDED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class Forwarder:
    """Sends requests to one endpoint, and hands its answers back as they come."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def forward(self, request: Request) -> Response:
        """The endpoint's answer, or 502 if there is none. It waits as long as the endpoint does."""
        query = f"?{request.query}" if request.query else ""
        url = URL(f"{self._endpoint}{request.path}{query}", encoded=True)
        headers = [(name, value) for name, value in request.headers if name.lower() not in _HOP_BY_HOP]
        try:
            async with self._connected().request(
                request.method, url, headers=headers, data=request.body or None, allow_redirects=False
            ) as answer:
                body = await answer.read()
                kept = [
                    (name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP
                ]
                return Response(answer.status, tuple(kept), body)
        except aiohttp.ClientError as error:
            message = f"the AWS endpoint {self._endpoint} did not answer: {type(error).__name__}"
            body = json.dumps({"message": message}).encode()
            return Response(502, (("Content-Type", "application/json"),), body)

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                skip_auto_headers=_NOT_ADDED,
                timeout=aiohttp.ClientTimeout(total=None, sock_read=None, sock_connect=5),
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session
