"""The keys that sign access tokens, and how one follows another without a token that nobody can verify; pure.

A key is published, waits until everyone can know it, signs, and is retired once the last token that it
signed has expired. Nobody moves it from one to the next: each is an effect of the time, so that a rotation
is one write, and there is nothing to be left half done.

    now        +7 min            +30 d             +30 d 19 min
    |----------|=================|- - - - - - - - -|
    published   signs             its successor     retired: no live token is signed with it
                                  signs
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

TOKEN_LIFETIME = timedelta(minutes=10)
# Clocks of machines differ by seconds; the limit that we document is a minute.
SKEW = timedelta(seconds=60)
# For how long others may keep the published keys, as `Cache-Control` tells them.
PUBLISHED_FOR = timedelta(minutes=5)
# Whoever reads the keys as often as they are told to, by a clock that is right enough, knows who signs.
LEAD = PUBLISHED_FOR + 2 * SKEW
# A weak constant: no key wears out, but a rotation that is done every month is one that works when it must.
ROTATED_EVERY = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey:
    """A signing key by its public half, a JWK; the private half is elsewhere."""

    kid: str
    public: Mapping[str, str]
    published_at: datetime
    signs_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """The keys, in the order in which they sign."""

    keys: tuple[TokenKey, ...] = ()

    def signing(self, *, now: datetime) -> TokenKey:
        """The key that signs now: of those that may, the last."""
        # The first has nobody to wait for, whatever a clock that is behind says.
        return [self.keys[0], *(key for key in self.keys if key.signs_from <= now)][-1]

    def waiting(self, *, now: datetime) -> TokenKey | None:
        """The key that is published and does not sign yet."""
        return next((key for key in self.keys if now < key.signs_from), None)

    def is_due(self, *, now: datetime) -> bool:
        """Whether a rotation is to begin: no key is waiting, and the one that signs has had its time."""
        if not self.keys:
            return True
        return self.waiting(now=now) is None and now >= self.signing(now=now).signs_from + ROTATED_EVERY

    def retired(self, *, now: datetime) -> tuple[TokenKey, ...]:
        """The keys that no live token is signed with: a successor signs for longer than a token lives.

        Twice the skew, for who signed and who verifies may be wrong in opposite directions.
        """
        return tuple(
            key
            for key, successor in zip(self.keys, self.keys[1:], strict=False)
            if now > successor.signs_from + TOKEN_LIFETIME + 2 * SKEW
        )

    def published(self, *, now: datetime) -> tuple[TokenKey, ...]:
        """The keys that verifiers need."""
        retired = self.retired(now=now)
        return tuple(key for key in self.keys if key not in retired)

    def rotated(self, kid: str, public: Mapping[str, str], *, now: datetime) -> "KeyRing":
        """With this key, which signs after `LEAD`, or at once if there is no other; the retired are gone."""
        kept = self.published(now=now)
        new = TokenKey(kid=kid, public=public, published_at=now, signs_from=now + LEAD if kept else now)
        return KeyRing(keys=(*kept, new))

    def replaced(self, kid: str, public: Mapping[str, str], *, now: datetime) -> "KeyRing":
        """With this key alone, which signs at once: what is left to do when the others are compromised."""
        alone = TokenKey(kid=kid, public=public, published_at=now, signs_from=now)
        return KeyRing(keys=(alone,))

    def pruned(self, *, now: datetime) -> "KeyRing":
        """Without the retired keys."""
        return KeyRing(keys=self.published(now=now))
