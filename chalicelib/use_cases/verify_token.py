"""Whether a token opens the API: ours, live, and not taken back."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import JsonValue

from chalicelib.domain.errors import InvalidToken
from chalicelib.ports import Clock, Revocations, Tokens

# A revocation bites within five seconds; one is left for the reading itself.
REVOCATIONS_SECONDS = 4


class VerifyToken:
    """No token is taken five seconds after it was revoked, by no function, however warm.

    The list of revocations is read after the signature is checked, so a forger costs no read. When it
    cannot be read nobody is let in: `Unavailable` leaves, rather than an answer that may be wrong.
    """

    def __init__(self, *, tokens: Tokens, revocations: Revocations, clock: Clock) -> None:
        self._tokens = tokens
        self._revocations = revocations
        self._clock = clock
        self._read: tuple[datetime, frozenset[str]] | None = None

    def __call__(self, token: str) -> Mapping[str, JsonValue]:
        """The token's claims, or `InvalidToken`."""
        claims = self._tokens.verify(token)
        if claims["jti"] in self._revoked():
            raise InvalidToken("The token was revoked.")
        return claims

    def _revoked(self) -> frozenset[str]:
        """The list, as old as it may be; its age counts from before the reading began."""
        now = self._clock.now()
        if self._read is None or not self._read[0] <= now < self._read[0] + _KEPT:
            self._read = (now, self._revocations.in_force(now=now))
        return self._read[1]


_KEPT = timedelta(seconds=REVOCATIONS_SECONDS)
