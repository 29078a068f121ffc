"""Who calls, and what shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from chalicelib.domain.access_token import AccessToken
from chalicelib.domain.client import Client
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.key_ring import KeyRing
from chalicelib.domain.tallies import Counted


class Tenants(Protocol):
    """The tenants and their plans."""

    def get(self, tenant_id: str) -> Tenant | None:
        """The tenant as last written."""


class Clients(Protocol):
    """The credentials that the token endpoint knows."""

    def get(self, client_id: str) -> Client | None:
        """The client as last written."""


class KeyRings(Protocol):
    """The public halves of the keys that sign access tokens."""

    def get(self) -> KeyRing:
        """The ring as last written; an empty one if there is none."""


class Keys(Protocol):
    """Private keys and secrets. They leave this port for the library that signs, and go nowhere else."""

    def token_key(self, kid: str) -> str:
        """The private JWK (JSON text) that signs access tokens under this name."""

    def cursor_key(self) -> bytes:
        """The 32 bytes that sign the cursors of lists."""


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A token that is ours, for us and live, and the key that it was signed with."""

    token: AccessToken
    kid: str

    @property
    def subjects(self) -> frozenset[str]:
        """Whatever takes this token back when it is revoked."""
        return frozenset((self.token.token_id, self.token.client_id, self.token.tenant_id, self.kid))


class Tokens(Protocol):
    """Access tokens (RFC 9068), verified without asking anyone once their key is known."""

    def sign(self, token: AccessToken) -> str:
        """The compact JWS."""

    def verify(self, token: str) -> VerifiedToken:
        """What a token says that is ours, for us and live now; else `InvalidToken`."""

    def public_keys(self) -> Sequence[dict[str, JsonValue]]:
        """The published keys, as JWKs."""


class Revocations(Protocol):
    """What was taken back before it expires: tokens, clients, tenants and keys, by their ids."""

    def revoke(self, subject: str, *, until: datetime) -> None:
        """The subject is in force no more, for every reader from now on; again changes nothing.

        `until` is when it is of no use anyway, by any clock that is right enough.
        """

    def in_force(self, *, now: datetime) -> frozenset[str]:
        """The ids of all revoked subjects but those whose `until` is past."""


class Tallies(Protocol):
    """What happens at the token endpoints, counted a minute."""

    def add(self, counted: Sequence[Counted], *, now: datetime) -> None:
        """One more of each in the minute of `now`; a lost answer may count it twice."""

    def spent(self, counted: Sequence[Counted], *, now: datetime) -> bool:
        """Whether one of them has come as often in this minute as it may."""


class SingleUse(Protocol):
    """Ids that are good once: of assertions and proofs."""

    def claim(self, used_id: str, *, until: datetime, now: datetime) -> bool:
        """Whether the caller is the first with this id; one that is past its `until` is free again."""
