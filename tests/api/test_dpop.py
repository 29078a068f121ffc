"""Tokens bound to a key (RFC 9449), through the gateway: whoever has one and not the key can do nothing."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest
from chalice.config import Config
from chalice.local import ForbiddenError, LocalGateway

import app as functions
from chalicelib.adapters.dynamodb_tallies import DynamoDbSingleUse
from chalicelib.domain.errors import InvalidProof
from chalicelib.use_cases.verify_proof import Presented
from tests.api.bound import Bound, ask
from tests.api.conftest import ACME, GLOBEX, SECRET, Api, client_id
from tests.api.hostile import SEED, Refusal, basic
from tests.conformance.conftest import aws_endpoint as aws_endpoint
from tests.conformance.real_ports import make_resources, tables
from tests.proofs import KEY, OTHER_KEY, proof, public_as_secret, signed, unsigned

CHALLENGE = 'DPoP realm="zama-jobs", error="invalid_dpop_proof", algs="ES256"'
SUBMIT: Mapping[str, Any] = {"type": "sha256.chain", "input": {"seed": SEED, "rounds": 3}}
KEYED = {"Idempotency-Key": "k"}
ROUTES = (
    ("GET", "/v1/jobs?limit=2&status=queued", 200),
    ("GET", "/v1/job-types", 200),
    ("GET", "/v1/usage", 200),
    ("GET", "/v1/invoices/2026-11", 200),
    ("POST", "/v1/jobs", 202),
)


def submit(bound: Bound, *proofs: str, **changes: Any) -> httpx.Response:
    return bound.send("POST", "/v1/jobs", *proofs, headers=KEYED, json=SUBMIT, **changes)


def assert_refused(answer: httpx.Response) -> None:
    """By the function, with the problem and the challenge."""
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_dpop_proof"), answer.text
    assert answer.headers["WWW-Authenticate"] == CHALLENGE


def test_the_token_is_bound_to_the_key_when_a_proof_comes_with_the_request(api: Api) -> None:
    bound = Bound(api)
    assert bound.issued.json()["token_type"] == "DPoP"
    assert api.adapters.tokens.verify(bound.token).token.to_claims(issuer=api.base_url)["cnf"] == {
        "jkt": KEY.thumbprint()
    }


def test_the_token_is_for_any_bearer_when_no_proof_comes_with_the_request(api: Api) -> None:
    answer = ask(api)
    assert answer.json()["token_type"] == "Bearer"
    assert "cnf" not in api.adapters.tokens.verify(answer.json()["access_token"]).token.to_claims(issuer="x")


@pytest.mark.parametrize("proofs", [(), ("x",), ("right", "right")], ids=["none", "none good", "two"])
def test_no_token_is_given_when_the_client_must_prove_a_key_and_does_not(
    api: Api, proofs: tuple[str, ...]
) -> None:
    rows = api.adapters.clients.rows
    rows[client_id(ACME)] = replace(rows[client_id(ACME)], is_dpop_bound=True)
    right = proof("POST", f"{api.base_url}/v1/oauth/token", now=api.adapters.clock.now().timestamp())
    refusal = ask(api, *(right if each == "right" else each for each in proofs))
    assert (refusal.status_code, refusal.json()["error"]) == (400, "invalid_dpop_proof")
    assert ask(api, right).status_code == 200


def test_no_token_is_given_when_the_proof_was_used_or_is_for_the_api(api: Api) -> None:
    bound = Bound(api)
    once = bound.proof("POST", "/v1/oauth/token", ath=None)
    assert ask(api, once).status_code == 200
    for wrong in (once, bound.proof("POST", "/v1/jobs"), bound.proof("POST", "/v1/oauth/revoke", ath=None)):
        refusal = ask(api, wrong)
        assert (refusal.status_code, refusal.json()["error"]) == (400, "invalid_dpop_proof")


def test_no_proof_is_used_up_when_the_client_does_not_prove_itself(api: Api) -> None:
    right = proof("POST", f"{api.base_url}/v1/oauth/token", now=api.adapters.clock.now().timestamp())
    stranger = api.http.post(
        "/v1/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"DPoP": right, **basic(secret=SECRET[:-1] + "x")},
    )
    assert (stranger.status_code, stranger.json()["error"]) == (401, "invalid_client")
    assert ask(api, right).status_code == 200


@pytest.mark.parametrize(("method", "path", "status"), ROUTES)
@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
def test_a_request_is_answered_when_its_proof_is_right(
    api: Api, method: str, path: str, status: int, scheme: str
) -> None:
    content = {"headers": KEYED, "json": SUBMIT} if method == "POST" else {}
    assert Bound(api).send(method, path, scheme=scheme, **content).status_code == status


def test_a_job_is_submitted_read_and_canceled_when_each_request_has_its_proof(api: Api) -> None:
    bound = Bound(api)
    job_id = submit(bound).json()["id"]
    assert bound.send("GET", f"/v1/jobs/{job_id}").status_code == 200
    assert bound.send("POST", f"/v1/jobs/{job_id}/cancel").json()["status"] == "canceled"


def test_a_submit_is_replayed_when_it_comes_again_with_a_proof_of_its_own(api: Api) -> None:
    bound = Bound(api)
    first, again = submit(bound), submit(bound)
    assert (again.headers["Idempotent-Replayed"], again.content) == ("true", first.content)


def test_a_path_is_the_same_when_client_and_proof_spell_it_differently(api: Api) -> None:
    """The id in a path is taken as it came, so that an encoded one names no job: what counts is the proof."""
    bound = Bound(api)
    job_id = submit(bound).json()["id"]
    plain, encoded = f"/v1/jobs/{job_id}", f"/v1/jobs/%6A{job_id[1:]}"
    for asked, proven in ((encoded, plain), (plain, encoded), (plain, encoded.replace("%6A", "%6a"))):
        assert bound.send("GET", asked, bound.proof("GET", proven)).status_code in (200, 404)


def test_a_slash_within_an_id_is_another_path(api: Api) -> None:
    bound = Bound(api)
    given = bound.proof("POST", "/v1/jobs/a/cancel")
    headers = {"Authorization": f"DPoP {bound.token}", "DPoP": given}
    assert_refused(api.stack.http.post(f"{api.base_url}/v1/jobs/a%2Fb/cancel", headers=headers))
    assert_refused(api.stack.http.get(f"{api.base_url}/v1/jobs/a%2Fcancel", headers=headers))
    assert api.http.post("/v1/jobs/a/cancel", headers=headers).status_code == 404


def test_the_url_of_a_proof_is_the_published_one_whatever_url_was_called(api: Api) -> None:
    """The edge serves the API under two; a host that a client names may be anybody's."""
    bound = Bound(api)
    twin = f"{api.stack.url}/restapis/{api.deployed.id}/{api.deployed.stage}/_user_request_/v1/jobs"

    def read(given: str) -> httpx.Response:
        headers = {"Authorization": f"DPoP {bound.token}", "DPoP": given, "Host": "other.test"}
        return api.stack.http.get(twin, headers=headers)

    assert read(bound.proof("GET", "/v1/jobs")).status_code == 200
    now = api.adapters.clock.now().timestamp()
    for url in (twin, "http://other.test/v1/jobs"):
        assert_refused(read(proof("GET", url, now=now, access_token=bound.token)))


def _of_now(api: Api, seconds: float) -> int:
    return int(api.adapters.clock.now().timestamp() + seconds)


def _good(method: str = "POST", path: str = "/v1/jobs", **changes: Any) -> Callable[[Api, Bound], list[str]]:
    return lambda api, bound: [bound.proof(method, path, **changes)]


def _claims(api: Api) -> Mapping[str, Any]:
    return {"htm": "POST", "htu": f"{api.base_url}/v1/jobs", "iat": _of_now(api, 0), "jti": "id"}


HEADER = {"alg": "ES256", "typ": "dpop+jwt", "jwk": KEY.as_dict(private=False)}
BAD: Mapping[str, Callable[[Api, Bound], list[str]]] = {
    "another method": _good("GET"),
    "another path": _good(path="/v1/uploads"),
    "another scheme": lambda api, bound: [
        bound.proof("POST", "", htu=api.base_url.replace("http", "https") + "/v1/jobs")
    ],
    "another host": _good(htu="http://other.test/v1/jobs"),
    "of another token": lambda api, bound: [Bound(api).proof("POST", "/v1/jobs")],
    "of no token": _good(ath=None),
    "of another key": _good(key=OTHER_KEY),
    "a minute and a second old": lambda api, bound: [bound.proof("POST", "/v1/jobs", iat=_of_now(api, -61))],
    "a minute and a second ahead": lambda api, bound: [bound.proof("POST", "/v1/jobs", iat=_of_now(api, 61))],
    "another typ": _good(header={"typ": "JWT"}),
    "alg none": lambda api, _: [unsigned({**HEADER, "alg": "none"}, _claims(api))],
    "alg HS256": lambda api, _: [signed({**HEADER, "alg": "HS256"}, _claims(api), public_as_secret(KEY))],
    "alg RS256": lambda api, _: [unsigned({**HEADER, "alg": "RS256"}, _claims(api), signature="AA")],
    "a private key": _good(header={"jwk": KEY.as_dict(private=True)}),
    "no jwk": _good(header={"jwk": None}),
    "two of them": lambda _, bound: [bound.proof("POST", "/v1/jobs"), bound.proof("POST", "/v1/jobs")],
    "two in one": lambda _, bound: [
        f"{bound.proof('POST', '/v1/jobs')}, {bound.proof('POST', '/v1/jobs')}"
    ],
    "one twice": lambda _, bound: [bound.proof("POST", "/v1/jobs")] * 2,
    "an empty one": lambda *_: [""],
    "words": lambda *_: ["not a proof"],
    "8 KiB": lambda *_: ["a" * 8192],
    "deeply nested": lambda api, _: [
        unsigned(HEADER, {**_claims(api), "jti": json.loads("[" * 700 + "]" * 700)}, signature="AA")
    ],
    "no iat": _good(iat=None),
    "iat text": lambda api, bound: [bound.proof("POST", "/v1/jobs", iat=str(_of_now(api, 0)))],
    "iat NaN": _good(iat=float("nan")),
    "iat huge": _good(iat=10**300),
    "jti a number": _good(jti=1),
    "jti empty": _good(jti=""),
    "no jti": _good(jti=None),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_nothing_is_done_when_the_proof_is_wrong(api: Api, name: str) -> None:
    bound = Bound(api)
    proofs = BAD[name](api, bound)
    refusal = Refusal(api)
    answer = submit(bound, *proofs)
    refusal.check(answer, 401, "invalid_dpop_proof")
    assert_refused(answer)
    assert submit(bound).status_code == 202


def test_nothing_is_done_when_there_is_no_proof(api: Api) -> None:
    bound = Bound(api)
    refusal = Refusal(api)
    headers = {"Authorization": f"DPoP {bound.token}", **KEYED}
    answer = api.http.post("/v1/jobs", json=SUBMIT, headers=headers)
    refusal.check(answer, 401, "invalid_dpop_proof")
    assert_refused(answer)


def test_a_proof_is_refused_when_it_comes_again(api: Api) -> None:
    bound = Bound(api)
    once = bound.proof("GET", "/v1/jobs")
    assert bound.send("GET", "/v1/jobs", once).status_code == 200
    for _ in range(61):
        assert_refused(bound.send("GET", "/v1/jobs", once))
        api.stack.clock.advance(1)
    assert_refused(bound.send("GET", "/v1/jobs", once))


def test_a_proof_is_good_to_the_last_second_of_its_minute(api: Api) -> None:
    bound = Bound(api)
    proofs = [bound.proof("GET", "/v1/jobs") for _ in range(2)]
    api.stack.clock.advance(60)
    assert bound.send("GET", "/v1/jobs", proofs[0]).status_code == 200
    api.stack.clock.advance(1)
    assert_refused(bound.send("GET", "/v1/jobs", proofs[1]))


def test_a_proof_opens_one_request_when_it_was_made_for_that(api: Api) -> None:
    """The client's own proof of another request is as good as none."""
    bound = Bound(api)
    job_id = submit(bound).json()["id"]
    read = bound.proof("GET", f"/v1/jobs/{job_id}")
    assert_refused(bound.send("GET", "/v1/jobs", read))
    assert_refused(bound.send("POST", f"/v1/jobs/{job_id}/cancel", read))
    assert bound.send("GET", f"/v1/jobs/{job_id}", read).json()["status"] == "queued"


def test_one_request_of_many_is_done_when_all_carry_one_proof(api: Api, aws_endpoint: str) -> None:
    """On the real table; the race is at the function's door, for Chalice serves one request a process."""
    make_resources(aws_endpoint)
    verify = replace(api.container.verify_proof, single_use=DynamoDbSingleUse(tables(aws_endpoint)))
    bound = Bound(api)
    once = bound.proof("POST", "/v1/jobs")
    presented = Presented(method="POST", url=f"{api.base_url}/v1/jobs", access_token=bound.token)

    def attempt(_: int) -> bool:
        try:
            return verify(once, presented) == KEY.thumbprint()
        except InvalidProof:
            return False

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(attempt, range(48))) == 1


def test_a_token_is_invalid_when_it_is_presented_by_the_other_scheme(api: Api) -> None:
    bound = Bound(api)
    unbound = api.token()
    refusal = Refusal(api)
    refusal.check(submit(bound, scheme="Bearer"), 401, "invalid_token")
    headers = {"Authorization": f"DPoP {unbound}", "DPoP": bound.proof("POST", "/v1/jobs"), **KEYED}
    refusal.check(api.http.post("/v1/jobs", json=SUBMIT, headers=headers), 401, "invalid_token")


@pytest.mark.parametrize("given", ["not a proof", "", "a" * 8000])
def test_a_proof_is_not_looked_at_when_the_token_is_for_any_bearer(api: Api, given: str) -> None:
    headers = {**api.bearer(), "DPoP": given}
    assert api.http.get("/v1/jobs", headers=headers).status_code == 200


def test_a_proof_opens_nothing_when_the_token_is_another_tenants(api: Api) -> None:
    job_id = submit(Bound(api)).json()["id"]
    other = Bound(api, GLOBEX)
    answer = other.send("GET", f"/v1/jobs/{job_id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


def test_the_challenge_is_for_the_scheme_that_was_used_when_a_scope_lacks(api: Api) -> None:
    answer = submit(Bound(api, scope="jobs:read"))
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert answer.headers["WWW-Authenticate"] == (
        'DPoP realm="zama-jobs", error="insufficient_scope", scope="jobs:write", algs="ES256"'
    )


def test_chalice_local_asks_for_the_same_proof_as_the_gateway(api: Api) -> None:
    """Its own address is no name of the API: proofs, like tokens, are for the published URL."""
    gateway = LocalGateway(functions.app, Config.create())
    bound = Bound(api)

    def read(scheme: str, **headers: str) -> Mapping[str, Any]:
        given = {"Authorization": f"{scheme} {bound.token}", **headers}
        return gateway.handle_request("GET", "/v1/jobs?limit=1", given, b"")

    answer = read("DPoP", DPoP=bound.proof("GET", "/v1/jobs"))
    assert (answer["statusCode"], json.loads(answer["body"])["data"]) == (200, [])
    for headers in ({}, {"DPoP": bound.proof("GET", "", htu="http://127.0.0.1:8000/v1/jobs")}):
        refused = read("DPoP", **headers)
        assert (refused["statusCode"], json.loads(refused["body"])["code"]) == (401, "invalid_dpop_proof")
    with pytest.raises(ForbiddenError):
        read("Bearer")
    bearer = gateway.handle_request("GET", "/v1/jobs", api.bearer(), b"")
    assert bearer["statusCode"] == 200
