"""The order of checks on a request: each fails only when all before it pass."""

import json
from typing import Any

import pytest

from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

KEY = "k" * 24
PASSING: dict[str, Any] = {
    "path": "/jobs?q1=1",
    "authorization": "good",
    "key": KEY,
    "body": {"n": 1},
}


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    """A method behind every check: an authorizer, a key, a required parameter, a model of its body."""
    stack.functions["authorize"] = _authorize
    schema = {"type": "object", "required": ["n"]}
    operation = apis.operation(
        security=[{"auth": [], "api_key": []}],
        parameters=[{"name": "q1", "in": "query", "required": True, "schema": {"type": "string"}}],
        requestBody={"content": {"application/json": {"schema": schema}}},
    )
    schemes = {"auth": apis.authorizer_scheme(), "api_key": apis.API_KEY_SCHEME}
    whole = {"validateRequestBody": True, "validateRequestParameters": True}
    return apis.imported(
        stack,
        apis.document(
            {"/jobs": {"post": operation}},
            components={"securitySchemes": schemes},
            **{
                "x-amazon-apigateway-request-validators": {"all": whole},
                "x-amazon-apigateway-request-validator": "all",
            },
        ),
    )


def _authorize(event: dict[str, Any]) -> object:
    answer = apis.allow()
    if event["authorizationToken"] == "denied":
        answer["policyDocument"]["Statement"][0]["Effect"] = "Deny"
    return answer


def _send(api: apis.Api, verb: str = "POST", **wrong: Any) -> tuple[int, str]:
    request = {**PASSING, **wrong}
    answer = api.request(
        verb,
        request["path"],
        json=request["body"],
        headers={"Authorization": request["authorization"], "x-api-key": request["key"]},
    )
    body = json.loads(answer.text) if answer.headers["content-type"] == "application/json" else {}
    return answer.status_code, str(body.get("message", body.get("Message"))) if isinstance(body, dict) else ""


ALL_WRONG: dict[str, Any] = {"path": "/jobs", "authorization": "denied", "key": "unknown", "body": {}}


@cites("order.route-first")
def test_an_unknown_path_comes_before_everything(api: apis.Api) -> None:
    assert _send(api, **{**ALL_WRONG, "path": "/nowhere"}) == (403, "Missing Authentication Token")


@cites("order.route-first")
def test_a_wrong_verb_comes_before_everything(api: apis.Api) -> None:
    assert _send(api, verb="PUT", **ALL_WRONG) == (403, "Missing Authentication Token")


@cites("order.authorizer-before-key")
def test_the_authorizer_comes_before_the_key(api: apis.Api) -> None:
    assert _send(api, **ALL_WRONG) == (403, "User is not authorized to access this resource")


@cites("order.key-before-limits")
def test_the_key_comes_before_the_limits(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(throttle={"rateLimit": 0, "burstLimit": 0}), value=KEY)
    assert _send(api, **{**ALL_WRONG, "authorization": "good"}) == (403, "Forbidden")


@cites("order.throttle-before-quota")
def test_the_throttle_comes_before_the_quota(api: apis.Api) -> None:
    plan = api.plan(throttle={"rateLimit": 0, "burstLimit": 0}, quota={"limit": 0, "period": "DAY"})
    apis.key_in(api.stack, plan, value=KEY)
    assert _send(api) == (429, "Too Many Requests")


@cites("order.limits-before-validation")
def test_the_quota_comes_before_validation(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(quota={"limit": 0, "period": "DAY"}), value=KEY)
    assert _send(api, path="/jobs", body={}) == (429, "Limit Exceeded")


@cites("order.parameters-before-body")
def test_the_parameters_come_before_the_body(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(), value=KEY)
    assert _send(api, path="/jobs", body={}) == (400, "Missing required request parameters: [q1]")


def test_the_body_comes_before_the_integration(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(), value=KEY)
    assert _send(api, body={}) == (400, "Invalid request body")
    assert api.stack.events("hello") == []


def test_the_integration_answers_when_every_check_passes(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(), value=KEY)
    api.stack.functions["hello"] = lambda event: {"body": json.dumps({"message": "reached"})}
    assert _send(api) == (200, "reached")
