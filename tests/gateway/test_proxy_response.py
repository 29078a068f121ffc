"""What a function's result becomes: the response rules of the Lambda proxy integration."""

from http.client import HTTPConnection
from typing import Any

import pytest

from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites


def _api(stack: Stack, **settings: Any) -> apis.Api:
    stage = settings.pop("stage", {})
    paths = {"/jobs/{id}": {"post": apis.operation(), "get": apis.operation()}}
    return apis.imported(stack, apis.document(paths, **settings), **stage)


def test_a_binary_answer_stays_base64_when_the_client_does_not_accept_it(stack: Stack) -> None:
    api = _api(stack, **{"x-amazon-apigateway-binary-media-types": ["image/png"]})
    stack.functions["hello"] = lambda event: {"body": "AAEC", "isBase64Encoded": True}
    assert api.get("/jobs/7", headers={"Accept": "application/json"}).content == b"AAEC"


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        ({}, 200, b""),
        ({"headers": None, "multiValueHeaders": None, "isBase64Encoded": None}, 200, b""),
        ({"body": "half a character: \ud83d"}, 200, b"half a character: ?"),
        ({"body": "x" * (6 * 1024 * 1024)}, 200, b"x" * (6 * 1024 * 1024)),
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
        {"multiValueHeaders": {"X": "no list"}},
        {"multiValueHeaders": []},
        {"statusCode": True},
        {"body": 7},
        {"body": "x" * (6 * 1024 * 1024 + 100)},  # beyond what Lambda lets through
        {"body": "\0" * (1024 * 1024 + 100)},  # so is this, as JSON writes it
    ],
)
def test_a_malformed_result_is_a_502(stack: Stack, result: object) -> None:
    api = _api(stack)
    stack.functions["hello"] = lambda event: result
    answer = api.get("/jobs/7")
    assert (answer.status_code, answer.content) == (502, b'{"message": "Internal server error"}')


@cites("headers.remapped")
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
        "multi, single",
        "5",
    )
    assert answer.headers["content-type"] == "application/json"


def test_both_kinds_of_headers_are_merged_and_a_pair_that_both_have_is_sent_once(stack: Stack) -> None:
    api = _api(stack)
    stack.functions["hello"] = lambda event: {
        "headers": {"test-multi": "solo", "X-Same": "1", "X-Solo": "s"},
        "multiValueHeaders": {"tesT-Multi": ["one", "two"], "X-Same": ["1"], "X-None": []},
    }
    answer = api.get("/jobs/7")
    assert answer.headers.get_list("test-multi") == ["one", "two", "solo"]
    assert answer.headers.get_list("x-same") == ["1"]
    assert (answer.headers["x-solo"], "x-none" in answer.headers) == ("s", False)


def test_a_500_when_a_binary_answer_is_no_base64(stack: Stack) -> None:
    api = _api(stack, **{"x-amazon-apigateway-binary-media-types": ["image/*"]})
    stack.functions["hello"] = lambda event: {"body": "èé+à)(", "isBase64Encoded": True}
    answer = api.get("/jobs/7", headers={"Accept": "image/png"})
    assert (answer.status_code, answer.content) == (500, b'{"message": "Internal server error"}')


@pytest.mark.parametrize(
    ("accept", "decoded"),
    [
        ("image/png", True),
        ("image/png;q=0.8,text/html", True),
        ("text/html,image/png", False),  # only the first counts
        ("image/*", False),
        ("*/*", False),
        ("application/whatever", True),
        ("application", False),
        ("", False),
    ],
)
def test_an_answer_is_decoded_when_the_first_accepted_media_type_is_binary(
    stack: Stack,
    accept: str,
    decoded: bool,  # noqa: FBT001
) -> None:
    api = _api(stack, **{"x-amazon-apigateway-binary-media-types": ["image/png", "application/*"]})
    stack.functions["hello"] = lambda event: {"body": "AAEC", "isBase64Encoded": True}
    expected = b"\0\1\2" if decoded else b"AAEC"
    assert api.get("/jobs/7", headers={"Accept": accept}).content == expected
