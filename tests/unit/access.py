"""The token endpoints and the authorizer, on in-memory ports and a clock under the test's hand."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from chalicelib.adapters.jose_tokens import JoseTokens, make_token_key
from chalicelib.adapters.memory import ManualClock, SequentialIds
from chalicelib.adapters.memory_access import (
    MemoryClients,
    MemoryKeyRings,
    MemoryKeys,
    MemoryRegistry,
    MemorySingleUse,
    MemoryTallies,
    MemoryTenants,
)
from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.domain import client_secret
from chalicelib.domain.client import Client, new_secret
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.errors import DomainError
from chalicelib.domain.key_ring import KeyRing
from chalicelib.use_cases.authenticate_client import AuthenticateClient
from chalicelib.use_cases.client_assertion import ReadAssertion
from chalicelib.use_cases.issue_token import IssueToken
from chalicelib.use_cases.revoke_token import RevokeToken
from chalicelib.use_cases.verify_proof import VerifyProof
from chalicelib.use_cases.verify_token import VerifyToken
from chalicelib.web.answers import problem_answer
from chalicelib.web.auth import authorize
from chalicelib.web.handlers import access
from chalicelib.web.http import Request, Response
from tests.unit.world import ACME, BASE_URL, GLOBEX, START

FORM = "application/x-www-form-urlencoded"
ARN = "arn:aws:execute-api:us-east-1:123456789012:api/local/GET/v1/jobs/j"
ACMES, ACMES_OTHER, GLOBEXS = (f"cli_{n:026d}" for n in range(3))
SECRET = client_secret.seal("s" * client_secret.RANDOM_CHARACTERS)
WRONG_SECRET = client_secret.seal("w" * client_secret.RANDOM_CHARACTERS)
TOKEN_URL = f"{BASE_URL}/v1/oauth/token"
ADDRESS = "192.0.2.1"
KEY = make_token_key()
Body = bytes | dict[str, str]


def client(client_id: str, tenant_id: str) -> Client:
    return Client(
        client_id=client_id,
        tenant_id=tenant_id,
        scopes=("jobs:read", "jobs:write"),
        created_at=START,
        secrets=(new_secret(SECRET, now=START),),
    )


def basic(client_id: str = ACMES, secret: str = SECRET) -> str:
    """As RFC 6749 §2.3.1 says: each half form-encoded, then joined and encoded for HTTP Basic."""
    halves = (urlencode({"": half})[1:] for half in (client_id, secret))
    return "Basic " + base64.b64encode(":".join(halves).encode()).decode()


class Unasked:
    """Any port, of a service that is not to be asked."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


@dataclass
class Access:
    """One function's process; `warm` remembers the revocations as a warm authorizer does."""

    revocations: MemoryRevocations = field(default_factory=MemoryRevocations)
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))

    def __post_init__(self) -> None:
        self.keys = MemoryKeys(token_keys={KEY.kid: KEY.private})
        self.rings = MemoryKeyRings(KeyRing().rotated(KEY.kid, KEY.public, now=self.clock.now()))
        self.tokens = self.cold_tokens()
        self.tallies = MemoryTallies()
        self.single_use = MemorySingleUse()
        self.tenants = MemoryTenants(
            *(Tenant(tenant_id=each, name=each, plan="test") for each in (ACME, GLOBEX))
        )
        self.clients = MemoryClients(client(ACMES, ACME), client(ACMES_OTHER, ACME), client(GLOBEXS, GLOBEX))
        self.ids = SequentialIds()
        self.registry = MemoryRegistry(
            tenants=self.tenants, clients=self.clients, rings=self.rings, revocations=self.revocations
        )
        self.warm = self.cold()

    def cold_tokens(self) -> JoseTokens:
        """Of a process that has read no keys yet."""
        return JoseTokens(self.keys, self.rings, self.clock, issuer=BASE_URL)

    def cold(self) -> VerifyToken:
        return VerifyToken(tokens=self.cold_tokens(), revocations=self.revocations, clock=self.clock)

    @property
    def authenticate(self) -> AuthenticateClient:
        read = ReadAssertion(single_use=self.single_use, clock=self.clock, audiences=(BASE_URL, TOKEN_URL))
        return AuthenticateClient(
            clients=self.clients,
            tenants=self.tenants,
            tallies=self.tallies,
            read_assertion=read,
            clock=self.clock,
        )

    @property
    def issue(self) -> IssueToken:
        return IssueToken(
            authenticate=self.authenticate,
            verify_proof=VerifyProof(single_use=self.single_use, clock=self.clock),
            tokens=self.tokens,
            clock=self.clock,
            ids=self.ids,
        )

    def ask(
        self, body: Body, *authorization: str, media_type: str = FORM, address: str = ADDRESS
    ) -> Response:
        """The token endpoint's answer, problems included."""
        request = posted(body, authorization, media_type, address=address)
        return answered(lambda: access.issue_token(self.issue, request), request)

    def revoke(
        self, body: Body, *authorization: str, media_type: str = FORM, address: str = ADDRESS
    ) -> Response:
        """The revocation endpoint's answer, problems included."""
        revoke = RevokeToken(
            authenticate=self.authenticate,
            tokens=self.tokens,
            revocations=self.revocations,
            tallies=self.tallies,
            clock=self.clock,
        )
        request = posted(body, authorization, media_type, address=address)
        return answered(lambda: access.revoke_token(revoke, request), request)

    def token(self, client_id: str = ACMES) -> str:
        answer = self.ask({"grant_type": "client_credentials"}, basic(client_id))
        return str(json.loads(answer.body)["access_token"])

    def decision(self, token: str, verify: VerifyToken | None = None) -> str:
        """`Allow` or `Deny`, as the authorizer says; of the warm function, if no other is given."""
        answer: Any = authorize(verify or self.warm, credential=f"Bearer {token}", method_arn=ARN)
        return str(answer["policyDocument"]["Statement"][0]["Effect"])


def offer(
    access: Access,
    secret: str = SECRET,
    *,
    client_id: str = ACMES,
    address: str = ADDRESS,
    endpoint: str = "ask",
) -> Response:
    """The answer of an endpoint to a request that is right, but perhaps for its credential."""
    form = {"grant_type": "client_credentials", "token": "x"}
    answer: Response = getattr(access, endpoint)(form, basic(client_id, secret), address=address)
    return answer


def answered(handle: Callable[[], Response], request: Request) -> Response:
    """The handler's answer, or the problem that it raises, as the edge tells it."""
    try:
        return handle()
    except DomainError as error:
        return problem_answer(error, request)


def posted(
    body: Body,
    authorization: tuple[str, ...],
    media_type: str,
    dpop: tuple[str, ...] = (),
    *,
    address: str = ADDRESS,
) -> Request:
    return Request(
        base_url=BASE_URL,
        route="/v1/oauth/token",
        path="/local/v1/oauth/token",
        method="POST",
        url=TOKEN_URL,
        address=address,
        headers={
            "content-type": (media_type,),
            **({"authorization": authorization} if authorization else {}),
            **({"dpop": dpop} if dpop else {}),
        },
        path_parameters={},
        query={},
        body=body if isinstance(body, bytes) else urlencode(body).encode(),
        request_id="r1",
        trace_id="t1",
        caller=None,
    )
