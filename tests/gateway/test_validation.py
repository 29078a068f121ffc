"""Request validation: parameters and body."""

import asyncio
import json
import threading
from typing import Any, cast

import pytest

from emulation.gateway import validation
from emulation.gateway.api import Authorization, Integration, IntegrationKind, Method
from emulation.gateway.exchange import Exchange
from emulation.gateway.routing import Route
from emulation.http import Request
from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

SCHEMAS = {
    "Tree": {
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {
            "name": {"$ref": "#/components/schemas/Name"},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
        },
    },
    "Name": {"type": "string", "maxLength": 3},
}
PARAMETERS = [
    {"name": "q1", "in": "query", "required": True, "schema": {"type": "string"}},
    {"name": "X-Needed", "in": "header", "required": True, "schema": {"type": "string"}},
    {"name": "optional", "in": "query", "schema": {"type": "string"}},
]


def _api(stack: Stack, validator: str | None = "all") -> apis.Api:
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}}
    chosen = {"x-amazon-apigateway-request-validator": validator} if validator else {}
    operation = apis.operation(parameters=PARAMETERS, requestBody=body, **chosen)
    validators = {
        "all": {"validateRequestBody": True, "validateRequestParameters": True},
        "body": {"validateRequestBody": True, "validateRequestParameters": False},
    }
    return apis.imported(
        stack,
        apis.document(
            {"/trees": {"post": operation}},
            components={"schemas": SCHEMAS},
            **{"x-amazon-apigateway-request-validators": validators},
        ),
    )


def _post(api: apis.Api, body: str, path: str = "/trees?q1=1", **headers: str) -> tuple[int, str]:
    answer = api.request("POST", path, content=body, headers={"X-Needed": "1", **headers})
    return answer.status_code, answer.text


INVALID = (400, '{"message":"Invalid request body"}')


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"name":"a"}', (200, "hello")),
        ('{"name":"a","children":[{"name":"b","children":[]}]}', (200, "hello")),
        ('{"name":"a","children":[{"name":"long"}]}', INVALID),  # through two references
        ('{"name":"a","unknown":1}', INVALID),
        ("{}", INVALID),
        ("not JSON", INVALID),
        ("", INVALID),
        ("[" * 100_000, INVALID),
        ('{"name":"a","children":[' * 900 + "]}" * 900, INVALID),
    ],
)
def test_the_body_is_held_against_the_model(stack: Stack, body: str, expected: tuple[int, str]) -> None:
    assert _post(_api(stack), body) == expected


def test_a_body_passes_when_its_media_type_has_no_model(stack: Stack) -> None:
    assert _post(_api(stack), "name=a", **{"Content-Type": "application/x-www-form-urlencoded"})[0] == 200


def test_the_media_types_parameters_do_not_matter(stack: Stack) -> None:
    assert _post(_api(stack), "{}", **{"Content-Type": "application/json; charset=utf-8"}) == INVALID


@cites("responses.bad-request-parameters")
def test_every_missing_parameter_is_named_and_a_blank_one_is_missing(stack: Stack) -> None:
    api = _api(stack)
    answer = api.request("POST", "/trees?q1=", content='{"name":"a"}')
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "BadRequestException")
    assert answer.content == b'{"message":"Missing required request parameters: [q1, X-Needed]"}'


def test_only_what_the_validator_looks_at_is_validated(stack: Stack) -> None:
    assert _post(_api(stack, "body"), '{"name":"a"}', "/trees")[0] == 200
    assert _post(_api(stack, None), "not JSON", "/trees")[0] == 200


def test_the_access_log_tells_what_was_wrong_and_not_what_was_sent(stack: Stack) -> None:
    _post(_api(stack), json.dumps({"name": "a-secret"}))
    (line,) = stack.log_lines()
    assert line["validationError"] == "[/name: does not satisfy maxLength]"


def test_a_model_made_through_the_control_plane_is_used(stack: Stack) -> None:
    control, api = stack.apigateway, _api(stack, None)
    url = f"https://apigateway.amazonaws.com/restapis/{api.api_id}/models/Name"
    schema: dict[str, Any] = {"type": "object", "properties": {"name": {"$ref": url}}}
    control.create_model(
        restApiId=api.api_id, name="Outer", schema=json.dumps(schema), contentType="application/json"
    )
    validator = control.create_request_validator(restApiId=api.api_id, name="v", validateRequestBody=True)[
        "id"
    ]
    operations = [
        {"op": "replace", "path": "/requestValidatorId", "value": validator},
        {"op": "add", "path": "/requestModels/application~1json", "value": "Outer"},
    ]
    control.update_method(
        restApiId=api.api_id,
        resourceId=api.resource_id("/trees"),
        httpMethod="POST",
        patchOperations=operations,  # type: ignore[arg-type]
    )
    api.redeploy()
    assert _post(api, '{"name":"long"}', "/trees") == INVALID


BACKTRACKING = "^(a|a)*$"


@cites("limits.pattern")
@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ({"type": "string", "pattern": BACKTRACKING}, "a" * 50 + "!"),
        ({"patternProperties": {BACKTRACKING: {}}}, {"a" * 50 + "!": 1}),
        ({"additionalProperties": False, "patternProperties": {BACKTRACKING: {}}}, {"a" * 50 + "!": 1}),
    ],
)
def test_a_body_is_refused_when_a_pattern_backtracks_over_it_without_end(
    stack: Stack, schema: Any, body: Any
) -> None:
    api = _api_of(stack, schema)
    assert _post(api, json.dumps(body), "/bodies") == INVALID
    (line,) = stack.log_lines()
    assert line["validationError"] == "[A pattern takes too long]"


def test_patterns_of_names_and_values_are_held_against_the_body(stack: Stack) -> None:
    named = {"patternProperties": {"^x-": {"type": "string", "pattern": "^[0-9]+$"}}}
    api = _api_of(stack, {**named, "properties": {"a": {}}, "additionalProperties": False})
    bodies: list[Any] = [{"a": 1, "x-b": "1"}, {"x-b": "one"}, {"x-b": 1}, {"b": "1"}, 7]
    assert [_post(api, json.dumps(body), "/bodies")[0] for body in bodies] == [200, 400, 400, 400, 200]


def _api_of(stack: Stack, schema: Any) -> apis.Api:
    settings: dict[str, Any] = {
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        "x-amazon-apigateway-request-validator": "body",
    }
    validators = {"body": {"validateRequestBody": True, "validateRequestParameters": False}}
    paths = {"/bodies": {"post": apis.operation(**settings)}}
    return apis.imported(
        stack, apis.document(paths, **{"x-amazon-apigateway-request-validators": validators})
    )


class Waiting:
    """A validator that is content once the rest of the event loop has run."""

    def __init__(self) -> None:
        self.others_ran = threading.Event()

    def iter_errors(self, body: object) -> list[Any]:
        assert self.others_ran.wait(timeout=5), "the event loop waits for the validation"
        return []


def test_other_requests_go_on_while_a_body_is_validated() -> None:
    waiting = Waiting()
    method = Method(
        verb="POST",
        resource_id="r",
        resource_path="/",
        authorization=Authorization.NONE,
        authorizer=None,
        api_key_required=False,
        required_parameters=(),
        body_validators={"application/json": cast(Any, waiting)},
        integration=Integration(kind=IntegrationKind.MOCK),
    )
    request = Request(method="POST", path="/", query="", headers=(), body=b"{}", source_ip="127.0.0.1")
    exchange = Exchange(
        request=request,
        request_id="r",
        now=0.0,
        stage=cast(Any, None),
        path="/",
        route=Route(method, {}),
    )

    async def another() -> None:
        waiting.others_ran.set()

    async def together() -> None:
        await asyncio.gather(validation.validate(exchange), another())

    asyncio.run(together())
