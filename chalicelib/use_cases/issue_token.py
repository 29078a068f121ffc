"""Client credentials for an access token (RFC 6749 §4.4), in the shape of RFC 9068."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pydantic import JsonValue

from chalicelib.ports import Clients, Clock, Ids, Tokens
from chalicelib.use_cases.authenticate_client import Credentials, TokenErrorCode, TokenRefused, authenticate

TOKEN_LIFETIME = timedelta(minutes=10)
# Clocks of machines differ by seconds; the limit that we document is a minute.
SKEW = timedelta(seconds=60)
SCOPES = ("jobs:cancel", "jobs:read", "jobs:write", "usage:read")


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

    def __call__(self, credentials: Credentials, *, scope: tuple[str, ...]) -> IssuedToken:
        """The token, or `TokenRefused`; an empty `scope` asks for all that the client may have."""
        client = authenticate(self.clients, credentials)
        granted = scope or client.scopes
        if not set(granted) <= set(client.scopes):
            raise TokenRefused(
                TokenErrorCode.INVALID_SCOPE, f"This client may ask for: {' '.join(client.scopes)}."
            )
        return IssuedToken(
            access_token=self.tokens.sign(self._claims(client.tenant_id, client.client_id, granted)),
            expires_in=int(TOKEN_LIFETIME.total_seconds()),
            scope=granted,
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
