"""Access tokens by OAuth 2.0 client credentials (RFC 6749 §4.4, `client_secret_basic`)."""

import base64
import threading
from collections.abc import Generator
from urllib.parse import quote

import httpx

from client.documents import succeeded
from client.system import System

# A token that is about to end may end on its way; no request of ours takes longer than this.
MARGIN_SECONDS = 30.0


class UnknownTokenType(Exception):
    """The token is of a type that this client cannot present, and so must not use (RFC 6749 §7.1)."""


class ClientCredentials(httpx.Auth):
    """Every request carries a live token.

    One is fetched when there is none or it is about to end, and once more when the service refuses it;
    threads that need one at the same time share it. Without one nothing is sent: `ApiProblem` says why, and
    after how many seconds to try again if too many wrong secrets came from here.
    """

    requires_response_body = True

    def __init__(self, token_url: str, client_id: str, client_secret: str, system: System) -> None:
        # RFC 6749 §2.3.1: both are form-encoded before they are joined.
        pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
        self._basic = f"Basic {base64.b64encode(pair.encode()).decode()}"
        self._token_url = token_url
        self._system = system
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at = 0.0

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See `httpx.Auth`."""
        token = yield from self._live_token(refused=None)
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            token = yield from self._live_token(refused=token)
            request.headers["Authorization"] = f"Bearer {token}"
            yield request

    def _live_token(self, *, refused: str | None) -> Generator[httpx.Request, httpx.Response, str]:
        with self._lock:
            is_live = self._token is not None and self._system.monotonic() < self._renew_at
            if self._token is None or not is_live or self._token == refused:
                asked_at = self._system.monotonic()
                response = yield self._token_request()
                response.read()
                issued = succeeded(response).json()
                if issued["token_type"].lower() != "bearer":
                    raise UnknownTokenType(issued["token_type"])
                self._token = str(issued["access_token"])
                self._renew_at = asked_at + issued["expires_in"] - MARGIN_SECONDS
            return self._token

    def _token_request(self) -> httpx.Request:
        return httpx.Request(
            "POST",
            self._token_url,
            data={"grant_type": "client_credentials"},
            headers={"Authorization": self._basic},
        )
