"""Who calls, and what shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from chalicelib.domain.entitlements import Tenant


class Tenants(Protocol):
    """The tenants and their plans."""

    def get(self, tenant_id: str) -> Tenant | None:
        """The tenant as last written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A tenant's credential. Only a digest of its secret is stored."""

    client_id: str
    tenant_id: str
    secret_sha256: str
    scopes: tuple[str, ...]


class Clients(Protocol):
    """The credentials that the token endpoint knows."""

    def get(self, client_id: str) -> Client | None:
        """The client as last written."""


class Keys(Protocol):
    """Secrets made at provisioning."""

    def token_key(self) -> str:
        """The private JWK (JSON text) that signs access tokens."""

    def cursor_key(self) -> bytes:
        """The 32 bytes that sign the cursors of lists."""

    def signer_key(self, address: str) -> bytes:
        """The 32-byte private key of a chain signer."""


class Tokens(Protocol):
    """Access tokens (RFC 9068), signed and verified without asking anyone once the key is known."""

    def sign(self, claims: Mapping[str, JsonValue]) -> str:
        """The compact JWS."""

    def verify(self, token: str) -> Mapping[str, JsonValue]:
        """The claims of a token that is ours, for us and live now; else `InvalidToken`."""

    def public_keys(self) -> Mapping[str, JsonValue]:
        """The JWK set to verify with."""


class Revocations(Protocol):
    """Access tokens taken back before they expire. What has expired anyway need not be remembered."""

    def revoke(self, token_id: str, *, until: datetime) -> None:
        """The token is in force no more, for every reader from now on; again changes nothing.

        `until` is when the token has expired by any clock that is right enough.
        """

    def in_force(self, *, now: datetime) -> frozenset[str]:
        """The ids of all revoked tokens but those whose `until` is past."""
