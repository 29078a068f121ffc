"""A tenant's credential, and what becomes of it: secrets that overlap in a rotation, or public keys; pure."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain import client_secret

# While a rotation is on, the old secret and the new one; a third would mean that nobody knows which are used.
MAX_LIVE_SECRETS = 2
# Long enough to deploy the new secret everywhere on a working day, short enough to be watched to its end.
OVERLAP = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecret:
    """What is kept of a secret. Without `expires_at` it lives until the next rotation."""

    sha256: str
    created_at: datetime
    expires_at: datetime | None = None

    def is_live(self, *, now: datetime) -> bool:
        """Whether the secret still opens the token endpoint."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who asks for tokens on a tenant's behalf: by a secret, or by `private_key_jwt` with a key of its own.

    `public_keys` are JWKs. With `is_dpop_bound` it gets no token that can be used without its key (RFC 9449).
    """

    client_id: str
    tenant_id: str
    scopes: tuple[str, ...]
    created_at: datetime
    secrets: tuple[ClientSecret, ...] = ()
    public_keys: tuple[Mapping[str, str], ...] = ()
    is_dpop_bound: bool = False
    revoked_at: datetime | None = None

    def knows(self, secret: str, *, now: datetime) -> bool:
        """Whether this is one of its live secrets; the time that it takes tells nothing of which."""
        offered = client_secret.digest(secret)
        # All of them are compared, where `any` of a generator would stop at the first that matches.
        matches = [hmac.compare_digest(offered, each.sha256) for each in self.live_secrets(now=now)]
        return any(matches)

    def live_secrets(self, *, now: datetime) -> tuple[ClientSecret, ...]:
        """Those that still open the token endpoint, the oldest first."""
        return tuple(each for each in self.secrets if each.is_live(now=now))

    def rotated(self, secret: str, *, now: datetime, overlap: timedelta) -> "Client":
        """With one more secret; those it has end when the overlap is over, or before if they were to."""
        ends = now + overlap
        older = tuple(
            replace(each, expires_at=min(each.expires_at or ends, ends))
            for each in self.live_secrets(now=now)
            if overlap
        )
        return replace(self, secrets=(*older, new_secret(secret, now=now)))

    def replaced(self, secret: str, *, now: datetime) -> "Client":
        """With this secret in the place of its newest, which nobody has; an older one ends when it was to."""
        kept = self.live_secrets(now=now)[:-1]
        return replace(self, secrets=(*kept, new_secret(secret, now=now)))


def new_secret(secret: str, *, now: datetime) -> ClientSecret:
    """What is kept of a secret that is made now."""
    return ClientSecret(sha256=client_secret.digest(secret), created_at=now)
