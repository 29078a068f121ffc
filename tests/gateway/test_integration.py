"""The Lambda proxy integration: which function, with what event; and MOCK."""

import base64
from typing import Any

import pytest

from tests.gateway import apis
from tests.gateway.conftest import START, Stack


def _api(stack: Stack, **settings: Any) -> apis.Api:
    stage = settings.pop("stage", {})
    paths = {"/jobs/{id}": {"post": apis.operation(), "get": apis.operation()}}
    return apis.imported(stack, apis.document(paths, **settings), **stage)


def test_the_event_is_the_services(stack: Stack) -> None:
    api = _api(stack, stage={"variables": {"baseUrl": "http://x"}})
    headers = [("X-Many", "1"), ("X-Many", "2"), ("User-Agent", "tests"), ("X-Forwarded-For", "10.0.0.1")]
    answer = api.request("POST", "/jobs/a%2Fb?q=1&q=%C3%A9&empty=", content="{}", headers=headers)
    (event,) = stack.events("hello")
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/jobs/{id}", "/jobs/a%2Fb", "POST")
    assert event["pathParameters"] == {"id": "a%2Fb"}
    assert event["queryStringParameters"] == {"q": "é", "empty": ""}
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "é"], "empty": [""]}
    assert event["stageVariables"] == {"baseUrl": "http://x"}
    assert (event["body"], event["isBase64Encoded"]) == ("{}", False)
    assert (event["headers"]["X-Many"], event["multiValueHeaders"]["X-Many"]) == ("2", ["1", "2"])
    assert event["headers"]["User-Agent"] == "tests"
    assert event["headers"]["X-Forwarded-For"] == "10.0.0.1, 127.0.0.1"
    context = event["requestContext"]
    assert context["requestId"] == answer.headers["x-amzn-requestid"]
    assert (context["path"], context["resourcePath"], context["stage"]) == (
        "/test/jobs/a%2Fb",
        "/jobs/{id}",
        "test",
    )
    assert (context["apiId"], context["accountId"]) == (api.api_id, "123456789012")
    assert (context["requestTimeEpoch"], context["requestTime"]) == (
        START * 1000,
        "23/Nov/2026:05:00:00 +0000",
    )
    assert (context["identity"]["sourceIp"], context["identity"]["userAgent"]) == ("127.0.0.1", "tests")
    assert context["resourceId"] == api.resource_id("/jobs/{id}")


def test_what_is_empty_is_null(stack: Stack) -> None:
    api = apis.imported(stack, apis.document({"/a": {"get": apis.operation()}}))
    api.get("/a")
    (event,) = stack.events("hello")
    empty = (
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "body",
    )
    assert [event[name] for name in empty] == [None] * 5


def test_both_urls_of_an_api_reach_it(stack: Stack) -> None:
    api = _api(stack)
    answer = stack.http.get(f"/restapis/{api.api_id}/test/_user_request_/jobs/7?x=1")
    assert answer.status_code == 200
    assert stack.events("hello")[0]["path"] == "/jobs/7"


def test_a_body_is_base64_both_ways_when_its_media_type_is_binary(stack: Stack) -> None:
    api = _api(stack, **{"x-amazon-apigateway-binary-media-types": ["image/png"]})
    content = bytes(range(256))
    stack.functions["hello"] = lambda event: {
        "headers": {"Content-Type": "image/png"},
        "body": base64.b64encode(content).decode(),
        "isBase64Encoded": True,
    }
    png = {"Content-Type": "image/png", "Accept": "image/png"}
    assert api.request("POST", "/jobs/7", content=content, headers=png).content == content
    api.request("POST", "/jobs/7", content=b"text", headers={"Content-Type": "text/plain"})
    binary, text = stack.events("hello")
    assert (base64.b64decode(binary["body"]), binary["isBase64Encoded"]) == (content, True)
    assert (text["body"], text["isBase64Encoded"]) == ("text", False)


@pytest.mark.parametrize(
    ("host", "port"), [("localhost", "80"), ("localhost:4566", "4566"), ("[::1]", "80"), ("[::1]:81", "81")]
)
def test_the_forwarded_port_is_the_hosts_or_else_that_of_http(stack: Stack, host: str, port: str) -> None:
    _api(stack).get("/jobs/7", headers={"Host": host})
    assert stack.events("hello")[0]["headers"]["X-Forwarded-Port"] == port


FUNCTIONS = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions"


@pytest.mark.parametrize(
    "function",
    [
        "arn:aws:lambda:us-east-1:123456789012:function:hello",
        "arn:aws:lambda:us-east-1:123456789012:function:hello:prod",
        "arn:aws:lambda:us-east-1:123456789012:function:hello:$LATEST",
        "123456789012:function:hello",
        "123456789012:function:hello:${stageVariables.alias}",
        "hello:prod",
        "arn:aws:lambda:us-east-1:123456789012:function:${stageVariables.name}",
        "${stageVariables.arn}",
    ],
)
def test_a_function_is_found_however_its_uri_names_it(stack: Stack, function: str) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:hello"
    integration = apis.proxy(uri=f"{FUNCTIONS}/{function}/invocations")
    operation = apis.operation(**{"x-amazon-apigateway-integration": integration})
    variables = {"name": "hello", "alias": "prod", "arn": arn}
    api = apis.imported(stack, apis.document({"/a": {"get": operation}}), variables=variables)
    assert api.get("/a").status_code == 200


@pytest.mark.parametrize(
    "settings",
    [
        {"uri": f"{FUNCTIONS}/${{stageVariables.missing}}/invocations"},
        {"httpMethod": "GET"},  # Lambda is invoked by POST alone
        {"requestParameters": {"integration.request.header.Authorization": "'x'"}},
    ],
)
def test_a_500_when_a_lambda_integration_is_misconfigured(stack: Stack, settings: dict[str, Any]) -> None:
    operation = apis.operation(**{"x-amazon-apigateway-integration": apis.proxy(**settings)})
    answer = apis.imported(stack, apis.document({"/a": {"get": operation}})).get("/a")
    assert (answer.status_code, answer.content) == (500, b'{"message": "Internal server error"}')


def test_a_stage_variable_names_another_function_without_a_new_deployment(stack: Stack) -> None:
    integration = apis.proxy("${stageVariables.name}")
    operation = apis.operation(**{"x-amazon-apigateway-integration": integration})
    api = apis.imported(stack, apis.document({"/a": {"get": operation}}), variables={"name": "hello"})
    stack.functions["other"] = lambda event: {"body": "other"}
    before = api.get("/a").text
    api.patch_stage("/variables/name", "other")
    assert (before, api.get("/a").text) == ("hello", "other")


MOCK = {
    "type": "mock",
    "requestTemplates": {"application/json": '{"statusCode": 200}'},
    "responses": {
        "default": {
            "statusCode": "200",
            "responseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'"},
            "responseTemplates": {"application/json": '{"id":"$context.requestId"}'},
        }
    },
}


def test_a_mock_answers_with_the_response_that_its_template_selects(stack: Stack) -> None:
    operation = {"responses": {"200": {"description": "ok"}}, "x-amazon-apigateway-integration": MOCK}
    answer = apis.imported(stack, apis.document({"/m": {"options": operation}})).request("OPTIONS", "/m")
    assert answer.json() == {"id": answer.headers["x-amzn-requestid"]}
    assert answer.headers["access-control-allow-origin"] == "*"


def test_unsupported_media_type_when_a_mock_passes_no_other_through(stack: Stack) -> None:
    integration = {**MOCK, "passthroughBehavior": "never"}
    operation = {"responses": {"200": {"description": "ok"}}, "x-amazon-apigateway-integration": integration}
    api = apis.imported(stack, apis.document({"/m": {"post": operation}}))
    answer = api.request("POST", "/m", content="x", headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.content) == (415, b'{"message":"Unsupported Media Type"}')
    assert answer.headers["x-amzn-errortype"] == "BadRequestException"


def test_a_500_when_the_pattern_of_a_mocks_response_backtracks_over_its_status(stack: Stack) -> None:
    integration = {
        **MOCK,
        "requestTemplates": {"application/json": '{"statusCode": "$context.identity.userAgent"}'},
        "responses": {"^(a|a)*$": {"statusCode": "200"}},
    }
    operation = apis.operation(**{"x-amazon-apigateway-integration": integration})
    api = apis.imported(stack, apis.document({"/m": {"get": operation}}))
    assert api.get("/m", headers={"User-Agent": "aaa"}).status_code == 200
    assert api.get("/m", headers={"User-Agent": "a" * 60 + "!"}).status_code == 500
