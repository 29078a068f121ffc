"""The values in a proxy event: paths, queries, headers, traces and bodies, as captured from the service."""

from typing import Any

import pytest

from tests.gateway import apis
from tests.gateway.conftest import Stack


def _api(stack: Stack) -> apis.Api:
    paths = {"/open": {"get": apis.operation()}, "/files/{proxy+}": {"get": apis.operation()}}
    return apis.imported(stack, apis.document(paths))


def _event(stack: Stack) -> dict[str, Any]:
    event: dict[str, Any] = stack.events("hello")[-1]
    return event


@pytest.mark.parametrize(
    ("asked", "path", "proxy"),
    [
        ("/files/a/", "/files/a/", "a"),
        ("/files/a//b", "/files/a//b", "a//b"),
        ("//files/a", "/files/a", "a"),
        ("/files/x%2By@z.com/x+y@z.com", "/files/x%2By@z.com/x+y@z.com", "x%2By@z.com/x+y@z.com"),
    ],
)
def test_paths_are_told_as_captured(stack: Stack, asked: str, path: str, proxy: str) -> None:
    _api(stack).get(asked)
    event = _event(stack)
    assert (event["path"], event["pathParameters"]) == (path, {"proxy": proxy})
    assert event["requestContext"]["path"] == f"/test{asked}"


def test_query_parameters_are_decoded_and_the_last_value_stands_for_all(stack: Stack) -> None:
    asked = "price=10&price=20&offset=a+b&plus=a%2Bb&url=https%3A%2F%2Fx%2F&hash=abort/&none="
    _api(stack).get(f"/open?{asked}")
    single = {
        "price": "20",
        "offset": "a b",
        "plus": "a+b",
        "url": "https://x/",
        "hash": "abort/",
        "none": "",
    }
    event = _event(stack)
    assert event["queryStringParameters"] == single
    several = {name: [value] for name, value in single.items()}
    assert event["multiValueQueryStringParameters"] == {**several, "price": ["10", "20"]}


def test_headers_of_one_connection_are_not_handed_on(stack: Stack) -> None:
    dropped = {
        "Content-MD5": "x",
        "Expect": "x",
        "Max-Forwards": "2",
        "Proxy-Authenticate": "Basic",
        "Server": "x",
        "TE": "deflate",
        "Trailer": "Expires",
        "WWW-Authenticate": "Basic",
    }
    kept = {"Age": "x", "Date": "x", "Pragma": "x", "Range": "x", "Referer": "x", "Via": "x", "Warn": "x"}
    _api(stack).get("/open", headers={**dropped, **kept})
    told = {name.lower() for name in _event(stack)["headers"]}
    assert not {name.lower() for name in dropped} & told
    assert {name.lower() for name in kept} <= told


TRACE = "Root=1-3152b799-8954dae64eda91bc9a23a7e8"
WHOLE_TRACE = f"{TRACE};Parent=7fa8c0f79203be72;Sampled=1"


def test_a_request_without_a_trace_gets_one_of_its_own(stack: Stack) -> None:
    answer = _api(stack).get("/open")
    told = _event(stack)["headers"]["X-Amzn-Trace-Id"]
    assert told == answer.headers["x-amzn-trace-id"]
    assert (told[:7], len(told)) == (TRACE[:7], len(TRACE))


@pytest.mark.parametrize("given", [TRACE, WHOLE_TRACE])
def test_a_trace_that_a_client_began_goes_on(stack: Stack, given: str) -> None:
    answer = _api(stack).get("/open", headers={"X-Amzn-Trace-Id": given})
    own, _, clients = _event(stack)["headers"]["X-Amzn-Trace-Id"].partition(";")
    assert (own.startswith("Self=1-"), clients) == (True, given)
    answered = answer.headers["x-amzn-trace-id"]
    assert answered.startswith(given)
    assert [part.partition("=")[0] for part in answered.split(";")] == ["Root", "Parent", "Sampled"]


@pytest.mark.parametrize(
    ("declared", "sent", "encoded"),
    [
        (["image/png"], "image/png", True),
        (["image/*"], "image/png", True),
        (["*/*"], "text/plain", True),
        (["*/png"], "image/png", False),  # a wildcard on the left means nothing
        (["image/png"], "image/jpeg", False),
        ([], "image/png", False),
    ],
)
def test_a_body_is_base64_when_its_media_type_is_one_of_the_binary_ones(
    stack: Stack,
    declared: list[str],
    sent: str,
    encoded: bool,  # noqa: FBT001
) -> None:
    document = apis.document({"/a": {"post": apis.operation()}})
    document["x-amazon-apigateway-binary-media-types"] = declared
    apis.imported(stack, document).request("POST", "/a", content="text", headers={"Content-Type": sent})
    event = _event(stack)
    assert (event["body"], event["isBase64Encoded"]) == ("dGV4dA==" if encoded else "text", encoded)
