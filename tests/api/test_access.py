"""Tokens through the gateway: what was revoked, and what cannot be asked whether it was, opens nothing."""

import httpx
import pytest

from tests.api.conftest import ACME, GLOBEX, Api
from tests.api.provocations import Down

WITHIN_SECONDS = 5


def read(api: Api, token: str) -> httpx.Response:
    return api.http.get("/v1/jobs", headers={"Authorization": f"Bearer {token}"})


def revoke(api: Api, token: str, tenant: str = ACME) -> httpx.Response:
    return api.http.post("/v1/oauth/revoke", data={"token": token}, auth=api.credentials(tenant))


def test_a_revoked_token_is_invalid_when_five_seconds_have_passed(api: Api) -> None:
    revoked, other = api.token(), api.token()
    assert read(api, revoked).status_code == 200
    answer = revoke(api, revoked)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    api.stack.clock.advance(WITHIN_SECONDS)
    refusal = read(api, revoked)
    assert (refusal.status_code, refusal.json()["code"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in refusal.headers["WWW-Authenticate"]
    assert read(api, other).status_code == 200


def test_the_token_lives_on_when_another_tenants_client_revokes_it(api: Api) -> None:
    token = api.token()
    refusal = revoke(api, token, GLOBEX)
    assert (refusal.status_code, refusal.json()["error"]) == (400, "invalid_grant")
    api.stack.clock.advance(WITHIN_SECONDS)
    assert read(api, token).status_code == 200


@pytest.mark.parametrize("path", ["/v1/oauth/token", "/v1/oauth/revoke"])
def test_the_client_is_challenged_when_it_does_not_prove_itself(api: Api, path: str) -> None:
    refusal = api.http.post(path, data={"grant_type": "client_credentials", "token": "x"})
    assert (refusal.status_code, refusal.json()["error"]) == (401, "invalid_client")
    # The gateway renames the header in what a function answers, as AWS does.
    assert refusal.headers["WWW-Authenticate"] == 'Basic realm="zama-jobs"'
    assert refusal.headers["Request-Id"]


def test_the_answer_is_500_and_no_entry_when_the_revocations_cannot_be_read(api: Api) -> None:
    token = api.token()
    api.adapters.revocations = Down()
    refusal = read(api, token)
    assert (refusal.status_code, refusal.json()["code"]) == (500, "internal_error")
    assert (refusal.json()["retryable"], refusal.headers["Retry-After"]) == (True, "1")
