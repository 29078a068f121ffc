"""The gateway's own answers: each type to the byte, all headers, and customised by each of its names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from emulation.functions import FunctionFailed, FunctionTimedOut
from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

KEY, THROTTLED, EXHAUSTED = "k" * 24, "throttled" * 3, "exhausted" * 3
INTERNAL = b'{"message": "Internal server error"}'
Responses = dict[str, Any]


def _authorize(event: dict[str, Any]) -> object:
    match event["authorizationToken"]:
        case "failing":
            raise FunctionFailed("authorize", "KeyError", "'sub'")
        case "malformed":
            return {}
        case _:
            policy = {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
            return {"principalId": "p", "policyDocument": policy}


def _late(event: dict[str, Any]) -> object:
    raise FunctionTimedOut("late")


def _api(stack: Stack, responses: Responses) -> apis.Api:
    """An API that can be made to answer with every type."""
    stack.functions |= {"authorize": _authorize, "late": _late, "malformed": lambda event: "malformed"}
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    parameter = {"name": "q1", "in": "query", "required": True, "schema": {"type": "string"}}
    never: dict[str, Any] = {
        "type": "mock",
        "passthroughBehavior": "never",
        "requestTemplates": {"a/b": "{}"},
    }
    refusing: dict[str, Any] = {"type": "http_proxy", "httpMethod": "GET", "uri": "http://127.0.0.1:1/"}
    validated = {"x-amazon-apigateway-request-validator": "all"}
    operations = {
        "/plain": apis.operation(),
        "/keyed": apis.operation(security=apis.KEY_REQUIRED),
        "/guarded": apis.operation(security=[{"auth": []}]),
        "/body": apis.operation(requestBody=body, **validated),
        "/parameters": apis.operation(parameters=[parameter], **validated),
        "/typed": _integrated(never),
        "/refusing": _integrated(refusing),
        **{f"/{name}": _integrated(apis.proxy(name)) for name in ("missing", "late", "malformed")},
    }
    document = apis.document(
        {path: {"post": operation} for path, operation in operations.items()},
        components={"securitySchemes": {"auth": apis.authorizer_scheme(), "api_key": apis.API_KEY_SCHEME}},
        **{
            "x-amazon-apigateway-request-validators": {
                "all": {"validateRequestBody": True, "validateRequestParameters": True}
            },
            "x-amazon-apigateway-gateway-responses": responses,
        },
    )
    api = apis.imported(stack, document)
    apis.key_in(stack, api.plan("0", throttle={"rateLimit": 0, "burstLimit": 0}), value=THROTTLED)
    apis.key_in(stack, api.plan("1", quota={"limit": 0, "period": "DAY"}), value=EXHAUSTED)
    return api


def _integrated(integration: dict[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = {"x-amazon-apigateway-integration": integration}
    return apis.operation(**settings)


@dataclass(frozen=True, slots=True)
class Type:
    name: str
    send: Callable[[apis.Api], httpx.Response]
    status: int
    body: bytes
    error_type: str | None = None


def _post(path: str, content: str = "[]", **headers: str) -> Callable[[apis.Api], httpx.Response]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda api: api.request("POST", path, content=content, headers=sent)


_DENIED = b'{"Message":"User is not authorized to access this resource"}'
_NO_PARAMETER = b'{"message":"Missing required request parameters: [q1]"}'
_NO_TOKEN = b'{"message":"Missing Authentication Token"}'
_UNREACHABLE = b'{"message":"Network error communicating with endpoint"}'
_LATE, _NULL = b'{"message":"Endpoint request timed out"}', b'{"message":null}'
_CONFIGURATION, _SERVER = "AuthorizerConfigurationException", "InternalServerErrorException"
TYPES = [
    Type(
        "MISSING_AUTHENTICATION_TOKEN",
        _post("/nowhere"),
        403,
        _NO_TOKEN,
        "MissingAuthenticationTokenException",
    ),
    Type("INVALID_API_KEY", _post("/keyed"), 403, b'{"message":"Forbidden"}', "ForbiddenException"),
    Type("UNAUTHORIZED", _post("/guarded"), 401, b'{"message":"Unauthorized"}', "UnauthorizedException"),
    Type("ACCESS_DENIED", _post("/guarded", Authorization="x"), 403, _DENIED, "AccessDeniedException"),
    Type("AUTHORIZER_FAILURE", _post("/guarded", Authorization="failing"), 500, _NULL, _CONFIGURATION),
    Type(
        "AUTHORIZER_CONFIGURATION_ERROR",
        _post("/guarded", Authorization="malformed"),
        500,
        _NULL,
        _CONFIGURATION,
    ),
    Type(
        "THROTTLED",
        _post("/keyed", x_api_key=THROTTLED),
        429,
        b'{"message":"Too Many Requests"}',
        "TooManyRequestsException",
    ),
    Type(
        "QUOTA_EXCEEDED",
        _post("/keyed", x_api_key=EXHAUSTED),
        429,
        b'{"message":"Limit Exceeded"}',
        "LimitExceededException",
    ),
    Type(
        "BAD_REQUEST_BODY", _post("/body"), 400, b'{"message":"Invalid request body"}', "BadRequestException"
    ),
    Type("BAD_REQUEST_PARAMETERS", _post("/parameters"), 400, _NO_PARAMETER, "BadRequestException"),
    Type(
        "UNSUPPORTED_MEDIA_TYPE",
        _post("/typed"),
        415,
        b'{"message":"Unsupported Media Type"}',
        "BadRequestException",
    ),
    Type("API_CONFIGURATION_ERROR", _post("/missing"), 500, INTERNAL, _SERVER),
    Type("INTEGRATION_TIMEOUT", _post("/late"), 504, _LATE),
    Type("INTEGRATION_FAILURE", _post("/refusing"), 504, _UNREACHABLE),
    Type(
        "REQUEST_TOO_LARGE",
        _post("/plain", content="x" * (6 * 1024 * 1024)),
        413,
        b'{"message":"Request Too Long"}',
    ),
]
FAILED_PROXY = Type("DEFAULT_5XX", _post("/malformed"), 502, INTERNAL, _SERVER)


@cites("headers.identified", "headers.content-type", "headers.none-of-limits")
@cites(
    "responses.missing-authentication-token",
    "responses.invalid-api-key",
    "responses.unauthorized",
    "responses.access-denied",
    "responses.authorizer-failure",
    "responses.authorizer-configuration-error",
    "responses.throttled",
    "responses.quota-exceeded",
    "responses.bad-request-body",
    "responses.bad-request-parameters",
    "responses.unsupported-media-type",
    "responses.api-configuration-error",
    "responses.failed-proxy",
    "responses.integration-timeout",
    "responses.integration-failure",
    "responses.request-too-large",
)
@pytest.mark.parametrize("each", [*TYPES, FAILED_PROXY], ids=lambda each: each.name)
def test_status_body_and_every_header_are_the_services_when_nothing_is_customised(
    stack: Stack, each: Type
) -> None:
    answer = each.send(_api(stack, {}))
    assert (answer.status_code, answer.content) == (each.status, each.body)
    headers = dict(answer.headers)
    assert headers["x-amzn-requestid"]
    assert headers["x-amz-apigw-id"]
    assert headers.get("x-amzn-errortype") == each.error_type
    assert headers["content-type"] == "application/json"
    named = {"x-amzn-requestid", "x-amz-apigw-id", "x-amzn-errortype", "content-type"}
    assert set(headers) - named <= {"content-length", "date", "connection"}


CUSTOM = {
    "statusCode": "418",
    "responseParameters": {"gatewayresponse.header.X-Custom": "'yes'"},
    "responseTemplates": {"application/json": '{"said":$context.error.messageString}'},
}


def _said(each: Type) -> bytes:
    """The default body's message, with its quotes, in the customised body."""
    return b'{"said":' + each.body.partition(b":")[2].strip()


@cites("custom.own-type", "custom.status", "custom.header-literal", "custom.message-string")
@pytest.mark.parametrize("each", TYPES, ids=lambda each: each.name)
def test_a_type_is_customised_by_its_own_name(stack: Stack, each: Type) -> None:
    answer = each.send(_api(stack, {each.name: CUSTOM}))
    assert (answer.status_code, answer.headers["x-custom"]) == (418, "yes")
    assert answer.content == _said(each)


@cites("custom.default-4xx", "custom.default-5xx", "custom.default-keeps-status")
@pytest.mark.parametrize("each", [*TYPES, FAILED_PROXY], ids=lambda each: each.name)
def test_a_type_is_customised_by_its_default_and_keeps_its_status_without_one(
    stack: Stack, each: Type
) -> None:
    default, other = ("DEFAULT_4XX", "DEFAULT_5XX")[:: 1 if each.status < 500 else -1]
    without_status = {name: value for name, value in CUSTOM.items() if name != "statusCode"}
    answer = each.send(_api(stack, {default: without_status, other: {"statusCode": "599"}}))
    assert (answer.status_code, answer.headers["x-custom"]) == (each.status, "yes")
    assert answer.content == _said(each)


@cites("custom.specific-wins")
@pytest.mark.parametrize("each", TYPES, ids=lambda each: each.name)
def test_a_customised_type_is_not_touched_by_a_customised_default(stack: Stack, each: Type) -> None:
    answer = each.send(
        _api(stack, {"DEFAULT_4XX": CUSTOM, "DEFAULT_5XX": CUSTOM, each.name: {"statusCode": "420"}})
    )
    assert (answer.status_code, answer.content, "x-custom" in answer.headers) == (420, each.body, False)


@cites("limits.timeout-range")
@pytest.mark.parametrize(("timeout", "status"), [(49, 400), (50, 201), (29_000, 201), (29_001, 400)])
def test_an_integrations_time_out_is_from_50_ms_to_29_s(stack: Stack, timeout: int, status: int) -> None:
    api = apis.imported(stack, apis.document({"/a": {"get": apis.operation()}}))
    answer = stack.http.put(
        f"/restapis/{api.api_id}/resources/{api.resource_id('/a')}/methods/GET/integration",
        json={"type": "MOCK", "timeoutInMillis": timeout},
    )
    assert answer.status_code == status
