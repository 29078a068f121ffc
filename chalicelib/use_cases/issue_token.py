"""Client credentials for an access token (RFC 6749 §4.4), in the shape of RFC 9068."""

from dataclasses import dataclass, field

from chalicelib.domain.access_token import AccessToken
from chalicelib.domain.client import Client
from chalicelib.domain.errors import InvalidProof
from chalicelib.domain.key_ring import TOKEN_LIFETIME
from chalicelib.ports import Clock, Ids, Tokens
from chalicelib.use_cases.authenticate_client import AuthenticateClient, Credentials
from chalicelib.use_cases.token_refused import TokenErrorCode, TokenRefused
from chalicelib.use_cases.verify_proof import Presented, VerifyProof


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A signed access token and what it says."""

    text: str = field(repr=False)
    token: AccessToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a client asks for: scopes, or all it may have; `proof` is a DPoP proof of a key to bind it to."""

    scopes: tuple[str, ...]
    proof: str | None = field(repr=False)
    presented: Presented


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueToken:
    """A token for exactly the tenant of a client that proved itself, bound to a key if the client must."""

    authenticate: AuthenticateClient
    verify_proof: VerifyProof
    tokens: Tokens
    clock: Clock
    ids: Ids

    def __call__(self, credentials: Credentials, asked: Asked, *, address: str) -> IssuedToken:
        """The token, or `TokenRefused`."""
        client = self.authenticate(credentials, address=address)
        token = self._token(client, asked)
        return IssuedToken(text=self.tokens.sign(token), token=token)

    def _token(self, client: Client, asked: Asked) -> AccessToken:
        scopes = asked.scopes or client.scopes
        if not set(scopes) <= set(client.scopes):
            raise TokenRefused(
                TokenErrorCode.INVALID_SCOPE, f"This client may ask for: {' '.join(client.scopes)}."
            )
        now = self.clock.now()
        return AccessToken(
            token_id=self.ids.new_id("tok_"),
            tenant_id=client.tenant_id,
            client_id=client.client_id,
            scopes=scopes,
            issued_at=now,
            expires_at=now + TOKEN_LIFETIME,
            thumbprint=self._thumbprint(client, asked),
        )

    def _thumbprint(self, client: Client, asked: Asked) -> str | None:
        if asked.proof is None:
            if client.is_dpop_bound:
                raise TokenRefused(TokenErrorCode.INVALID_DPOP_PROOF, "This client must send a DPoP proof.")
            return None
        try:
            return self.verify_proof(asked.proof, asked.presented)
        except InvalidProof as error:
            raise TokenRefused(TokenErrorCode.INVALID_DPOP_PROOF, error.detail) from error
