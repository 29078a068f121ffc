"""Taking an access token back before it expires (RFC 7009)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.domain.errors import InvalidToken
from chalicelib.ports import Clients, Revocations, Tokens
from chalicelib.use_cases.authenticate_client import Credentials, TokenErrorCode, TokenRefused, authenticate
from chalicelib.use_cases.issue_token import SKEW


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeToken:
    """A client's own token is of no use from within seconds on; one that is of no use already stays so."""

    clients: Clients
    tokens: Tokens
    revocations: Revocations

    def __call__(self, credentials: Credentials, *, token: str) -> None:
        """Nothing, or `TokenRefused`.

        Another client's token is refused (RFC 7009 §2.1), and the answer tells nothing that the token,
        which the caller holds, does not; an invalid one is no error (§2.2).
        """
        client = authenticate(self.clients, credentials)
        try:
            claims = self.tokens.verify(token)
        except InvalidToken:
            return
        if claims["client_id"] != client.client_id:
            raise TokenRefused(TokenErrorCode.INVALID_GRANT, "The token was issued to another client.")
        expires_at = datetime.fromtimestamp(int(str(claims["exp"])), tz=UTC)
        self.revocations.revoke(str(claims["jti"]), until=expires_at + SKEW)
