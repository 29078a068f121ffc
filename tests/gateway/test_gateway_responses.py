"""The gateway's own answers: the default ones to the byte, and customised ones."""

import json
from typing import Any

import pytest

from emulation.functions import FunctionFailed, FunctionTimedOut
from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

DOCUMENT = apis.document(
    {"/a": {"get": apis.operation()}, "/keyed": {"get": apis.operation(security=apis.KEY_REQUIRED)}},
    **apis.KEYED,
)


def _customised(stack: Stack, responses: dict[str, Any], **stage: Any) -> apis.Api:
    return apis.imported(stack, {**DOCUMENT, "x-amazon-apigateway-gateway-responses": responses}, **stage)


def _raise(error: Exception) -> Any:
    def function(event: dict[str, Any]) -> object:
        raise error

    return function


INTERNAL = b'{"message": "Internal server error"}'


@pytest.mark.parametrize(
    ("function", "status", "body", "error_type"),
    [
        (
            _raise(FunctionTimedOut("hello")),
            504,
            b'{"message":"Endpoint request timed out"}',
            None,
        ),
        (_raise(FunctionFailed("hello", "E", "m")), 502, INTERNAL, "InternalServerErrorException"),
        (lambda event: "malformed", 502, INTERNAL, "InternalServerErrorException"),
        (None, 500, INTERNAL, "InternalServerErrorException"),  # no such function
    ],
)
def test_integration_failures_are_answered_to_the_byte(
    stack: Stack, function: Any, status: int, body: bytes, error_type: str | None
) -> None:
    api = apis.imported(stack, DOCUMENT)
    stack.functions.pop("hello")
    if function is not None:
        stack.functions["hello"] = function
    answer = api.get("/a")
    assert (answer.status_code, answer.content) == (status, body)
    assert answer.headers.get("x-amzn-errortype") == error_type
    assert answer.headers["content-type"] == "application/json"


def test_unknown_paths_are_answered_to_the_byte(stack: Stack) -> None:
    answer = apis.imported(stack, DOCUMENT).get("/nowhere")
    assert (answer.status_code, answer.content) == (403, b'{"message":"Missing Authentication Token"}')
    assert answer.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"


@cites("responses.no-such-stage")
def test_forbidden_when_there_is_no_such_stage_or_api(stack: Stack) -> None:
    api = apis.imported(stack, DOCUMENT)
    for target in (apis.Api(stack, api.api_id, "nostage"), apis.Api(stack, "noapi")):
        answer = target.get("/a")
        assert (answer.status_code, answer.content) == (403, b'{"message":"Forbidden"}')


@cites("limits.payload")
def test_too_large_when_the_payload_is_over_10_mb(stack: Stack) -> None:
    api = apis.imported(stack, DOCUMENT)
    answer = api.request("GET", "/a", content=b"x" * (10 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.content) == (413, b'{"message":"Request Too Long"}')
    assert "x-amzn-errortype" not in answer.headers
    assert [line["status"] for line in stack.log_lines()] == [413]


@cites("limits.head")
def test_too_large_when_the_head_is_over_10_kib(stack: Stack) -> None:
    """Bytes of the path, the query and the headers' values count, and the names of headers do not."""
    api = apis.imported(stack, DOCUMENT)
    own = sum(len(value) for value in api.get("/a").request.headers.values()) + len("GET/a")
    left = 10_240 - own
    assert api.get("/a", headers={"X-Long": "x" * left}).status_code == 200
    for answer in (
        api.get("/a", headers={"X-Long": "x" * (left + 1)}),
        api.get("/a?" + "x" * (left + 1)),
        api.get("/" + "x" * 20_000),
    ):
        assert (answer.status_code, answer.content) == (413, b'{"message":"Request Too Long"}')
    assert "xxxx" not in stack.log_text()


@cites("limits.event")
def test_too_large_when_the_event_is_beyond_lambdas_6_mb(stack: Stack) -> None:
    api = apis.imported(stack, DOCUMENT)
    answer = api.request("GET", "/a", content=b"x" * (6 * 1024 * 1024))
    assert (answer.status_code, answer.content) == (413, b'{"message":"Request Too Long"}')
    assert stack.events("hello") == []
    assert api.request("GET", "/a", content=b"x" * (6 * 1024 * 1024 - 10_000)).status_code == 200


@cites("headers.identified")
def test_every_answer_names_the_request(stack: Stack) -> None:
    api = apis.imported(stack, DOCUMENT)
    answers = [api.get(path) for path in ("/a", "/keyed", "/nowhere")]
    ids = [answer.headers["x-amzn-requestid"] for answer in answers]
    assert len(set(ids)) == 3
    assert all(answer.headers["x-amz-apigw-id"].endswith("=") for answer in answers)
    assert [line["requestId"] for line in stack.log_lines()] == ids


@cites(
    "custom.status",
    "custom.header-literal",
    "custom.header-request",
    "custom.template",
    "custom.message-string",
    "headers.real-one",
)
def test_a_customised_type_sets_status_headers_and_body(stack: Stack) -> None:
    parameters = {
        "gatewayresponse.header.WWW-Authenticate": "'Bearer realm=\"jobs\"'",
        "gatewayresponse.header.X-Asked": "method.request.querystring.who",
        "gatewayresponse.header.X-Sent": "method.request.header.X-Custom",
        "gatewayresponse.header.X-Id": "context.requestId",
        "gatewayresponse.header.Content-Type": "'application/problem+json'",
        "gatewayresponse.header.X-None": "method.request.header.Missing",
    }
    template = (
        '{"detail":$context.error.messageString,"type":"${stageVariables.base}/problems/$context.error.responseType",'
        '"id":"$context.requestId","none":"$context.nothing"}'
    )
    custom = {
        "INVALID_API_KEY": {
            "statusCode": "401",
            "responseParameters": parameters,
            "responseTemplates": {"application/json": template},
        }
    }
    api = _customised(stack, custom, variables={"base": "http://x"})
    answer = api.get("/keyed?who=me", headers={"X-Custom": "sent"})
    request_id = answer.headers["x-amzn-requestid"]
    assert answer.status_code == 401
    assert answer.json() == {
        "detail": "Forbidden",
        "type": "http://x/problems/INVALID_API_KEY",
        "id": request_id,
        "none": "",
    }
    names = ("www-authenticate", "x-asked", "x-sent", "x-id", "content-type", "x-none")
    expected = ['Bearer realm="jobs"', "me", "sent", request_id, "application/problem+json", None]
    assert [answer.headers.get(name) for name in names] == expected


@cites("custom.specific-wins", "custom.default-keeps-status")
def test_a_specific_type_beats_the_default_which_keeps_each_types_own_status(stack: Stack) -> None:
    custom = {
        "DEFAULT_4XX": {"responseTemplates": {"application/json": '{"m":$context.error.messageString}'}},
        "DEFAULT_5XX": {"statusCode": 503},
        "MISSING_AUTHENTICATION_TOKEN": {"statusCode": 404},
    }
    api = _customised(stack, custom)
    stack.functions["hello"] = lambda event: "malformed"
    keyed, nowhere, failed = (api.get(path) for path in ("/keyed", "/nowhere", "/a"))
    assert (keyed.status_code, keyed.content) == (403, b'{"m":"Forbidden"}')
    assert (nowhere.status_code, nowhere.content) == (404, b'{"message":"Missing Authentication Token"}')
    assert (failed.status_code, failed.content) == (503, INTERNAL)


def test_the_template_is_chosen_by_what_the_client_accepts(stack: Stack) -> None:
    templates = {"application/json": "{}", "text/plain": "no key"}
    api = _customised(stack, {"INVALID_API_KEY": {"responseTemplates": templates}})
    plain, other = (
        api.get("/keyed", headers={"Accept": accept}) for accept in ("text/plain;q=1", "image/png")
    )
    assert (plain.text, plain.headers["content-type"]) == ("no key", "text/plain")
    assert (other.text, other.headers["content-type"]) == ("{}", "application/json")


def test_a_customisation_takes_effect_at_the_next_deployment(stack: Stack) -> None:
    api = apis.imported(stack, DOCUMENT)
    stack.apigateway.put_gateway_response(
        restApiId=api.api_id, responseType="INVALID_API_KEY", statusCode="418"
    )
    before = api.get("/keyed").status_code
    api.redeploy()
    assert (before, api.get("/keyed").status_code) == (403, 418)


def test_the_access_log_tells_one_line_a_request_and_no_secret(stack: Stack) -> None:
    api = apis.imported(stack, DOCUMENT)
    key = apis.key_in(stack, api.plan(), value="k" * 24)
    api.get("/keyed", headers={"x-api-key": "k" * 24})
    api.get("/keyed", headers={"x-api-key": "wrong" * 5})
    admitted, refused = stack.log_lines()
    named = ("httpMethod", "resourcePath", "status", "apiKeyId", "responseType")
    assert [admitted[name] for name in named] == ["GET", "/keyed", 200, key, None]
    assert [refused[name] for name in named] == ["GET", "/keyed", 403, None, "INVALID_API_KEY"]
    assert admitted["responseLatencyMs"] >= 0
    assert "kkkk" not in json.dumps(stack.log_lines())
    assert "wrong" not in json.dumps(stack.log_lines())


@pytest.mark.parametrize(
    ("asked", "told"), [("fine", "fine"), ("a%0D%0AX-Injected:%201", None), ("%00", None)]
)
def test_what_a_client_sends_is_no_header_of_the_answer_when_it_would_break_it(
    stack: Stack, asked: str, told: str | None
) -> None:
    parameters = {"gatewayresponse.header.X-Asked": "method.request.querystring.q"}
    api = _customised(stack, {"INVALID_API_KEY": {"responseParameters": parameters}})
    answer = api.get(f"/keyed?q={asked}")
    assert (answer.status_code, answer.headers.get("x-asked")) == (403, told)
    assert "x-injected" not in answer.headers
