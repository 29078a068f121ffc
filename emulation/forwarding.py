"""Passes AWS requests on to another endpoint, so unchanged that their signatures stay valid."""

import json

from emulation.http import Request, Response
from emulation.http_client import HttpClient, Unanswered

# They belong to one connection, not to the request.
_HOP_BY_HOP = frozenset(
    ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"]
)


class Forwarder:
    """Sends requests to one endpoint, and hands its answers back as they come."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._http = HttpClient()

    async def forward(self, request: Request) -> Response:
        """The endpoint's answer, or 502 if there is none. It waits as long as the endpoint does."""
        query = f"?{request.query}" if request.query else ""
        headers = [(name, value) for name, value in request.headers if name.lower() not in _HOP_BY_HOP]
        try:
            answer = await self._http.send(
                request.method,
                f"{self._endpoint}{request.path}{query}",
                headers=headers,
                body=request.file or request.body,
            )
        except Unanswered as error:
            message = f"the AWS endpoint {self._endpoint} did not answer: {type(error).__name__}"
            body = json.dumps({"message": message}).encode()
            return Response(502, (("Content-Type", "application/json"),), body)
        kept = [(name, value) for name, value in answer.headers if name.lower() not in _HOP_BY_HOP]
        return Response(answer.status, tuple(kept), answer.body)

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.close()
