"""Tokens: given only for a proven client, taken only when they are live, ours and for us."""

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from chalicelib.adapters.jose_tokens import JoseTokens
from chalicelib.adapters.memory import ManualClock, SequentialIds
from chalicelib.adapters.memory_access import MemoryClients, MemoryKeys
from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.domain.errors import InvalidToken
from chalicelib.ports import Client
from chalicelib.use_cases.authenticate_client import Credentials, TokenErrorCode, TokenRefused
from chalicelib.use_cases.issue_token import SKEW, TOKEN_LIFETIME, IssuedToken, IssueToken
from chalicelib.use_cases.verify_token import VerifyToken
from chalicelib.web.auth import authorize
from tests.unit.world import ACME, BASE_URL, START

KEY = ECKey.generate_key("P-256", private=True)
ARN = "arn:aws:execute-api:us-east-1:123456789012:api/local"
CLIENT = Client(
    client_id="cli_1",
    tenant_id=ACME,
    secret_sha256=hashlib.sha256(b"right").hexdigest(),
    scopes=("jobs:read", "jobs:write"),
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def tokens(clock: ManualClock) -> JoseTokens:
    return JoseTokens(MemoryKeys(token_key=json.dumps(KEY.as_dict(private=True))), clock, issuer=BASE_URL)


@pytest.fixture
def issue(tokens: JoseTokens, clock: ManualClock) -> IssueToken:
    clients = MemoryClients(CLIENT)
    return IssueToken(clients=clients, tokens=tokens, clock=clock, ids=SequentialIds(), issuer=BASE_URL)


@pytest.fixture
def verify(tokens: JoseTokens, clock: ManualClock) -> VerifyToken:
    return VerifyToken(tokens=tokens, revocations=MemoryRevocations(), clock=clock)


def ask(issue: IssueToken, secret: str = "right", *scope: str, client_id: str = "cli_1") -> IssuedToken:
    return issue(Credentials(client_id, secret), scope=scope)


def claims_at(now: int, **changes: Any) -> dict[str, Any]:
    claims = {
        "iss": BASE_URL,
        "aud": BASE_URL,
        "sub": ACME,
        "client_id": "cli_1",
        "iat": now,
        "exp": now + 600,
        "jti": "tok_1",
        "scope": "jobs:read",
    }
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def test_the_token_names_tenant_and_scopes_when_the_secret_is_right(
    issue: IssueToken, tokens: JoseTokens
) -> None:
    claims = tokens.verify(ask(issue).access_token)
    assert (claims["sub"], claims["scope"]) == (ACME, "jobs:read jobs:write")
    narrowed = ask(issue, "right", "jobs:read")
    assert tokens.verify(narrowed.access_token)["scope"] == "jobs:read"


@pytest.mark.parametrize(
    ("credentials", "scope", "code"),
    [
        (Credentials("cli_1", "wrong"), (), TokenErrorCode.INVALID_CLIENT),
        (Credentials("cli_1", ""), (), TokenErrorCode.INVALID_CLIENT),
        (Credentials("cli_none", "right"), (), TokenErrorCode.INVALID_CLIENT),
        (Credentials("cli_1", "right"), ("jobs:cancel",), TokenErrorCode.INVALID_SCOPE),
    ],
)
def test_no_token_is_given_when_the_client_may_not_have_it(
    issue: IssueToken, credentials: Credentials, scope: tuple[str, ...], code: TokenErrorCode
) -> None:
    with pytest.raises(TokenRefused) as refusal:
        issue(credentials, scope=scope)
    assert refusal.value.code is code


def test_a_token_ends_when_its_ten_minutes_and_the_skew_are_over(
    issue: IssueToken, tokens: JoseTokens, clock: ManualClock
) -> None:
    token = ask(issue).access_token
    clock.advance(TOKEN_LIFETIME + SKEW - timedelta(seconds=1))
    tokens.verify(token)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(InvalidToken):
        tokens.verify(token)


NOW = int(START.timestamp())
GOOD = {"alg": "ES256", "typ": "at+jwt"}
PUBLIC_AS_SECRET = OctKey.import_key(json.dumps(KEY.as_dict(private=False)).encode())


def unsigned(header: dict[str, Any]) -> str:
    parts = (header, claims_at(NOW))
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*texts, "AA"])


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x.y.z",
        unsigned({"alg": "none", "typ": "at+jwt"}),
        jwt.encode({**GOOD, "typ": "JWT"}, claims_at(NOW), KEY),
        jwt.encode({"alg": "HS256", "typ": "at+jwt"}, claims_at(NOW), PUBLIC_AS_SECRET),
        jwt.encode(GOOD, claims_at(NOW), ECKey.generate_key("P-256", private=True)),
        jwt.encode(GOOD, claims_at(NOW, iss="https://other.test"), KEY),
        jwt.encode(GOOD, claims_at(NOW, aud="https://other.test"), KEY),
        jwt.encode(GOOD, claims_at(NOW, jti=None), KEY),
        jwt.encode(GOOD, claims_at(NOW, exp=None), KEY),
        jwt.encode(GOOD, claims_at(NOW - 3600), KEY),
        unsigned({"alg": "ES256", "typ": "at+jwt", "crit": 5}),
        unsigned({"alg": "ES256", "typ": "at+jwt", "crit": [{}]}),
    ],
    ids=[
        "empty",
        "garbage",
        "alg none",
        "wrong typ",
        "algorithm confusion",
        "another key",
        "another issuer",
        "another audience",
        "no jti",
        "no expiry",
        "expired",
        "crit is a number",
        "crit holds an object",
    ],
)
def test_a_token_is_refused_when_it_is_not_live_ours_and_for_us(tokens: JoseTokens, token: str) -> None:
    with pytest.raises(InvalidToken):
        tokens.verify(token)


@pytest.mark.parametrize(
    ("route", "part"),
    [("POST/v1/jobs", "submit"), ("GET/v1/jobs/j", "read"), ("POST/v1/jobs/j/cancel", "read")],
)
def test_the_authorizer_names_the_metering_key_when_the_token_is_good(
    verify: VerifyToken, issue: IssueToken, route: str, part: str
) -> None:
    credential = f"Bearer {ask(issue).access_token}"
    answer = authorize(verify, credential=credential, method_arn=f"{ARN}/{route}")
    assert answer["usageIdentifierKey"] == f"{ACME}.{part}"
    assert answer["context"]["tenant_id"] == ACME


@pytest.mark.parametrize("credential", ["", "Bearer", "Bearer x", "Basic Zm9vOmJhcg==", "x"])
def test_the_authorizer_denies_when_the_credential_is_bad(verify: VerifyToken, credential: str) -> None:
    answer = authorize(verify, credential=credential, method_arn=f"{ARN}/GET/v1/jobs/j")
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert "usageIdentifierKey" not in answer
