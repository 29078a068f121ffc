"""The events that functions get, key by key, against events captured from the service.

The tables hold what a captured event has at each path: a type, or null. Where ours differ, `NOT_OURS` and
`OURS` say why; there are no other differences.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway import apis
from tests.gateway.conftest import Stack

VALUE = "k" * 24
IDENTITY = {
    "accessKey": "null",
    "accountId": "null",
    "caller": "null",
    "cognitoAuthenticationProvider": "null",
    "cognitoAuthenticationType": "null",
    "cognitoIdentityId": "null",
    "cognitoIdentityPoolId": "null",
    "principalOrgId": "null",
    "sourceIp": "str",
    "user": "null",
    "userAgent": "str",
    "userArn": "null",
}
CONTEXT = {
    "accountId": "str",
    "apiId": "str",
    "deploymentId": "str",
    "domainName": "str",
    "domainPrefix": "str",
    "extendedRequestId": "str",
    "httpMethod": "str",
    "path": "str",
    "protocol": "str",
    "requestId": "str",
    "requestTime": "str",
    "requestTimeEpoch": "int",
    "resourceId": "str",
    "resourcePath": "str",
    "stage": "str",
    **{f"identity.{name}": kind for name, kind in IDENTITY.items()},
}
HEADERS = {
    "Accept",
    "Accept-Encoding",
    "Host",
    "User-Agent",
    "X-Amzn-Trace-Id",
    "X-Forwarded-For",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
}
FIELDS = {
    "httpMethod": "str",
    "path": "str",
    "resource": "str",
    **{f"headers.{name}": "str" for name in HEADERS},
    **{f"multiValueHeaders.{name}[]": "str" for name in HEADERS},
    **{f"requestContext.{name}": kind for name, kind in CONTEXT.items()},
}
CHOSEN = ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables")
BARE = {**FIELDS, "body": "null", "isBase64Encoded": "bool", **dict.fromkeys(CHOSEN, "null")}
FULL = {
    **FIELDS,
    "body": "str",
    "isBase64Encoded": "bool",
    "headers.Content-Type": "str",
    "multiValueHeaders.Content-Type[]": "str",
    "queryStringParameters.q": "str",
    "multiValueQueryStringParameters.q[]": "str",
    "pathParameters.id": "str",
    "stageVariables.base": "str",
}
KEYED = {"requestContext.identity.apiKey": "str", "requestContext.identity.apiKeyId": "str"}
KEY_HEADER = {"headers.x-api-key": "str", "multiValueHeaders.x-api-key[]": "str"}
AUTHORIZED = {
    "requestContext.authorizer.principalId": "str",
    "requestContext.authorizer.integrationLatency": "int",
    "requestContext.authorizer.tenant": "str",
}

# Paths that a captured event of an edge-optimised API has and ours has not: no CloudFront stands before us.
NOT_OURS = {
    f"{place}.{name}{mark}"
    for place, mark in (("headers", ""), ("multiValueHeaders", "[]"))
    for name in (
        "CloudFront-Forwarded-Proto",
        "CloudFront-Is-Desktop-Viewer",
        "CloudFront-Is-Mobile-Viewer",
        "CloudFront-Is-SmartTV-Viewer",
        "CloudFront-Is-Tablet-Viewer",
        "CloudFront-Viewer-ASN",
        "CloudFront-Viewer-Country",
        "Via",
        "X-Amz-Cf-Id",
    )
}

# What our values look like where those of a captured event look otherwise, though the types are the same:
# `domainName` is a Host with its port, as clients call it here; `domainPrefix` is the API's id all the same.
OURS = {"domainName": "127.0.0.1:"}


def _paths(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every path of the value that ends, with the type there; an empty object ends as `{}`."""
    if isinstance(value, dict) and value:
        for name, each in value.items():
            yield from _paths(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for each in value:
            yield from _paths(each, f"{path}[]")
    else:
        yield path, {type(None): "null", dict: "{}"}.get(type(value), type(value).__name__)


def _api(stack: Stack, **settings: Any) -> apis.Api:
    """`/open`, `/keyed/{id}` with a key, and `/guarded` behind an authorizer."""
    schemes = {"api_key": apis.API_KEY_SCHEME, "auth": apis.authorizer_scheme(**settings)}
    paths = {
        "/open": {"get": apis.operation(), "post": apis.operation()},
        "/keyed/{id}": {"post": apis.operation(security=apis.KEY_REQUIRED)},
        "/guarded": {"get": apis.operation(security=[{"auth": []}])},
    }
    document = apis.document(paths, components={"securitySchemes": schemes})
    stack.functions["authorize"] = lambda event: apis.allow(context={"tenant": "acme"})
    return apis.imported(stack, document)


def _event(stack: Stack, name: str = "hello") -> dict[str, Any]:
    event: dict[str, Any] = stack.events(name)[-1]
    return event


def test_a_bare_request_makes_a_captured_bare_event(stack: Stack) -> None:
    _api(stack).get("/open", headers={"User-Agent": "tests"})
    assert dict(_paths(_event(stack))) == BARE
    assert not NOT_OURS & set(BARE)


def test_a_keyed_request_with_everything_makes_a_captured_event(stack: Stack) -> None:
    api = _api(stack)
    key = apis.key_in(stack, api.plan(), value=VALUE)
    api.patch_stage("/variables/base", "x")
    headers = {"x-api-key": VALUE, "Content-Type": "application/json"}
    api.request("POST", "/keyed/7?q=1", content="{}", headers=headers)
    event = _event(stack)
    assert dict(_paths(event)) == {**FULL, **KEYED, **KEY_HEADER}
    identity = event["requestContext"]["identity"]
    assert (identity["apiKey"], identity["apiKeyId"]) == (VALUE, key)


def test_values_differ_from_captured_ones_only_as_listed(stack: Stack) -> None:
    api = _api(stack)
    api.get("/open", headers={"tEsT-HEADeR": "1"})
    event = _event(stack)
    assert event["requestContext"]["domainName"].startswith(OURS["domainName"])
    assert event["requestContext"]["domainPrefix"] == api.api_id
    assert event["headers"]["tEsT-HEADeR"] == "1"  # as the client wrote it


def test_an_unknown_key_is_told_without_an_id(stack: Stack) -> None:
    _api(stack).get("/open", headers={"x-api-key": "unknown"})
    added = {**KEY_HEADER, "requestContext.identity.apiKey": "str"}
    assert dict(_paths(_event(stack))) == {**BARE, **added}


def test_an_authorized_request_carries_what_the_authorizer_said(stack: Stack) -> None:
    _api(stack).get("/guarded", headers={"Authorization": "t"})
    header = {"headers.Authorization": "str", "multiValueHeaders.Authorization[]": "str"}
    assert dict(_paths(_event(stack))) == {**BARE, **header, **AUTHORIZED}


@pytest.mark.parametrize("known", [True, False])
def test_a_request_authorizers_event_is_a_captured_one(stack: Stack, known: bool) -> None:  # noqa: FBT001
    api = _api(stack, type="request")
    if known:
        apis.key_in(stack, api.plan(), value=VALUE)
    api.get("/guarded", headers={"x-api-key": VALUE})
    identity = KEYED if known else {"requestContext.identity.apiKey": "str"}
    empty = dict.fromkeys(CHOSEN, "{}")  # where the proxy's event has null
    expected = {**FIELDS, **empty, **KEY_HEADER, **identity, "type": "str", "methodArn": "str"}
    assert dict(_paths(_event(stack, "authorize"))) == expected


def test_a_token_authorizers_event_has_three_fields(stack: Stack) -> None:
    _api(stack).get("/guarded", headers={"Authorization": "t"})
    expected = {"type": "str", "methodArn": "str", "authorizationToken": "str"}
    assert dict(_paths(_event(stack, "authorize"))) == expected
