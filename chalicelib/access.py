"""The use cases about access tokens and the keys that sign them, wired for functions and for operators."""

from functools import cached_property

from chalicelib.adapters.jose_tokens import JoseTokens, make_token_key
from chalicelib.aws import Adapters
from chalicelib.use_cases.authenticate_client import AuthenticateClient
from chalicelib.use_cases.client_assertion import ReadAssertion
from chalicelib.use_cases.issue_token import IssueToken
from chalicelib.use_cases.revoke_token import RevokeToken
from chalicelib.use_cases.rotate_keys import RotateKeys
from chalicelib.use_cases.verify_proof import VerifyProof
from chalicelib.use_cases.verify_token import VerifyToken
from chalicelib.web import operations


class Access:
    """Each use case, made once, when it is first asked for."""

    def __init__(self, adapters: Adapters) -> None:
        self._adapters = adapters

    @cached_property
    def authenticate_client(self) -> AuthenticateClient:
        """Wired `AuthenticateClient`."""
        a, base_url = self._adapters, self._adapters.settings.base_url
        return AuthenticateClient(
            clients=a.clients,
            tenants=a.tenants,
            tallies=a.tallies,
            read_assertion=ReadAssertion(
                single_use=a.single_use,
                clock=a.clock,
                audiences=(base_url, f"{base_url}{operations.ISSUE_TOKEN.path}"),
            ),
            clock=a.clock,
        )

    @cached_property
    def issue_token(self) -> IssueToken:
        """Wired `IssueToken`."""
        a = self._adapters
        return IssueToken(
            authenticate=self.authenticate_client,
            verify_proof=self.verify_proof,
            tokens=a.tokens,
            clock=a.clock,
            ids=a.ids,
        )

    @cached_property
    def revoke_token(self) -> RevokeToken:
        """Wired `RevokeToken`."""
        a = self._adapters
        return RevokeToken(
            authenticate=self.authenticate_client,
            tokens=a.tokens,
            revocations=a.revocations,
            tallies=a.tallies,
            clock=a.clock,
        )

    @cached_property
    def verify_proof(self) -> VerifyProof:
        """Wired `VerifyProof`."""
        return VerifyProof(single_use=self._adapters.single_use, clock=self._adapters.clock)

    @cached_property
    def verify_token(self) -> VerifyToken:
        """Wired `VerifyToken`, one a process: it remembers the revocations for some seconds."""
        a = self._adapters
        return VerifyToken(tokens=a.tokens, revocations=a.revocations, clock=a.clock)

    @cached_property
    def rotate_keys(self) -> RotateKeys:
        """Wired `RotateKeys`."""
        a = self._adapters
        return RotateKeys(
            rings=a.rings,
            registry=a.registry,
            store=a.key_store,
            make_key=make_token_key,
            clock=a.clock,
            ids=a.ids,
        )

    @property
    def tokens(self) -> JoseTokens:
        """The `Tokens` port, for the key set."""
        return self._adapters.tokens
