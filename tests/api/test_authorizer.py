"""The authorizer behind the gateway: what it is shown, what it meters, and that it fails closed."""

from collections.abc import Callable, Mapping

import httpx
import pytest

from chalicelib.adapters.jose_tokens import JoseTokens
from emulation.functions import FunctionTimedOut
from tests.api.bound import Bound
from tests.api.conftest import ACME, Api
from tests.api.hostile import SEED, prefix, stored
from tests.api.provocations import Down

SUBMIT = b'{"type":"sha256.chain","input":{"seed":"%s","rounds":3}}' % SEED.encode()


def unreadable_revocations(api: Api) -> None:
    api.adapters.revocations = Down()


def unreadable_ring(api: Api) -> None:
    """As a cold function finds it: it has never read the ring."""
    settings, clock = api.adapters.settings, api.adapters.clock
    api.adapters.tokens = JoseTokens(api.adapters.keys, Down(), clock, issuer=settings.base_url)


def hangs(api: Api) -> None:
    def function(_event: object) -> object:
        raise FunctionTimedOut("after 5 seconds")

    api.stack.functions["authorize"] = function


def crashes(api: Api) -> None:
    def function(_event: object) -> object:
        raise RuntimeError("killed")

    api.stack.functions["authorize"] = function


def answers_nonsense(api: Api) -> None:
    api.stack.functions["authorize"] = lambda _event: {"principalId": 1}


@pytest.mark.parametrize(
    "breaks", [unreadable_revocations, unreadable_ring, hangs, crashes, answers_nonsense]
)
def test_nobody_gets_in_and_all_are_told_to_retry_when_it_cannot_tell(
    api: Api, breaks: Callable[[Api], None]
) -> None:
    bound, bearer = Bound(api), api.bearer()
    breaks(api)
    before, called = stored(api), len(api.stack.events("api_handler"))
    body = {"type": "sha256.chain", "input": {"seed": SEED, "rounds": 3}}
    for answer in (
        api.http.post("/v1/jobs", json=body, headers={**bearer, "Idempotency-Key": "k"}),
        api.http.get("/v1/jobs", headers=bearer),
        bound.send("GET", "/v1/jobs"),
    ):
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["retryable"]) == (500, "internal_error", True)
        assert answer.headers["Retry-After"] == "1"
    assert len(api.stack.events("api_handler")) == called
    assert stored(api) == before


def test_a_credential_that_is_none_is_refused_though_the_list_cannot_be_read(api: Api) -> None:
    """A forger is told so at no cost, and learns nothing of what is down."""
    unreadable_revocations(api)
    answer = api.http.get("/v1/jobs", headers={"Authorization": "Bearer x"})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


def test_it_is_shown_the_credential_and_the_method_and_nothing_else(api: Api) -> None:
    token = api.token()
    api.http.get("/v1/jobs?limit=1", headers={"Authorization": f"Bearer {token}", "DPoP": "x"})
    (event,) = api.stack.events("authorize")[-1:]
    arn = f"arn:aws:execute-api:us-east-1:123456789012:{api.deployed.id}/{api.deployed.stage}/GET/v1/jobs"
    assert event == {"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": arn}


def test_it_is_asked_about_each_request_for_no_answer_of_its_is_kept(api: Api) -> None:
    """A cached one would mix the metering keys, and outlive a revocation."""
    bearer, before = api.bearer(), len(api.stack.events("authorize"))
    for _ in range(3):
        api.http.get("/v1/jobs", headers=bearer)
    assert len(api.stack.events("authorize")) == before + 3


@pytest.mark.parametrize(
    "target", ["/v1/jobs", "/v1/jobs/", "//v1/jobs", "/v1/%6Aobs", "/%76%31/jobs", "/v1/jobs//"]
)
def test_a_submit_is_metered_as_one_however_its_path_is_spelt(api: Api, target: str) -> None:
    answers: list[Mapping[str, object]] = []
    decide = api.stack.functions["authorize"]

    def recorded(event: dict[str, object]) -> object:
        answers.append(decide(event))  # type: ignore[arg-type]
        return answers[-1]

    api.stack.functions["authorize"] = recorded
    answer = api.stack.http.post(
        httpx.URL(api.base_url).copy_with(raw_path=prefix(api) + target.encode()),
        headers={**api.bearer(), "Idempotency-Key": "k", "Content-Type": "application/json"},
        content=SUBMIT,
    )
    assert answer.status_code == 202
    assert [each["usageIdentifierKey"] for each in answers] == [f"{ACME}.submit"]
