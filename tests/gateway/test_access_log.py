"""The access log's line, as a stage's format has it."""

import json
from typing import Any

import pytest

from emulation.functions import FunctionFailed
from tests.gateway import apis
from tests.gateway.conftest import START, Stack
from tests.gateway.specification import cites

CLF = (
    "$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] "
    '"$context.httpMethod $context.resourcePath $context.protocol" $context.status $context.responseLength '
    "$context.requestId"
)
XML = (
    '<request id="$context.requestId"><ip>$context.identity.sourceIp</ip>'
    "$context.error.responseType</request>"
)
VALUE = "k" * 24


def _api(stack: Stack, line: str) -> apis.Api:
    """`/jobs/{id}` open, `/keyed` with a key, `/guarded` behind an authorizer; with the format `line`."""
    schemes = {"api_key": apis.API_KEY_SCHEME, "auth": apis.authorizer_scheme()}
    paths = {
        "/jobs/{id}": {"get": apis.operation()},
        "/keyed": {"get": apis.operation(security=apis.KEY_REQUIRED)},
        "/guarded": {"get": apis.operation(security=[{"auth": []}])},
    }
    api = apis.imported(stack, apis.document(paths, components={"securitySchemes": schemes}))
    api.patch_stage("/accessLogSettings/format", line)
    return api


def _json(*names: str) -> str:
    return json.dumps({name: f"$context.{name}" for name in names})


@cites("log.request-id", "log.status")
def test_a_common_log_line_is_written_when_the_format_is_one(stack: Stack) -> None:
    answer = _api(stack, CLF).get("/jobs/7")
    identified = answer.headers["x-amzn-requestid"]
    assert stack.log_text() == (
        f'127.0.0.1 - - [23/Nov/2026:05:00:00 +0000] "GET /jobs/{{id}} HTTP/1.1" 200 5 {identified}\n'
    )


def test_an_xml_line_is_written_when_the_format_is_one(stack: Stack) -> None:
    answer = _api(stack, XML).get("/nowhere")
    identified = answer.headers["x-amzn-requestid"]
    told = "<ip>127.0.0.1</ip>MISSING_AUTHENTICATION_TOKEN"
    assert stack.log_text() == f'<request id="{identified}">{told}</request>\n'


@cites("log.integration", "log.latency")
def test_what_is_known_of_a_request_is_told(stack: Stack) -> None:
    names = ("accountId", "apiId", "stage", "httpMethod", "path", "resourcePath", "resourceId", "protocol")
    times = ("requestTimeEpoch", "responseLatency", "integration.latency", "integrationLatency")
    others = ("extendedRequestId", "domainName", "integration.status", "integration.integrationStatus")
    api = _api(stack, _json(*names, *times, *others, "integrationStatus"))
    answer = api.get("/jobs/7", headers={"Host": "api.test"})
    (line,) = stack.log_lines()
    assert [line[name] for name in names] == [
        *("123456789012", api.api_id, "test", "GET", "/test/jobs/7", "/jobs/{id}"),
        *(api.resource_id("/jobs/{id}"), "HTTP/1.1"),
    ]
    assert line["requestTimeEpoch"] == str(int(START * 1000))
    assert int(line["responseLatency"]) >= int(line["integration.latency"]) >= 0
    assert line["integrationLatency"] == line["integration.latency"]
    assert [line[name] for name in others] == [answer.headers["x-amz-apigw-id"], "api.test", "200", "200"]
    assert line["integrationStatus"] == "200"


def test_what_is_unknown_is_a_dash(stack: Stack) -> None:
    unknown = (
        "wafResponseCode",
        "integration.requestId",
        "authorizer.principalId",
        "error.message",
        "no.such",
    )
    _api(stack, _json(*unknown)).get("/jobs/7")
    assert stack.log_lines() == [dict.fromkeys(unknown, "-")]


@cites("log.response-type")
def test_a_refusal_is_told_with_its_message_quoted(stack: Stack) -> None:
    told = '{"m":$context.error.messageString,"t":"$context.error.responseType"'
    _api(stack, told + ',"i":"$context.integration.status"}').get("/keyed")
    assert stack.log_lines() == [{"m": "Forbidden", "t": "INVALID_API_KEY", "i": "-"}]


@cites("log.api-key-id")
def test_the_value_of_a_key_is_told_only_when_the_format_asks_for_it(stack: Stack) -> None:
    api = _api(stack, _json("identity.apiKeyId"))
    key = apis.key_in(stack, api.plan(), value=VALUE)
    api.get("/keyed", headers={"x-api-key": VALUE})
    api.patch_stage("/accessLogSettings/format", _json("identity.apiKey"))
    api.get("/keyed", headers={"x-api-key": VALUE})
    assert stack.log_lines() == [{"identity.apiKeyId": key}, {"identity.apiKey": VALUE}]


@cites("log.authorizer")
def test_an_authorizer_is_told_of_when_it_was_asked(stack: Stack) -> None:
    names = ("principalId", "tenant", "status", "integrationStatus", "error")
    api = _api(stack, _json(*(f"authorizer.{name}" for name in (*names, "latency", "integrationLatency"))))
    stack.functions["authorize"] = lambda event: apis.allow(context={"tenant": "acme"})
    api.get("/guarded", headers={"Authorization": "t"})

    def fail(event: dict[str, Any]) -> object:
        raise FunctionFailed("authorize", "KeyError", "'sub'")

    stack.functions["authorize"] = fail
    api.get("/guarded", headers={"Authorization": "t"})
    passed, failed = stack.log_lines()
    assert [passed[f"authorizer.{name}"] for name in names] == ["someone", "acme", "200", "200", "-"]
    assert passed["authorizer.latency"] == passed["authorizer.integrationLatency"]
    assert int(passed["authorizer.latency"]) >= 0
    told = ["-", "-", "500", "-", "authorize: KeyError: 'sub'"]
    assert [failed[f"authorizer.{name}"] for name in names] == told


@cites("log.integration", "log.status")
def test_a_failed_integration_is_told_with_its_cause(stack: Stack) -> None:
    def fail(event: dict[str, Any]) -> object:
        raise FunctionFailed("hello", "ValueError", 'no\nsuch "thing"')

    api = _api(stack, _json("status", "integration.status", "integration.error", "integrationErrorMessage"))
    stack.functions["hello"] = fail
    api.get("/jobs/7")
    (line,) = stack.log_lines()
    assert line["integration.error"] == 'hello: ValueError: no\nsuch "thing"'
    assert line["integrationErrorMessage"] == line["integration.error"]
    assert (line["status"], line["integration.status"]) == ("502", "-")


@cites("log.validation-error")
def test_a_validation_error_is_told(stack: Stack) -> None:
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    operation = apis.operation(requestBody=body, **{"x-amazon-apigateway-request-validator": "all"})
    validators = {"all": {"validateRequestBody": True, "validateRequestParameters": True}}
    extensions = {"x-amazon-apigateway-request-validators": validators}
    api = apis.imported(stack, apis.document({"/a": {"post": operation}}, **extensions))
    api.patch_stage("/accessLogSettings/format", _json("error.validationErrorString"))
    api.request("POST", "/a", content="[]")
    assert stack.log_lines() == [{"error.validationErrorString": "[/: does not satisfy type]"}]


def test_a_client_cannot_write_more_than_its_value(stack: Stack) -> None:
    _api(stack, _json("identity.userAgent", "status")).get(
        "/jobs/7", headers={"User-Agent": 'x","status":"0'}
    )
    assert stack.log_lines() == [{"identity.userAgent": 'x","status":"0', "status": "200"}]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\n\n"])
def test_a_line_stays_one_when_the_format_has_several(stack: Stack, ends: str) -> None:
    _api(stack, f"$context.stage{ends}$context.status").get("/jobs/7")
    assert stack.log_text().split() == ["test", "200"]
    assert stack.log_text().count("\n") == 1


def test_the_stacks_own_line_is_back_when_the_settings_are_removed(stack: Stack) -> None:
    api = _api(stack, CLF)
    stack.apigateway.update_stage(
        restApiId=api.api_id,
        stageName=api.stage,
        patchOperations=[{"op": "remove", "path": "/accessLogSettings"}],
    )
    api.get("/jobs/7")
    assert stack.log_lines()[0]["resourcePath"] == "/jobs/{id}"
