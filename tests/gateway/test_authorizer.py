"""Lambda authorizers: allowed, denied, absent, failing, cached."""

from typing import Any

import pytest

from emulation.functions import FunctionFailed, FunctionTimedOut
from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

TOKEN = {"Authorization": "Bearer t"}
UNAUTHORIZED = b'{"message":"Unauthorized"}'
DENIED = b'{"Message":"User is not authorized to access this resource"}'
BROKEN = b'{"message":null}'


def _api(stack: Stack, **settings: Any) -> apis.Api:
    """`/a` and `/b/{id}` behind the authorizer."""
    operation = apis.operation(security=[{"auth": []}])
    paths = {"/a": {"get": operation}, "/b/{id}": {"get": operation}}
    scheme = apis.authorizer_scheme(**settings)
    return apis.imported(stack, apis.document(paths, components={"securitySchemes": {"auth": scheme}}))


def test_a_token_authorizer_gets_the_token_and_the_method_arn(stack: Stack) -> None:
    stack.functions["authorize"] = lambda event: apis.allow()
    api = _api(stack)
    assert api.get("/b/7?x=1", headers=TOKEN).status_code == 200
    assert stack.events("authorize") == [
        {
            "type": "TOKEN",
            "authorizationToken": "Bearer t",
            "methodArn": f"arn:aws:execute-api:us-east-1:123456789012:{api.api_id}/test/GET/b/7",
        }
    ]


def test_a_request_authorizer_gets_the_request_without_its_body(stack: Stack) -> None:
    stack.functions["authorize"] = lambda event: apis.allow()
    api = _api(stack, type="request", identitySource="method.request.querystring.who")
    assert api.get("/b/7?who=me").status_code == 200
    (event,) = stack.events("authorize")
    assert (event["type"], event["resource"], event["pathParameters"]) == ("REQUEST", "/b/{id}", {"id": "7"})
    assert event["queryStringParameters"] == {"who": "me"}
    assert "body" not in event


def test_the_context_reaches_the_function_as_text(stack: Stack) -> None:
    stack.functions["authorize"] = lambda event: apis.allow(
        context={"tenant": "acme", "level": 3, "admin": True}
    )
    assert _api(stack).get("/a", headers=TOKEN).status_code == 200
    (event,) = stack.events("hello")
    expected = {"tenant": "acme", "level": "3", "admin": "true", "principalId": "someone"}
    told = event["requestContext"]["authorizer"]
    assert {name: value for name, value in told.items() if name != "integrationLatency"} == expected
    assert isinstance(told["integrationLatency"], int)


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        ({}, {}),
        ({}, {"Authorization": ""}),
        ({"identityValidationExpression": "Bearer .+"}, {"Authorization": "Basic t"}),
        ({"identityValidationExpression": "^(a|a)*$"}, {"Authorization": "a" * 60 + "!"}),  # it backtracks
        (
            {"type": "request", "identitySource": "method.request.querystring.a, stageVariables.missing"},
            TOKEN,
        ),
        (
            {
                "type": "request",
                "identitySource": "method.request.header.Authorization, method.request.header.X-Who",
            },
            TOKEN,
        ),
    ],
)
def test_unauthorized_without_a_call_when_an_identity_source_is_missing_or_not_valid(
    stack: Stack, settings: dict[str, Any], headers: dict[str, str]
) -> None:
    answer = _api(stack, **settings).get("/a", headers=headers)
    assert (answer.status_code, answer.content) == (401, UNAUTHORIZED)
    assert answer.headers["x-amzn-errortype"] == "UnauthorizedException"
    assert stack.events("authorize") == []


@pytest.mark.parametrize(
    ("failure", "status", "body"),
    [
        (FunctionFailed("authorize", "Exception", "Unauthorized"), 401, UNAUTHORIZED),
        (FunctionFailed("authorize", "KeyError", "'sub'"), 500, BROKEN),
        (FunctionTimedOut("authorize"), 500, BROKEN),
    ],
)
def test_a_failing_authorizer_is_401_when_it_says_unauthorized_and_500_otherwise(
    stack: Stack, failure: Exception, status: int, body: bytes
) -> None:
    def fail(event: dict[str, Any]) -> object:
        raise failure

    stack.functions["authorize"] = fail
    answer = _api(stack).get("/a", headers=TOKEN)
    assert (answer.status_code, answer.content) == (status, body)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "Allow",
        {},
        {"principalId": "p"},
        {"principalId": 7, "policyDocument": apis.allow()["policyDocument"]},
        apis.allow(context={"nested": {"a": 1}}),
        apis.allow(context=["a"]),
        apis.allow(usageIdentifierKey=7),
        apis.allow(principalId=None),
        apis.allow(policyDocument=None),
        apis.allow(policyDocument={"Version": "2012-10-17", "Statement": []}),
    ],
)
def test_an_answer_that_is_no_authorizers_is_a_configuration_error(stack: Stack, answer: object) -> None:
    stack.functions["authorize"] = lambda event: answer
    refused = _api(stack).get("/a", headers=TOKEN)
    assert (refused.status_code, refused.content) == (500, BROKEN)
    assert refused.headers["x-amzn-errortype"] == "AuthorizerConfigurationException"


def test_a_missing_authorizer_function_is_a_configuration_error(stack: Stack) -> None:
    assert _api(stack).get("/a", headers=TOKEN).content == BROKEN


def test_access_denied_when_the_policy_does_not_allow_the_method(stack: Stack) -> None:
    stack.functions["authorize"] = lambda event: {
        "principalId": "p",
        "policyDocument": {
            "Statement": {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*/GET/b/*"}
        },
    }
    api = _api(stack)
    assert api.get("/b/7", headers=TOKEN).status_code == 200
    answer = api.get("/a", headers=TOKEN)
    assert (answer.status_code, answer.content) == (403, DENIED)
    assert answer.headers["x-amzn-errortype"] == "AccessDeniedException"


@cites("limits.method-arn")
@pytest.mark.parametrize("path", ["/a", "/a/", "/%61", "//a", "/%61//"])
def test_a_denial_holds_however_the_path_is_spelt(stack: Stack, path: str) -> None:
    denied = {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "*/GET/a"}
    stack.functions["authorize"] = lambda event: apis.allow(
        policyDocument={"Statement": [denied, *apis.allow()["policyDocument"]["Statement"]]}
    )
    assert _api(stack).get(path, headers=TOKEN).status_code == 403
    assert stack.events("hello") == []


@cites("limits.method-arn")
def test_a_slash_within_a_segment_is_told_apart_from_one_between_two(stack: Stack) -> None:
    stack.functions["authorize"] = lambda event: apis.allow()
    _api(stack).get("/b/x%2fy%20z", headers=TOKEN)
    assert stack.events("authorize")[0]["methodArn"].endswith("/test/GET/b/x%2Fy z")


def test_a_stage_variable_names_the_authorizers_function(stack: Stack) -> None:
    stack.functions["authorize"] = lambda event: apis.allow()
    api = _api(stack, authorizerUri=apis.function_uri("${stageVariables.who}"))
    missing = api.get("/a", headers=TOKEN)
    api.patch_stage("/variables/who", "authorize")
    assert (missing.status_code, missing.content) == (500, BROKEN)
    assert api.get("/a", headers=TOKEN).status_code == 200


def test_an_authorizer_edited_takes_effect_at_the_next_deployment(stack: Stack) -> None:
    stack.functions["authorize"] = lambda event: apis.allow()
    api = _api(stack)
    (made,) = stack.apigateway.get_authorizers(restApiId=api.api_id)["items"]
    stack.apigateway.update_authorizer(
        restApiId=api.api_id,
        authorizerId=made["id"],
        patchOperations=[{"op": "replace", "path": "/authorizerUri", "value": apis.function_uri("nobody")}],
    )
    before = api.get("/a", headers=TOKEN).status_code
    api.redeploy()
    assert (before, api.get("/a", headers=TOKEN).status_code) == (200, 500)


def test_a_validation_expression_has_no_effect_on_a_request_authorizer(stack: Stack) -> None:
    stack.functions["authorize"] = lambda event: apis.allow()
    settings = {"type": "request", "identityValidationExpression": "Bearer .+"}
    assert _api(stack, **settings).get("/a").status_code == 200
