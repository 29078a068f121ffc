"""Tokens: given only for a proven client, taken only when they are live, ours and for us."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey

from chalicelib.domain.errors import InvalidToken
from chalicelib.domain.key_ring import SKEW, TOKEN_LIFETIME
from chalicelib.web.auth import authorize
from tests.proofs import public_as_secret, signed, unsigned
from tests.unit.access import ACMES, KEY, Access
from tests.unit.world import ACME, BASE_URL, START

ARN = "arn:aws:execute-api:us-east-1:123456789012:api/local"
NOW = int(START.timestamp())
GOOD: Mapping[str, Any] = {"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid}
OURS = ECKey.import_key(json.loads(KEY.private))


@pytest.fixture
def access() -> Access:
    return Access()


def claims(**changes: Any) -> dict[str, Any]:
    """Those of a good token; `None` is one left out."""
    right = {
        "iss": BASE_URL,
        "aud": BASE_URL,
        "sub": ACME,
        "client_id": ACMES,
        "iat": NOW,
        "exp": NOW + 600,
        "jti": "tok_1",
        "scope": "jobs:read",
    }
    return {**right, **changes}


def test_a_token_ends_when_its_ten_minutes_and_the_skew_are_over(access: Access) -> None:
    token = access.token()
    access.clock.advance(TOKEN_LIFETIME + SKEW - timedelta(seconds=1))
    access.tokens.verify(token)
    access.clock.advance(timedelta(seconds=1))
    with pytest.raises(InvalidToken):
        access.tokens.verify(token)


def test_a_token_is_taken_when_it_is_live_ours_and_for_us(access: Access) -> None:
    verified = access.tokens.verify(signed(GOOD, claims(), OURS))
    assert (verified.kid, verified.token.to_claims(issuer=BASE_URL)) == (KEY.kid, claims())


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x.y.z",
        unsigned({**GOOD, "alg": "none"}, claims()),
        signed({**GOOD, "typ": "JWT"}, claims(), OURS),
        signed({**GOOD, "typ": None}, claims(), OURS),
        signed({**GOOD, "alg": "HS256"}, claims(), public_as_secret(OURS)),
        signed(GOOD, claims(), ECKey.generate_key("P-256", private=True)),
        signed({**GOOD, "kid": "another"}, claims(), OURS),
        signed({**GOOD, "kid": None}, claims(), OURS),
        signed(GOOD, claims(iss="https://other.test"), OURS),
        signed(GOOD, claims(aud="https://other.test"), OURS),
        *(signed(GOOD, claims(**{name: None}), OURS) for name in claims()),
        signed(GOOD, claims(iat=NOW - 3600, exp=NOW - 3000), OURS),
        unsigned({**GOOD, "crit": 5}, claims(), signature="AA"),
        unsigned({**GOOD, "crit": [{}]}, claims(), signature="AA"),
    ],
    ids=[
        "empty",
        "garbage",
        "alg none",
        "wrong typ",
        "no typ",
        "algorithm confusion",
        "another key",
        "another kid",
        "no kid",
        "another issuer",
        "another audience",
        *(f"no {name}" for name in claims()),
        "expired",
        "crit is a number",
        "crit holds an object",
    ],
)
def test_a_token_is_refused_when_it_is_not_live_ours_and_for_us(access: Access, token: str) -> None:
    with pytest.raises(InvalidToken):
        access.tokens.verify(token)


@pytest.mark.parametrize(
    ("route", "part"),
    [("POST/v1/jobs", "submit"), ("GET/v1/jobs/j", "read"), ("POST/v1/jobs/j/cancel", "read")],
)
def test_the_authorizer_names_the_metering_key_when_the_token_is_good(
    access: Access, route: str, part: str
) -> None:
    credential = f"Bearer {access.token()}"
    answer: Any = authorize(access.warm, credential=credential, method_arn=f"{ARN}/{route}")
    assert answer["usageIdentifierKey"] == f"{ACME}.{part}"
    assert answer["context"] == {"tenant_id": ACME, "client_id": ACMES, "scope": "jobs:read jobs:write"}


@pytest.mark.parametrize("credential", ["", "Bearer", "Bearer x", "Basic Zm9vOmJhcg==", "x"])
def test_the_authorizer_denies_when_the_credential_is_bad(access: Access, credential: str) -> None:
    answer: Any = authorize(access.warm, credential=credential, method_arn=f"{ARN}/GET/v1/jobs/j")
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert "usageIdentifierKey" not in answer
