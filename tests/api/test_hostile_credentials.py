"""Credentials that are none: one challenge each, and nothing is done in anybody's name."""

import base64
import json
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from chalicelib.domain.key_ring import SKEW, TOKEN_LIFETIME
from tests import proofs
from tests.api.conftest import ACME, GLOBEX, Api, client_id
from tests.api.hostile import FORM, JSON, SEED, Refusal, basic, raw

# Both schemes, for whoever refuses the credential cannot know which was meant (RFC 9449 §7.2).
CHALLENGE = 'Bearer realm="zama-jobs", DPoP realm="zama-jobs", algs="ES256"'
INVALID = CHALLENGE.replace('"zama-jobs"', '"zama-jobs", error="invalid_token"')
GOOD = {"alg": "ES256", "typ": "at+jwt"}
SUBMIT = json.dumps({"type": "sha256.chain", "input": {"seed": SEED, "rounds": 3}}).encode()


def submit(api: Api, *authorizations: bytes | str, target: str = "/v1/jobs") -> httpx.Response:
    """A good submit, but for these headers."""
    headers = [(name, value) for name, value in {**JSON, "Idempotency-Key": "k"}.items()]
    given = [("Authorization", value) for value in authorizations]
    return raw(api, "POST", target, headers=[*headers, *given], body=SUBMIT)


def part(value: Any) -> str:
    """One part of a token."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def with_header(header: Any) -> Any:
    """A good token with another header, its signature kept."""
    return lambda api: ".".join([part(header), *api.token().split(".")[1:]])


def signed(header: dict[str, Any], key: Any = None, **changes: Any) -> Any:
    """A token that is right but for this, signed with our own key or another."""

    def make(api: Api) -> str:
        (kid,) = api.adapters.keys.kept()
        own = ECKey.import_key(json.loads(api.adapters.keys.token_key(kid)))
        token = api.adapters.tokens.verify(api.token()).token
        claims = {**token.to_claims(issuer=api.base_url), **changes}
        return proofs.signed({**GOOD, "kid": kid, **header}, claims, key(own) if key else own)

    return make


def other_key(_own: ECKey) -> ECKey:
    return ECKey.generate_key("P-256")


def unsigned(api: Api) -> str:
    return f"{part({**GOOD, 'alg': 'none'})}.{api.token().split('.')[1]}."


TOKENS: dict[str, Any] = {
    "empty": lambda api: "",
    "garbage": lambda api: "x.y.z",
    "dots": lambda api: "....",
    "9,000 characters": lambda api: "a" * 9_000,
    "no ASCII": lambda api: b"\xff.\xff.\xff",
    "NUL in percent": lambda api: "%00",
    "alg none": unsigned,
    "alg None": with_header({**GOOD, "alg": "None"}),
    "alg null": with_header({**GOOD, "alg": None}),
    "alg a list": with_header({**GOOD, "alg": ["ES256"]}),
    "alg an object": with_header({**GOOD, "alg": {}}),
    "algorithm confusion": signed({"alg": "HS256"}, proofs.public_as_secret),
    "another key": signed({}, other_key),
    "another typ": signed({"typ": "JWT"}),
    "another issuer": signed({}, iss="https://other.test"),
    "another audience": signed({}, aud="https://other.test"),
    "no jti": signed({}, jti=None),
    "no expiry": signed({}, exp=None),
    "an endless expiry": signed({}, exp="never"),
    "a signature cut short": lambda api: api.token()[:-4],
    "something after it": lambda api: f"{api.token()} x",
    "two in one": lambda api: f"{api.token()},{api.token()}",
    "a header that is a list": with_header([]),
    "a header that is endless": with_header(b"[" * 6_000),
    "a header that is endless and whole": with_header(b'{"alg":' + b"[" * 3_000 + b"]" * 3_000 + b"}"),
    "a header of 5,000 digits": with_header(b'{"alg":' + b"9" * 5_000 + b"}"),
    "a header that is no UTF-8": with_header(b'{"alg":"\xff"}'),
    "a header with half a character": with_header(b'{"alg":"\\ud800"}'),
    "a key of its own": signed({"jku": "http://127.0.0.1:1/", "jwk": {}}, other_key),
    "a key in a path": with_header({**GOOD, "kid": "../../etc/passwd"}),
    "an unencoded payload": with_header({**GOOD, "b64": False, "crit": ["b64"]}),
    "an encrypted one": lambda api: (
        part({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 10**9}) + "...."
    ),
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_is_invalid_when_we_did_not_make_it_so(api: Api, name: str) -> None:
    token = TOKENS[name](api)
    refusal = Refusal(api)
    answer = submit(api, b"Bearer " + (token if isinstance(token, bytes) else token.encode()))
    refusal.check(answer, 401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == INVALID


def test_a_token_is_invalid_when_it_has_expired(api: Api) -> None:
    authorization = f"Bearer {api.token()}"
    api.stack.clock.advance((TOKEN_LIFETIME + SKEW).total_seconds())
    Refusal(api).check(submit(api, authorization), 401, "invalid_token")


@pytest.mark.parametrize(
    "target", ["/v1/jobs", "/v1/jobs?access_token=%s", "/v1/jobs?authorization=Bearer%%20%s"]
)
def test_no_credential_is_challenged_without_an_error_code(api: Api, target: str) -> None:
    """RFC 6750 §3.1. One in the query is none: logs and histories keep queries."""
    token = api.token()
    refusal = Refusal(api)
    answer = submit(api, target=target % token if "%s" in target else target)
    refusal.check(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == CHALLENGE
    assert token not in answer.text


@pytest.mark.parametrize(
    "authorization", ["Basic", "basic()", "Digest x", "token", "AWS4-HMAC-SHA256 Credential=a"]
)
def test_a_credential_is_invalid_when_its_scheme_is_another(api: Api, authorization: str) -> None:
    given = {"basic()": basic()["Authorization"], "token": api.token()}.get(authorization, authorization)
    Refusal(api).check(submit(api, given), 401, "invalid_token")


def test_two_credentials_are_refused_whichever_is_good(api: Api) -> None:
    mine, theirs = (f"Bearer {api.token(tenant)}" for tenant in (ACME, GLOBEX))
    refusal = Refusal(api)
    for first in (mine, theirs, "Bearer x", basic()["Authorization"]):
        problem = refusal.check(submit(api, first, mine), 400, "invalid_request")
        assert [each["pointer"] for each in problem["errors"]] == ["/header/Authorization"]
    refusal.check(submit(api, mine, "Bearer x"), 401, "invalid_token")
    problem = refusal.check(submit(api, mine, target="/v1/jobs?access_token=x"), 400, "invalid_request")
    assert [each["pointer"] for each in problem["errors"]] == ["/query/access_token"]


# What comes in place of the token endpoints' one Basic credential.
CLIENTS: dict[str, list[tuple[str, str | bytes]]] = {
    "none": [],
    "two": [*basic().items(), *basic().items()],
    "two clients": [*basic(client_id(GLOBEX)).items(), *basic().items()],
    "no base64": [("Authorization", "Basic ???")],
    "no ASCII": [("Authorization", b"Basic \xff")],
    "no UTF-8": [("Authorization", b"Basic " + base64.b64encode(b"\xff:\xff"))],
    "no colon": [("Authorization", b"Basic " + base64.b64encode(client_id(ACME).encode()))],
    "NUL in the secret": [*basic(secret="\0").items()],
    "no secret": [*basic(secret="").items()],
    "a secret in percent": [*basic(secret="%00%ff%zz").items()],
    "another's id": [*basic("cli_00000000000000000000000000").items()],
    "a key of the table": [*basic("CLIENT#cli_1").items()],
}


@pytest.mark.parametrize("path", ["/v1/oauth/token", "/v1/oauth/revoke"])
@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_is_refused_when_it_does_not_prove_itself(api: Api, path: str, name: str) -> None:
    refusal = Refusal(api)
    body = b"grant_type=client_credentials&token=x"
    answer = raw(api, "POST", path, headers=[*FORM.items(), *CLIENTS[name]], body=body)
    refusal.check(answer, 401, "invalid_client")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="zama-jobs"'


FORMS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "invalid_request"),
    "JSON": (b'{"grant_type":"client_credentials","token":"x"}', "invalid_request"),
    "0xFF": (b"grant_type=\xff&token=\xff", "invalid_request"),
    "UTF-8": ("grant_type=é&token=é".encode(), "invalid_request"),
    "a field twice": (b"grant_type=client_credentials&token=x" * 2, "invalid_request"),
    "10,000 fields": (b"&".join(b"f%d=1" % n for n in range(10_000)), "invalid_request"),
    "a field of 5 MB": (b"grant_type=client_credentials&token=x&a=" + b"%41" * 1_700_000, "invalid_request"),
    "no field of ours": (b"__proto__=1", "invalid_request"),
    "a secret": (b"grant_type=client_credentials&token=x&client_secret=x", "invalid_request"),
}


@pytest.mark.parametrize("path", ["/v1/oauth/token", "/v1/oauth/revoke"])
@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_refused_in_the_words_of_rfc_6749(api: Api, path: str, name: str) -> None:
    refusal = Refusal(api)
    body, error = FORMS[name]
    document = refusal.check(raw(api, "POST", path, headers={**FORM, **basic()}, body=body), 400, error)
    assert not set('"\\') & set(document["error_description"])  # §5.2: not among its characters
    media_type = {"Content-Type": f"{FORM['Content-Type']}; charset=utf-16"}
    good = b"grant_type=client_credentials&token=x"
    answer = raw(api, "POST", path, headers={**media_type, **basic()}, body=good)
    refusal.check(answer, 400, "invalid_request")
