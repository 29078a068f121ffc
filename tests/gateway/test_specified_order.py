"""The order of the checks, pair by pair: a request that fails two neighbours gets the first one's answer.

The second alone is shown to be answered too, so that both are wrong indeed.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

KEY = "k" * 24
PASSING: dict[str, Any] = {
    "path": "/jobs?q1=1",
    "headers": {"Authorization": "good", "x-api-key": KEY, "Content-Type": "application/json"},
    "content": '{"n":1}',
}
BODY = {"schema": {"type": "object", "required": ["n"]}}
# It passes JSON alone through, and knows no response but 200's.
PICKY_MOCK = {
    "type": "mock",
    "passthroughBehavior": "never",
    "requestTemplates": {"application/json": '{"statusCode": $stageVariables.status}'},
    "responses": {"200": {"statusCode": "200"}},
}


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    """A method behind every check, with a key that passes them all."""
    stack.functions["authorize"] = _authorize
    operation = apis.operation(
        security=[{"auth": [], "api_key": []}],
        parameters=[{"name": "q1", "in": "query", "required": True, "schema": {"type": "string"}}],
        requestBody={"content": {"application/json": BODY, "text/plain": BODY}},
        **{"x-amazon-apigateway-integration": PICKY_MOCK},
    )
    schemes = {"auth": apis.authorizer_scheme(), "api_key": apis.API_KEY_SCHEME}
    whole = {"validateRequestBody": True, "validateRequestParameters": True}
    document = apis.document(
        {"/jobs": {"post": operation}},
        components={"securitySchemes": schemes},
        **{
            "x-amazon-apigateway-request-validators": {"all": whole},
            "x-amazon-apigateway-request-validator": "all",
        },
    )
    api = apis.imported(stack, document, variables={"status": "200"})
    apis.key_in(stack, api.plan(quota={"limit": 9, "period": "DAY"}), value=KEY)
    return api


def _authorize(event: dict[str, Any]) -> object:
    answer = apis.allow()
    if event["authorizationToken"] == "denied":
        answer["policyDocument"]["Statement"][0]["Effect"] = "Deny"
    return answer


Request = dict[str, Any]
Fault = Callable[[apis.Api, Request], None]


def _header(name: str, value: str) -> Fault:
    return lambda api, request: request["headers"].update({name: value})


def _field(name: str, value: str) -> Fault:
    return lambda api, request: request.update({name: value})


def _stage_throttled(api: apis.Api, request: Request) -> None:
    api.patch_stage("/*/*/throttling/rateLimit", "0")
    api.patch_stage("/*/*/throttling/burstLimit", "0")


def _quota_used_up(api: apis.Api, request: Request) -> None:
    (plan,) = api.stack.apigateway.get_usage_plans()["items"]
    api.stack.apigateway.update_usage_plan(
        usagePlanId=plan["id"], patchOperations=[{"op": "replace", "path": "/quota/limit", "value": "0"}]
    )


def _status_unknown(api: apis.Api, request: Request) -> None:
    api.patch_stage("/variables/status", "599")


TOO_LARGE: tuple[Fault, int, str] = (
    _field("content", "x" * (10 * 1024 * 1024 + 1)),
    413,
    "Request Too Long",
)
PATH: tuple[Fault, int, str] = (_field("path", "/nowhere"), 403, "Missing Authentication Token")
VERB: tuple[Fault, int, str] = (_field("verb", "PUT"), 403, "Missing Authentication Token")
AUTHORIZER: tuple[Fault, int, str] = (
    _header("Authorization", "denied"),
    403,
    "User is not authorized to access this resource",
)
API_KEY: tuple[Fault, int, str] = (_header("x-api-key", "unknown"), 403, "Forbidden")
THROTTLE: tuple[Fault, int, str] = (_stage_throttled, 429, "Too Many Requests")
QUOTA: tuple[Fault, int, str] = (_quota_used_up, 429, "Limit Exceeded")
PARAMETERS: tuple[Fault, int, str] = (
    _field("path", "/jobs"),
    400,
    "Missing required request parameters: [q1]",
)
CONTENT: tuple[Fault, int, str] = (_field("content", "{}"), 400, "Invalid request body")
MEDIA_TYPE: tuple[Fault, int, str] = (_header("Content-Type", "text/plain"), 415, "Unsupported Media Type")
INTEGRATION: tuple[Fault, int, str] = (_status_unknown, 500, "Internal server error")


def _answer(api: apis.Api, *faults: tuple[Fault, int, str]) -> tuple[int, str]:
    """Status and message of a request that passes but for these faults."""
    request = {**PASSING, "headers": dict(PASSING["headers"]), "verb": "POST"}
    for fault, _, _ in reversed(faults):
        fault(api, request)  # a stage's or a plan's stays
    answer = api.request(
        request["verb"], request["path"], headers=request["headers"], content=request["content"]
    )
    body = json.loads(answer.text or "{}")
    return answer.status_code, body.get("message", body.get("Message", ""))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(TOO_LARGE, PATH, marks=cites("order.size-first"), id="size, path"),
        pytest.param(PATH, AUTHORIZER, marks=cites("order.route-first"), id="path, authorizer"),
        pytest.param(VERB, AUTHORIZER, marks=cites("order.route-first"), id="verb, authorizer"),
        pytest.param(AUTHORIZER, API_KEY, marks=cites("order.authorizer-before-key"), id="authorizer, key"),
        pytest.param(API_KEY, THROTTLE, marks=cites("order.key-before-limits"), id="key, throttle"),
        pytest.param(THROTTLE, QUOTA, marks=cites("order.throttle-before-quota"), id="throttle, quota"),
        pytest.param(
            QUOTA, PARAMETERS, marks=cites("order.limits-before-validation"), id="quota, parameters"
        ),
        pytest.param(PARAMETERS, CONTENT, marks=cites("order.parameters-before-body"), id="parameters, body"),
        pytest.param(
            CONTENT, MEDIA_TYPE, marks=cites("order.validation-before-media-type"), id="body, media type"
        ),
        pytest.param(
            MEDIA_TYPE,
            INTEGRATION,
            marks=cites("order.media-type-before-integration"),
            id="media type, integration",
        ),
    ],
)
def test_the_first_check_answers_when_it_and_its_neighbour_fail(
    api: apis.Api, first: tuple[Fault, int, str], second: tuple[Fault, int, str]
) -> None:
    assert _answer(api) == (200, "")
    assert _answer(api, second) == second[1:]
    assert _answer(api, first, second) == first[1:]
