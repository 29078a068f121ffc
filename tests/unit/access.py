"""The token endpoints and the authorizer, on in-memory ports and a clock under the test's hand."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from joserfc.jwk import ECKey

from chalicelib.adapters.jose_tokens import JoseTokens
from chalicelib.adapters.memory import ManualClock, MemoryClients, MemoryKeys, SequentialIds
from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.ports import Client, Revocations
from chalicelib.use_cases.issue_token import IssueToken
from chalicelib.use_cases.revoke_token import RevokeToken
from chalicelib.use_cases.verify_token import VerifyToken
from chalicelib.web.auth import authorize
from chalicelib.web.handlers import access
from chalicelib.web.http import Request, Response
from tests.unit.world import ACME, BASE_URL, GLOBEX, START

FORM = "application/x-www-form-urlencoded"
ARN = "arn:aws:execute-api:us-east-1:123456789012:api/local/GET/v1/jobs/j"
ACMES, ACMES_OTHER, GLOBEXS = (f"cli_{n:026d}" for n in range(3))
SECRET = "zjs_ a%:+é"
KEY = json.dumps(ECKey.generate_key("P-256", private=True).as_dict(private=True))


def client(client_id: str, tenant_id: str) -> Client:
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    return Client(
        client_id=client_id, tenant_id=tenant_id, secret_sha256=digest, scopes=("jobs:read", "jobs:write")
    )


def basic(client_id: str = ACMES, secret: str = SECRET) -> str:
    """As RFC 6749 §2.3.1 says: each half form-encoded, then joined and encoded for HTTP Basic."""
    halves = (urlencode({"": half})[1:] for half in (client_id, secret))
    return "Basic " + base64.b64encode(":".join(halves).encode()).decode()


@dataclass
class Access:
    """One function's process; `warm` remembers the revocations as a warm authorizer does."""

    revocations: Revocations = field(default_factory=MemoryRevocations)
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))

    def __post_init__(self) -> None:
        self.tokens = JoseTokens(MemoryKeys(token_key=KEY), self.clock, issuer=BASE_URL)
        self.clients = MemoryClients(client(ACMES, ACME), client(ACMES_OTHER, ACME), client(GLOBEXS, GLOBEX))
        self.ids = SequentialIds()
        self.warm = self.cold()

    def cold(self) -> VerifyToken:
        return VerifyToken(tokens=self.tokens, revocations=self.revocations, clock=self.clock)

    def ask(self, body: bytes | dict[str, str], *authorization: str, media_type: str = FORM) -> Response:
        """The token endpoint's answer."""
        issue = IssueToken(
            clients=self.clients, tokens=self.tokens, clock=self.clock, ids=self.ids, issuer=BASE_URL
        )
        return access.issue_token(issue, posted(body, authorization, media_type))

    def revoke(self, body: bytes | dict[str, str], *authorization: str, media_type: str = FORM) -> Response:
        """The revocation endpoint's answer."""
        revoke = RevokeToken(clients=self.clients, tokens=self.tokens, revocations=self.revocations)
        return access.revoke_token(revoke, posted(body, authorization, media_type))

    def token(self, client_id: str = ACMES) -> str:
        answer = self.ask({"grant_type": "client_credentials"}, basic(client_id))
        return str(json.loads(answer.body)["access_token"])

    def decision(self, token: str, verify: VerifyToken | None = None) -> str:
        """`Allow` or `Deny`, as the authorizer says; of the warm function, if no other is given."""
        answer: Any = authorize(verify or self.warm, credential=f"Bearer {token}", method_arn=ARN)
        return str(answer["policyDocument"]["Statement"][0]["Effect"])


def posted(body: bytes | dict[str, str], authorization: tuple[str, ...], media_type: str) -> Request:
    return Request(
        base_url=BASE_URL,
        route="/v1/oauth/token",
        path="/local/v1/oauth/token",
        headers={"authorization": authorization, "content-type": (media_type,)},
        path_parameters={},
        query={},
        body=body if isinstance(body, bytes) else urlencode(body).encode(),
        request_id="r1",
        trace_id="t1",
        caller=None,
    )
