"""Clients at the token endpoints, through the gateway: who they are, from where, and in what state."""

import json
from dataclasses import replace

import httpx
import pytest
from joserfc.jwk import ECKey

from chalicelib.domain import client_secret
from chalicelib.domain.client import Client
from chalicelib.domain.tallies import FAILURES_OF_ADDRESS
from chalicelib.use_cases.client_assertion import ASSERTION_TYPE
from tests import proofs
from tests.api.conftest import ACME, GLOBEX, SECRET, Api
from tests.api.hostile import FORM, basic, raw

PATHS = ("/v1/oauth/token", "/v1/oauth/revoke")
FIELDS = {"grant_type": "client_credentials", "token": "x"}
UNKNOWN = f"cli_{'0' * 26}"
SIGNER = f"cli_{'1' * 26}"
OTHER_SECRET = client_secret.seal("o" * client_secret.RANDOM_CHARACTERS)
# What differs between any two answers.
OF_THE_REQUEST = ("date", "request-id", "x-amzn-requestid", "x-amz-apigw-id", "x-amzn-trace-id")


def ask(api: Api, path: str = PATHS[0], *, tenant: str = ACME) -> httpx.Response:
    """With the tenant's own secret."""
    return api.http.post(path, data=FIELDS, auth=api.credentials(tenant))


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP"]
)
def test_the_address_is_the_peers_whatever_a_client_says(api: Api, header: str) -> None:
    for n in range(FAILURES_OF_ADDRESS):
        claimed = f"for=198.51.100.{n}" if header == "Forwarded" else f"198.51.100.{n}"
        headers = {**FORM, **basic(UNKNOWN), header: claimed}
        refusal = raw(api, "POST", PATHS[0], headers=headers, body=b"grant_type=client_credentials")
        assert (refusal.status_code, refusal.json()["error"]) == (401, "invalid_client")
    for path in PATHS:
        throttled = ask(api, path)
        assert (throttled.status_code, throttled.json()["code"]) == (429, "too_many_attempts")
        assert 1 <= int(throttled.headers["Retry-After"]) <= 60
    api.stack.clock.advance(float(throttled.headers["Retry-After"]))
    assert ask(api).status_code == 200


def test_a_client_that_signs_who_it_is_gets_what_one_with_a_secret_gets(api: Api) -> None:
    api.adapters.clients.rows[SIGNER] = Client(
        client_id=SIGNER,
        tenant_id=ACME,
        scopes=("jobs:read",),
        created_at=api.adapters.clock.now(),
        public_keys=(proofs.PUBLIC_KEY,),
    )
    issued = asserted_by(api, proofs.KEY)
    assert issued.status_code == 200
    token = issued.json()["access_token"]
    assert api.http.get("/v1/jobs", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    refusal = asserted_by(api, proofs.OTHER_KEY)
    assert (refusal.status_code, refusal.json()["error"]) == (401, "invalid_client")
    assert refusal.headers["WWW-Authenticate"] == 'Basic realm="zama-jobs"'


def asserted_by(api: Api, key: ECKey) -> httpx.Response:
    """What the token endpoint answers to the signer's assertion."""
    now = api.adapters.clock.now().timestamp()
    fields = {
        **FIELDS,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": proofs.assertion(SIGNER, audience=api.base_url, now=now, key=key),
    }
    return api.http.post(PATHS[0], data=fields)


@pytest.mark.parametrize("path", PATHS)
def test_a_client_is_unauthorized_when_its_tenant_is_suspended(api: Api, path: str) -> None:
    rows = api.adapters.tenants.rows
    rows[ACME] = replace(rows[ACME], suspended_at=api.adapters.clock.now())
    refusal = ask(api, path)
    assert (refusal.status_code, refusal.json()["error"]) == (400, "unauthorized_client")
    assert "WWW-Authenticate" not in refusal.headers
    assert ask(api, path, tenant=GLOBEX).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_unknown_wrong_and_revoked_are_told_apart_by_nothing_but_the_request_id(api: Api, path: str) -> None:
    rows = api.adapters.clients.rows
    globexs, _ = api.credentials(GLOBEX)
    rows[globexs] = replace(rows[globexs], revoked_at=api.adapters.clock.now())
    answers = []
    for client_id, secret in ((UNKNOWN, SECRET), (api.credentials()[0], OTHER_SECRET), (globexs, SECRET)):
        answer = api.http.post(path, data=FIELDS, auth=(client_id, secret))
        told = {name: value for name, value in answer.headers.items() if name not in OF_THE_REQUEST}
        answers.append((answer.status_code, answer.content, told))
    assert answers == [answers[0]] * 3
    assert json.loads(answers[0][1])["error"] == "invalid_client"
