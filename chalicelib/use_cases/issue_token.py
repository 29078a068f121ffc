"""Client credentials for an access token (RFC 6749 §4.4), in the shape of RFC 9068."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pydantic import JsonValue

from chalicelib.ports import Clients, Clock, Ids, Tokens

TOKEN_LIFETIME = timedelta(minutes=10)
SCOPES = ("jobs:cancel", "jobs:read", "jobs:write")


class TokenErrorCode(StrEnum):
    """The error codes of RFC 6749 §5.2 that can arise here."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    INVALID_SCOPE = "invalid_scope"


class TokenRefused(Exception):
    """No token; `code` says why in RFC 6749's words."""

    def __init__(self, code: TokenErrorCode, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """What a client asks for; an empty `scope` asks for all that it may have."""

    client_id: str
    client_secret: str
    scope: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A signed access token and what it allows."""

    access_token: str
    expires_in: int
    scope: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueToken:
    """A token for exactly the tenant of a client that proved its secret."""

    clients: Clients
    tokens: Tokens
    clock: Clock
    ids: Ids
    issuer: str

    def __call__(self, request: TokenRequest) -> IssuedToken:
        """The token, or `TokenRefused`; an unknown client and a wrong secret look alike."""
        client = self.clients.get(request.client_id)
        offered = hashlib.sha256(request.client_secret.encode()).hexdigest()
        if not hmac.compare_digest(offered, client.secret_sha256 if client else ""):
            raise TokenRefused(TokenErrorCode.INVALID_CLIENT, "Unknown client or wrong secret.")
        assert client is not None, "an empty digest equals no SHA-256"
        scope = request.scope or client.scopes
        if not set(scope) <= set(client.scopes):
            raise TokenRefused(
                TokenErrorCode.INVALID_SCOPE, f"This client may ask for: {' '.join(client.scopes)}."
            )
        claims = self._claims(client.tenant_id, client.client_id, scope)
        return IssuedToken(
            access_token=self.tokens.sign(claims),
            expires_in=int(TOKEN_LIFETIME.total_seconds()),
            scope=scope,
        )

    def _claims(self, tenant_id: str, client_id: str, scope: tuple[str, ...]) -> Mapping[str, JsonValue]:
        issued_at = int(self.clock.now().timestamp())
        return {
            "iss": self.issuer,
            "aud": self.issuer,
            "sub": tenant_id,
            "client_id": client_id,
            "iat": issued_at,
            "exp": issued_at + int(TOKEN_LIFETIME.total_seconds()),
            "jti": self.ids.new_id("tok_"),
            "scope": " ".join(scope),
        }
