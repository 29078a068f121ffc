"""Lambda authorizers: allowed, denied, absent, failing, cached."""

from typing import Any

import pytest

from emulation.functions import FunctionFailed, FunctionTimedOut
from tests.gateway import apis
from tests.gateway.conftest import Stack

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
    assert event["requestContext"]["authorizer"] == expected


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        ({}, {}),
        ({}, {"Authorization": ""}),
        ({"identityValidationExpression": "Bearer .+"}, {"Authorization": "Basic t"}),
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
        apis.allow(usageIdentifierKey=7),
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


@pytest.mark.parametrize("path", ["/a", "/a/", "/%61", "//a", "/%61//"])
def test_a_denial_holds_however_the_path_is_spelt(stack: Stack, path: str) -> None:
    denied = {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "*/GET/a"}
    stack.functions["authorize"] = lambda event: apis.allow(
        policyDocument={"Statement": [denied, *apis.allow()["policyDocument"]["Statement"]]}
    )
    assert _api(stack).get(path, headers=TOKEN).status_code == 403
    assert stack.events("hello") == []


def test_a_slash_within_a_segment_is_told_apart_from_one_between_two(stack: Stack) -> None:
    stack.functions["authorize"] = lambda event: apis.allow()
    _api(stack).get("/b/x%2fy%20z", headers=TOKEN)
    assert stack.events("authorize")[0]["methodArn"].endswith("/test/GET/b/x%2Fy z")


def test_a_validation_expression_has_no_effect_on_a_request_authorizer(stack: Stack) -> None:
    stack.functions["authorize"] = lambda event: apis.allow()
    settings = {"type": "request", "identityValidationExpression": "Bearer .+"}
    assert _api(stack, **settings).get("/a").status_code == 200


def test_every_request_is_asked_about_when_the_ttl_is_0(stack: Stack) -> None:
    stack.functions["authorize"] = lambda event: apis.allow()
    api = _api(stack)
    for _ in range(2):
        api.get("/a", headers=TOKEN)
    assert len(stack.events("authorize")) == 2


def test_a_result_is_kept_for_its_ttl_and_its_policy_evaluated_for_each_method(stack: Stack) -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*/GET/a"}
    stack.functions["authorize"] = lambda event: {
        "principalId": "p",
        "policyDocument": {"Statement": [statement]},
    }
    api = _api(stack, authorizerResultTtlInSeconds=60)
    statuses = [api.get(path, headers=TOKEN).status_code for path in ("/a", "/b/7", "/a")]
    assert (statuses, len(stack.events("authorize"))) == ([200, 403, 200], 1)
    api.get("/a", headers={"Authorization": "another"})
    stack.clock.advance(59.9)
    api.get("/a", headers=TOKEN)
    assert len(stack.events("authorize")) == 2
    stack.clock.advance(0.1)
    api.get("/a", headers=TOKEN)
    assert len(stack.events("authorize")) == 3


def test_the_default_ttl_is_300_seconds(stack: Stack) -> None:
    api = _api(stack)
    control = stack.apigateway
    made = control.create_authorizer(
        restApiId=api.api_id,
        name="bare",
        type="TOKEN",
        authorizerUri=apis.function_uri("authorize"),
        identitySource="method.request.header.Authorization",
        identityValidationExpression="B.*",
    )
    told = control.get_authorizer(restApiId=api.api_id, authorizerId=made["id"])
    assert (told["authorizerResultTtlInSeconds"], told["identityValidationExpression"]) == (300, "B.*")


def test_the_cached_result_keeps_its_usage_key_until_the_cache_is_flushed(stack: Stack) -> None:
    keys = iter(["first" * 5, "second" * 5])
    stack.functions["authorize"] = lambda event: apis.allow(usageIdentifierKey=next(keys))
    schemes = {
        "auth": apis.authorizer_scheme(authorizerResultTtlInSeconds=300),
        "api_key": apis.API_KEY_SCHEME,
    }
    api = apis.imported(
        stack,
        apis.document(
            {"/a": {"get": apis.operation(security=[{"auth": [], "api_key": []}])}},
            components={"securitySchemes": schemes},
            **{"x-amazon-apigateway-api-key-source": "AUTHORIZER"},
        ),
    )
    apis.key_in(stack, api.plan(), value="first" * 5)
    seen = [api.get("/a", headers=TOKEN).status_code for _ in range(2)]
    stack.apigateway.flush_stage_authorizers_cache(restApiId=api.api_id, stageName="test")
    assert [*seen, api.get("/a", headers=TOKEN).status_code] == [200, 200, 403]
