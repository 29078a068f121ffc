"""Clients, functions and authors that mean no good: each gets one answer, and nothing crashes."""

import io
import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from moto.apigateway.models import apigateway_backends

from emulation.aws import Aws
from emulation.edge import Edge
from emulation.gateway.api import ACCOUNT, REGION
from emulation.gateway.usage_store import opened
from tests.gateway import apis
from tests.gateway.conftest import Loop, SettableClock, Stack

HEADER = {"x-api-key": "k" * 24}
GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"
FRAMING = ["Connection", "Content-Length", "Trailer", "Transfer-Encoding", "Upgrade"]
MISSING_TOKEN = '{"message":"Missing Authentication Token"}'
HALF_A_PAIR = "\ud800"


def _keyed(stack: Stack, **settings: Any) -> apis.Api:
    paths = {"/a": {"get": apis.operation(security=apis.KEY_REQUIRED)}}
    return apis.imported(stack, apis.document(paths, **apis.KEYED, **settings))


def _mock(stack: Stack, template: str = "", **headers: str) -> apis.Api:
    response = {
        "statusCode": "200",
        "responseParameters": {f"method.response.header.{name}": value for name, value in headers.items()},
        "responseTemplates": {"application/json": template},
    }
    mock = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": response},
    }
    operation = apis.operation(**{"x-amazon-apigateway-integration": mock})
    return apis.imported(stack, apis.document({"/a": {"get": operation}}))


@pytest.mark.parametrize("header", FRAMING)
def test_a_gateway_response_leaves_the_framing_alone_when_it_names_a_header_of_it(
    stack: Stack, header: str
) -> None:
    custom = {"responseParameters": {f"gatewayresponse.header.{header}": "'chunked'"}}
    api = _keyed(stack, **{GATEWAY_RESPONSES: {"DEFAULT_4XX": custom}})
    for verb, length in [("GET", len('{"message":"Forbidden"}')), ("HEAD", len(MISSING_TOKEN))]:
        answer = api.request(verb, "/a")
        assert (answer.status_code, answer.headers["content-length"]) == (403, str(length))
        assert "chunked" not in answer.headers.values()


def test_a_mock_leaves_the_framing_alone_when_it_names_a_header_of_it(stack: Stack) -> None:
    answer = _mock(stack, "hey", **{"Transfer-Encoding": "'chunked'", "Content-Length": "'1'"}).get("/a")
    assert (answer.content, answer.headers["content-length"]) == (b"hey", "3")
    assert "transfer-encoding" not in answer.headers


def test_a_mock_has_one_content_type_when_it_names_its_own(stack: Stack) -> None:
    answer = _mock(stack, "hey", **{"Content-Type": "'text/plain'"}).get("/a")
    assert answer.headers.get_list("content-type") == ["text/plain"]


def test_a_refusal_is_answered_when_its_template_meets_half_a_character(stack: Stack) -> None:
    scheme = {"components": {"securitySchemes": {"auth": apis.authorizer_scheme()}}}
    custom = {"responseTemplates": {"application/json": '{"who":"$context.authorizer.who"}'}}
    paths = {"/a": {"get": apis.operation(security=[{"auth": []}])}}
    api = apis.imported(
        stack, apis.document(paths, **scheme, **{GATEWAY_RESPONSES: {"ACCESS_DENIED": custom}})
    )
    denial = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    stack.functions["authorize"] = lambda event: apis.allow(
        context={"who": HALF_A_PAIR}, policyDocument={"Statement": [denial]}
    )
    answer = api.get("/a", headers={"Authorization": "someone"})
    assert (answer.status_code, answer.content) == (403, b'{"who":"?"}')
    assert "x-amzn-requestid" in answer.headers


def test_a_mock_is_answered_when_its_template_holds_half_a_character(stack: Stack) -> None:
    assert _mock(stack, HALF_A_PAIR).get("/a").content == b"?"


def test_a_request_is_answered_when_the_access_log_cannot_be_written(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    api = _mock(stack, "hey")
    stack.close_log()
    with caplog.at_level(logging.ERROR):
        answer = api.get("/a")
    assert (answer.status_code, answer.content) == (200, b"hey")
    assert answer.headers["x-amzn-requestid"] in caplog.text


@pytest.mark.parametrize("number", ["1e999", "Infinity", "-Infinity", "NaN"])
@pytest.mark.parametrize("field", ["multiple", "other"])
def test_a_body_is_refused_or_passes_but_never_fails_when_a_number_is_out_of_range(
    stack: Stack, field: str, number: str
) -> None:
    api = _validated(stack, {"multiple": {"type": "number", "multipleOf": 0.01}})
    passes = (field, number) == ("other", "1e999")  # a number of JSON that no rule speaks of
    assert _post(api, f'{{"{field}": {number}}}').status_code == (200 if passes else 400)


def test_a_body_is_refused_soon_and_briefly_when_it_breaks_its_model_a_million_times(stack: Stack) -> None:
    api = _validated(stack, {"texts": {"type": "array", "items": {"type": "string"}}})
    assert _post(api, json.dumps({"texts": [1] * 1_000_000})).status_code == 400
    (line,) = stack.log_lines()
    assert line["validationError"].startswith("[/texts/0: does not satisfy type, /texts/1: ")
    assert len(json.dumps(line)) < 10_000


def _validated(stack: Stack, properties: dict[str, Any]) -> apis.Api:
    schema = {"type": "object", "properties": properties}
    operation = apis.operation(requestBody={"content": {"application/json": {"schema": schema}}})
    validators = {"all": {"validateRequestBody": True, "validateRequestParameters": True}}
    validated = {
        "x-amazon-apigateway-request-validators": validators,
        "x-amazon-apigateway-request-validator": "all",
    }
    return apis.imported(stack, apis.document({"/a": {"post": operation}}, **validated))


def _post(api: apis.Api, content: str) -> httpx.Response:
    return api.request("POST", "/a", content=content, headers={"content-type": "application/json"})


@pytest.mark.parametrize("value", ["1e999", "NaN", "1.5", "true", "[" * 100_000])
def test_update_usage_is_refused_when_what_remains_is_no_whole_number(stack: Stack, value: str) -> None:
    plan = _keyed(stack).plan(quota={"limit": 5, "period": "DAY"})
    key = apis.key_in(stack, plan)
    content = f'{{"patchOperations": [{{"op": "replace", "path": "/remaining", "value": {value}}}]}}'
    answer = stack.http.patch(f"/usageplans/{plan}/keys/{key}/usage", content=content)
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "BadRequestException")


@pytest.mark.parametrize(
    "query",
    ["&limit=" + "9" * 5_000, "&position=" + "9" * 5_000, "&startDate=2026-W48-1", "&endDate=20261123"],
)
def test_get_usage_is_refused_when_a_number_or_a_date_is_none(stack: Stack, query: str) -> None:
    plan = _keyed(stack).plan(quota={"limit": 5, "period": "DAY"})
    answer = stack.http.get(f"/usageplans/{plan}/usage?startDate=2026-11-23&endDate=2026-11-23{query}")
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "BadRequestException")


def test_usage_is_observed_when_a_bucket_is_full_in_a_million_years(stack: Stack) -> None:
    api = _keyed(stack)
    plan = api.plan(throttle={"rateLimit": 0.000001, "burstLimit": 1})
    apis.key_in(stack, plan)
    assert api.get("/a", headers=HEADER).status_code == 200
    patches = [{"op": "replace", "path": "/throttle/burstLimit", "value": "2000000000"}]
    stack.apigateway.update_usage_plan(usagePlanId=plan, patchOperations=patches)  # type: ignore[arg-type]
    (told,) = stack.http.get("/_aws/usage").json()["plans"]
    assert told["keys"][0]["buckets"][0]["full_at"] is None


def test_no_retry_after_is_told_when_the_quota_is_none_at_all(stack: Stack) -> None:
    parameters = {
        "gatewayresponse.header.Retry-After": "context.rateLimit.retryAfter",
        "gatewayresponse.header.RateLimit": "context.rateLimit.limits",
    }
    api = _keyed(stack, **{GATEWAY_RESPONSES: {"DEFAULT_4XX": {"responseParameters": parameters}}})
    apis.key_in(stack, api.plan(quota={"limit": 0, "period": "DAY"}))
    answer = api.get("/a", headers=HEADER)
    assert (answer.status_code, answer.headers["ratelimit"]) == (429, '"quota";r=0')
    assert "retry-after" not in answer.headers


def test_a_wait_is_told_from_the_moment_of_the_answer_when_the_function_took_long(stack: Stack) -> None:
    api = _keyed(stack, **{"x-emulation-response-headers": {"RateLimit": "context.rateLimit.limits"}})
    apis.key_in(stack, api.plan(throttle={"rateLimit": 0.1, "burstLimit": 1}))

    def slow(event: dict[str, Any]) -> object:
        stack.clock.advance(4)
        return {"statusCode": 200}

    stack.functions["hello"] = slow
    assert api.get("/a", headers=HEADER).headers["ratelimit"] == '"burst";r=0;t=6'


def test_the_access_log_names_the_key_when_it_is_refused(stack: Stack) -> None:
    api = _keyed(stack)
    key = apis.key_in(stack, api.plan(), enabled=False)
    assert api.get("/a", headers=HEADER).status_code == 403
    (line,) = stack.log_lines()
    assert line["apiKeyId"] == key


def test_nothing_is_spent_when_the_count_cannot_be_stored(
    loop: Loop, clock: SettableClock, tmp_path: Path
) -> None:
    apigateway_backends[ACCOUNT][REGION].reset()
    log = io.StringIO()
    with opened(tmp_path) as file:
        edge = Edge(clock=clock, aws=Aws(clock), access_log=log, usage_file=file)
        port = loop.run(edge.start("127.0.0.1", 0))
        stack = Stack(edge, clock, f"http://127.0.0.1:{port}", log)
        edge.attach(stack.invoke)
        api = _keyed(stack)
        plan = api.plan(throttle={"rateLimit": 1, "burstLimit": 1}, quota={"limit": 5, "period": "DAY"})
        key = apis.key_in(stack, plan)
    assert api.get("/a", headers=HEADER).status_code == 500  # the file is closed, as a full disk would be
    assert stack.events("hello") == []
    usage = stack.apigateway.get_usage(
        usagePlanId=plan, startDate="2026-11-23", endDate="2026-11-23", keyId=key
    )
    assert usage["items"][key] == [[0, 5]]
    (told,) = stack.http.get("/_aws/usage").json()["plans"]
    assert told["keys"][0]["buckets"][0]["remaining"] == 1
    stack.http.close()
    loop.run(edge.stop())


def test_a_failed_proxy_when_a_function_answers_headers_beyond_lambdas_limit(stack: Stack) -> None:
    api = apis.imported(stack, apis.document({"/a": {"get": apis.operation()}}))
    stack.functions["hello"] = lambda event: {"headers": {"X-Long": "x" * 6_300_000}}
    assert api.get("/a").status_code == 502


def test_a_template_gets_nothing_when_it_names_a_group_of_values(stack: Stack) -> None:
    custom = {"responseTemplates": {"application/json": '"$context.identity"'}}
    api = _keyed(stack, **{GATEWAY_RESPONSES: {"INVALID_API_KEY": custom}})
    assert api.get("/a").content == b'""'
