"""Taking an access token back before it expires (RFC 7009)."""

from dataclasses import dataclass

from chalicelib.domain.errors import InvalidToken, TooManyAttempts
from chalicelib.domain.key_ring import SKEW
from chalicelib.domain.tallies import counted_revocation, seconds_left
from chalicelib.ports import Clock, Revocations, Tallies, Tokens
from chalicelib.use_cases.authenticate_client import AuthenticateClient, Credentials
from chalicelib.use_cases.token_refused import TokenErrorCode, TokenRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeToken:
    """A client's own token is of no use from within seconds on; one that is of no use already stays so."""

    authenticate: AuthenticateClient
    tokens: Tokens
    revocations: Revocations
    tallies: Tallies
    clock: Clock

    def __call__(self, credentials: Credentials, *, token: str, address: str) -> None:
        """Nothing, or `TokenRefused`, or `TooManyAttempts` where a client only fills the list that all read.

        Another client's token is refused (RFC 7009 §2.1), and the answer tells nothing that the token,
        which the caller holds, does not; an invalid one is no error (§2.2).
        """
        client = self.authenticate(credentials, address=address)
        try:
            theirs = self.tokens.verify(token).token
        except InvalidToken:
            return
        if theirs.client_id != client.client_id:
            raise TokenRefused(TokenErrorCode.INVALID_GRANT, "The token was issued to another client.")
        self._count(client.client_id)
        self.revocations.revoke(theirs.token_id, until=theirs.expires_at + SKEW)

    def _count(self, client_id: str) -> None:
        counted, now = (counted_revocation(client_id),), self.clock.now()
        if self.tallies.spent(counted, now=now):
            raise TooManyAttempts(
                "This client has revoked as many tokens as it may in a minute.", retry_after=seconds_left(now)
            )
        self.tallies.add(counted, now=now)
