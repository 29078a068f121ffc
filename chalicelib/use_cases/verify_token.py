"""Whether a token opens the API: ours, live, presented as it must be, and not taken back."""

from datetime import datetime, timedelta

from chalicelib.domain.access_token import AccessToken
from chalicelib.domain.errors import InvalidToken
from chalicelib.ports import Clock, Revocations, Tokens

# A revocation bites within five seconds; one is left for the reading itself.
REVOCATIONS_SECONDS = 4


class VerifyToken:
    """No token is taken five seconds after it was revoked, by no function, however warm.

    Nor one of a client, a tenant or a key that was. The list of revocations is read after the signature is
    checked, so a forger costs no read. When it cannot be read nobody is let in: `Unavailable` leaves, rather
    than an answer that may be wrong.
    """

    def __init__(self, *, tokens: Tokens, revocations: Revocations, clock: Clock) -> None:
        self._tokens = tokens
        self._revocations = revocations
        self._clock = clock
        self._read: tuple[datetime, frozenset[str]] | None = None

    def __call__(self, text: str, *, scheme: str) -> AccessToken:
        """The token, presented by this scheme (RFC 9110: in any case), or `InvalidToken`.

        The proof that comes with a bound token is not looked at here: a gateway's token authorizer is shown
        one header.
        """
        verified = self._tokens.verify(text)
        if scheme.lower() != verified.token.scheme.lower():
            # RFC 9449 §7.1: a bound token that anyone could use is what binding is against.
            raise InvalidToken(f"The token must be presented as {verified.token.scheme}.")
        if verified.subjects & self._revoked():
            raise InvalidToken("The token, its client, its tenant or its key was revoked.")
        return verified.token

    def _revoked(self) -> frozenset[str]:
        """The list, as old as it may be; its age counts from before the reading began."""
        now = self._clock.now()
        if self._read is None or not self._read[0] <= now < self._read[0] + _KEPT:
            self._read = (now, self._revocations.in_force(now=now))
        return self._read[1]


_KEPT = timedelta(seconds=REVOCATIONS_SECONDS)
