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
# Clocks of machines differ by seconds; the limit that we document is a minute between any two.
SKEW = timedelta(seconds=60)
# For how long others may keep the published keys, as `Cache-Control` tells them.
PUBLISHED_FOR = timedelta(minutes=5)
# Whoever reads the keys as often as they are told to knows who signs. A minute for an issuer whose clock is
# ahead of the rotation's, and one for the time between reading a clock and being seen by everyone.
LEAD = PUBLISHED_FOR + 2 * SKEW
# For how long a process of ours goes by the keys that it has read; functions do not live for as long.
KNOWN_FOR = timedelta(days=1)
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
    """The keys, in the order in which they sign, and the names of those that left with the last change.

    What left is still named so that its private half is dropped even if whoever made the change was cut off.
    """

    keys: tuple[TokenKey, ...] = ()
    left: tuple[str, ...] = ()

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

        Twice the skew: verifiers take a token for as long after its end, and their clocks may be behind.
        """
        return tuple(key for key in self.keys if (ends := self.retires_at(key)) and now > ends)

    def retires_at(self, key: TokenKey) -> datetime | None:
        """Until when verifiers need the key: for ever if no other follows it."""
        successor = next(iter(self.keys[self.keys.index(key) + 1 :]), None)
        return successor.signs_from + TOKEN_LIFETIME + 2 * SKEW if successor else None

    def published(self, *, now: datetime) -> tuple[TokenKey, ...]:
        """The keys that verifiers need."""
        retired = self.retired(now=now)
        return tuple(key for key in self.keys if key not in retired)

    def rotated(self, kid: str, public: Mapping[str, str], *, now: datetime) -> "KeyRing":
        """With this key, which signs after `LEAD`, or at once if there is no other; the retired are gone."""
        signs_from = now + LEAD if self.keys else now
        new = TokenKey(kid=kid, public=public, published_at=now, signs_from=signs_from)
        return self._of(*self.published(now=now), new)

    def replaced(self, kid: str, public: Mapping[str, str], *, now: datetime) -> "KeyRing":
        """With this key alone, which signs at once: what is left to do when the others are compromised."""
        return self._of(TokenKey(kid=kid, public=public, published_at=now, signs_from=now))

    def pruned(self, *, now: datetime) -> "KeyRing":
        """Without the retired keys."""
        return self._of(*self.published(now=now))

    def _of(self, *keys: TokenKey) -> "KeyRing":
        """With these keys, and the names of those of its own that are not among them."""
        return KeyRing(keys=keys, left=tuple(key.kid for key in self.keys if key not in keys))
