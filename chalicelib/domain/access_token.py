"""What an access token says (RFC 9068), and what takes it back before it expires."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import JsonValue

from chalicelib.domain.key_ring import KNOWN_FOR, SKEW, TOKEN_LIFETIME

SCOPES = ("jobs:cancel", "jobs:read", "jobs:write", "usage:read")
# A function that read its client just before that was revoked may sign a token until its own time is over.
LAST_SIGNED_AFTER = timedelta(seconds=60)
# A stolen key signs tokens of any expiry, so it is listed until nobody can still know it: a minute for who
# reads the ring while the key leaves it, and one for their clock.
KEY_REMEMBERED_FOR = KNOWN_FOR + 2 * SKEW


class Scheme(StrEnum):
    """How a token is presented: by whoever has it, or with a proof of its key (RFC 6750, RFC 9449)."""

    BEARER = "Bearer"
    DPOP = "DPoP"


def scheme_of(thumbprint: str | None) -> Scheme:
    """How a token must be presented that is bound to the key of this thumbprint, or to none."""
    return Scheme.DPOP if thumbprint else Scheme.BEARER


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A token's claims. `thumbprint` is that of the one key that may use it (RFC 7638), if it is bound."""

    token_id: str
    tenant_id: str
    client_id: str
    scopes: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime
    thumbprint: str | None = None

    @property
    def scheme(self) -> Scheme:
        """How it must be presented."""
        return scheme_of(self.thumbprint)

    def to_claims(self, *, issuer: str) -> dict[str, JsonValue]:
        """The claims on the wire; we are the issuer and the audience."""
        bound: Mapping[str, JsonValue] = {"cnf": {"jkt": self.thumbprint}} if self.thumbprint else {}
        return {
            "iss": issuer,
            "aud": issuer,
            "sub": self.tenant_id,
            "client_id": self.client_id,
            "iat": int(self.issued_at.timestamp()),
            "exp": int(self.expires_at.timestamp()),
            "jti": self.token_id,
            "scope": " ".join(self.scopes),
            **bound,
        }


def last_use(*, revoked_at: datetime) -> datetime:
    """Until when a token may look live that was issued before its client or tenant was stopped.

    Twice the skew: the issuer's clock may be ahead of the operator's, and verifiers allow as much again.
    """
    return revoked_at + LAST_SIGNED_AFTER + TOKEN_LIFETIME + 2 * SKEW
