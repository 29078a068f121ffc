"""The Lambda proxy integration, event and response, and MOCK."""

import base64
from http.client import HTTPConnection
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
    assert (event["headers"]["x-many"], event["multiValueHeaders"]["x-many"]) == ("2", ["1", "2"])
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


def test_a_binary_answer_stays_base64_when_the_client_does_not_accept_it(stack: Stack) -> None:
    api = _api(stack, **{"x-amazon-apigateway-binary-media-types": ["image/png"]})
    stack.functions["hello"] = lambda event: {"body": "AAEC", "isBase64Encoded": True}
    assert api.get("/jobs/7", headers={"Accept": "application/json"}).content == b"AAEC"


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        ({}, 200, b""),
        ({"statusCode": "201", "body": "made"}, 201, b"made"),
        ({"statusCode": 204, "headers": None, "body": None}, 204, b""),
        ({"statusCode": 200, "body": "é"}, 200, "é".encode()),
    ],
)
def test_no_field_of_a_result_is_mandatory(stack: Stack, result: object, status: int, body: bytes) -> None:
    api = _api(stack)
    stack.functions["hello"] = lambda event: result
    answer = api.get("/jobs/7")
    assert (answer.status_code, answer.content) == (status, body)


@pytest.mark.parametrize("status", [204, 304])
def test_the_connection_goes_on_when_a_result_without_content_has_a_body(stack: Stack, status: int) -> None:
    api = _api(stack)
    stack.functions["hello"] = lambda event: {"statusCode": status, "body": "there is none"}
    connection = HTTPConnection(stack.url.removeprefix("http://"), timeout=10)
    seen = []
    for _ in range(2):
        connection.request("GET", f"/_aws/execute-api/{api.api_id}/{api.stage}/jobs/7")
        answer = connection.getresponse()
        seen.append((answer.status, answer.read(), connection.sock is not None))
    connection.close()
    assert seen == [(status, b"", True)] * 2


@pytest.mark.parametrize(
    "result",
    [
        None,
        "text",
        [],
        {"statusCode": 200, "extra": 1},
        {"statusCode": "two hundred"},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "headers": {"X": {"a": 1}}},
        {"statusCode": 200, "headers": "X: 1"},
        {"statusCode": 200, "headers": {"X": "1\r\nY: 2"}},
        {"statusCode": 99},
        {"statusCode": 100},
        {"statusCode": 101},
        {"statusCode": 600},
        {"headers": {"X Spaced": "1"}},
        {"headers": {"X-Split\r\nX-Other": "1"}},
        {"headers": {"X-Ünlatin-ж": "1"}},
        {"headers": {"": "1"}},
        {"multiValueHeaders": {"X": ["fine", "not\0fine"]}},
    ],
)
def test_a_malformed_result_is_a_502(stack: Stack, result: object) -> None:
    api = _api(stack)
    stack.functions["hello"] = lambda event: result
    answer = api.get("/jobs/7")
    assert (answer.status_code, answer.content) == (502, b'{"message": "Internal server error"}')


@pytest.mark.parametrize(
    ("host", "port"), [("localhost", "80"), ("localhost:4566", "4566"), ("[::1]", "80"), ("[::1]:81", "81")]
)
def test_the_forwarded_port_is_the_hosts_or_else_that_of_http(stack: Stack, host: str, port: str) -> None:
    _api(stack).get("/jobs/7", headers={"Host": host})
    assert stack.events("hello")[0]["headers"]["X-Forwarded-Port"] == port


def test_headers_are_passed_renamed_or_dropped_on_their_way_out(stack: Stack) -> None:
    api = _api(stack)
    stack.functions["hello"] = lambda event: {
        "headers": {"WWW-Authenticate": "Bearer", "X-One": True, "Content-Length": "99", "X-Both": "single"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"], "X-Both": ["multi"]},
        "body": "hello",
    }
    answer = api.get("/jobs/7")
    assert answer.headers["x-amzn-remapped-www-authenticate"] == "Bearer"
    assert "www-authenticate" not in answer.headers
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert (answer.headers["x-one"], answer.headers["x-both"], answer.headers["content-length"]) == (
        "true",
        "multi",
        "5",
    )
    assert answer.headers["content-type"] == "application/json"


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
