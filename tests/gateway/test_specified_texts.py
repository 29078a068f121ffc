"""Templates, log lines and the largest body, where the tests of single modules leave something unshown."""

import json
from typing import Any

from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

MOCK = {
    "type": "mock",
    "requestTemplates": {"application/json": '{"statusCode": 200}'},
    "responses": {"default": {"statusCode": "200"}},
}


def _keyed(stack: Stack, template: str = "") -> apis.Api:
    responses = {"INVALID_API_KEY": {"responseTemplates": {"application/json": template}}} if template else {}
    paths = {"/keyed": {"get": apis.operation(security=apis.KEY_REQUIRED)}}
    extension: dict[str, Any] = {"x-amazon-apigateway-gateway-responses": responses}
    return apis.imported(stack, apis.document(paths, **apis.KEYED, **extension))


@cites("custom.template")
def test_velocity_is_left_as_it_is_when_a_gateway_response_has_it(stack: Stack) -> None:
    api = _keyed(stack, '#set($x = 1)#if($x)$x$input.body#end $context.error.responseType "${context.stage}"')
    told = b'#set($x = 1)#if($x)$x$input.body#end INVALID_API_KEY "test"'
    assert api.get("/keyed").content == told


@cites("log.error-message", "log.response-type", "log.status", "log.request-id")
def test_a_refusal_is_told_in_the_log_when_the_format_asks(stack: Stack) -> None:
    api = _keyed(stack)
    names = ("requestId", "error.message", "error.responseType", "status")
    api.patch_stage("/accessLogSettings/format", json.dumps({name: f"$context.{name}" for name in names}))
    identified = api.get("/keyed").headers["x-amzn-requestid"]
    (line,) = stack.log_lines()
    assert [line[name] for name in names] == [identified, "Forbidden", "INVALID_API_KEY", "403"]


@cites("limits.payload")
def test_a_body_of_exactly_10_mb_passes_and_a_byte_more_does_not(stack: Stack) -> None:
    settings: dict[str, Any] = {"x-amazon-apigateway-integration": MOCK}
    api = apis.imported(stack, apis.document({"/a": {"post": apis.operation(**settings)}}))
    limit = 10 * 1024 * 1024
    statuses = [api.request("POST", "/a", content=b"x" * size).status_code for size in (limit, limit + 1)]
    assert statuses == [200, 413]
