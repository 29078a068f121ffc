"""Which client calls the token and revocation endpoints; every refusal there is in RFC 6749's words."""

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.ports import Client, Clients


class TokenErrorCode(StrEnum):
    """The error codes of RFC 6749 §5.2 that can arise here."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    INVALID_SCOPE = "invalid_scope"


class TokenRefused(Exception):
    """Neither a token nor a revocation; `code` says why."""

    def __init__(self, code: TokenErrorCode, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client offers as its id and secret."""

    client_id: str
    client_secret: str


def authenticate(clients: Clients, credentials: Credentials) -> Client:
    """The client that proved its secret; an unknown client and a wrong secret are refused alike."""
    client = clients.get(credentials.client_id)
    offered = hashlib.sha256(credentials.client_secret.encode()).hexdigest()
    if not hmac.compare_digest(offered, client.secret_sha256 if client else ""):
        raise TokenRefused(TokenErrorCode.INVALID_CLIENT, "Unknown client or wrong secret.")
    assert client is not None, "an empty digest equals no SHA-256"
    return client
