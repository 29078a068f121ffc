"""What of the OWASP API Security Top 10 (2023) no other test shows; the design's table names those."""

import copy
import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from joserfc import jws
from pydantic import ValidationError

import app as functions
from chalicelib.domain.client import Client
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.job import Job
from chalicelib.domain.metering import UsageEvent
from chalicelib.job_types import JOB_TYPES
from chalicelib.web.http import MAX_BODY_BYTES
from chalicelib.web.schemas.base import LARGEST_INTEGER
from tests.api.calls import Call, calls
from tests.api.conftest import ACME, GLOBEX, SPECIFICATION, Api
from tests.api.contract import Contract
from tests.api.hostile import INSIDES, stored
from tests.api.provocations import send, with_a_bad_token, with_a_function_that_fails

CONTRACT = Contract(SPECIFICATION)
CALLS = tuple(calls(CONTRACT))
JSON_CALLS = tuple(each for each in CALLS if each.media_type == "application/json")
SCHEMAS: Mapping[str, Any] = SPECIFICATION["components"]["schemas"]
# At most so many mistakes are told of one request.
MISTAKES = 90
# Which bound each type has.
LARGEST = {"string": "maxLength", "array": "maxItems", "integer": "maximum"}
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in an example's body, and the schema that it has there."""

    call: Call
    path: Path
    schema: Mapping[str, Any]

    @property
    def pointer(self) -> str:
        return "".join(f"/{each}" for each in self.path)

    def with_value(self, value: Any) -> Call:
        """The call with this in the place."""
        body: Any = {"": copy.deepcopy(self.call.body)}
        *way, last = ("", *self.path)
        inner = body
        for step in way:
            inner = inner[step]
        inner[last] = value
        return replace(self.call, body=body[""])

    def value(self) -> Any:
        """What the example has there."""
        found: Any = self.call.body
        for step in self.path:
            found = found[step]
        return found


def _places(call: Call, value: Any, schema: Mapping[str, Any], path: Path = ()) -> Iterator[Place]:
    """The place and those in it; of an array, its first item's."""
    schema = CONTRACT.resolved(schema)
    if "oneOf" in schema:
        schema = CONTRACT.resolved({"$ref": schema["discriminator"]["mapping"][value["type"]]})
    yield Place(call, path, schema)
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _places(call, each, schema["properties"][name], (*path, name))
    elif isinstance(value, list):
        yield from _places(call, value[0], schema["items"], (*path, 0))


def _body_schema(call: Call) -> Mapping[str, Any]:
    [operation] = (each for each in CONTRACT.operations() if each["operationId"] == call.operation_id)
    schema: Mapping[str, Any] = operation["requestBody"]["content"][call.media_type]["schema"]
    return schema


PLACES = [place for call in JSON_CALLS for place in _places(call, call.body, _body_schema(call))]
OBJECTS = [place for place in PLACES if isinstance(place.value(), Mapping)]
BOUNDED = [place for place in PLACES if place.schema.get("type") in LARGEST and "enum" not in place.schema]
# Every name that we own: of what answers show, and of what rows hold.
OWNED = sorted(
    {name for schema in SCHEMAS.values() for name in schema.get("properties", {})}
    | {each.name for kind in (Job, Tenant, Client, UsageEvent) for each in dataclasses.fields(kind)}
)


def _identified(place: Place) -> str:
    return f"{place.call.operation_id} {place.pointer or 'body'}"


@pytest.mark.parametrize("place", OBJECTS, ids=_identified)
def test_every_name_of_ours_is_refused_when_a_request_has_it_at_any_level(api: Api, place: Place) -> None:
    """API3: nothing of a job, a tenant, a client or an answer is assigned but what is asked for."""
    foreign = [name for name in OWNED if name not in place.schema["properties"]]
    assert len(foreign) > 50
    before = stored(api)
    for start in range(0, len(foreign), MISTAKES):
        names = foreign[start : start + MISTAKES]
        call = place.with_value({**place.value(), **dict.fromkeys(names, "x")})
        answer = send(api, call)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
        told = {each["pointer"] for each in answer.json()["errors"]}
        assert {f"{place.pointer}/{name}" for name in names} <= told
    assert stored(api) == before


@pytest.mark.parametrize("name", ["sub", "tenant_id", "plan", "scopes", "exp", "cnf", "principalId"])
def test_a_token_says_what_the_client_is_when_the_form_says_otherwise(api: Api, name: str) -> None:
    """API3: RFC 6749 §3.2 has unknown fields ignored, so ignored they are."""
    form = {"grant_type": "client_credentials", name: GLOBEX}
    token = api.http.post("/v1/oauth/token", data=form, auth=api.credentials()).json()["access_token"]
    claims = json.loads(jws.extract_compact(token.encode()).payload)
    assert claims["sub"] == ACME
    assert GLOBEX not in json.dumps(claims)


def test_every_object_of_an_answer_is_closed() -> None:
    """API3: so that the contract, which all answers are held against, excludes what it does not name."""
    undeclared = [
        name
        for name, schema in SCHEMAS.items()
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False
    ]
    forms = ["RevocationRequest", "TokenRequest"]  # of requests, whose unknown fields are ignored
    # A job type describes its input by a JSON Schema, which may be any.
    assert [name for name in undeclared if name not in forms] == []


@pytest.mark.parametrize("place", BOUNDED, ids=_identified)
def test_every_bound_binds_when_a_request_is_one_beyond_it(api: Api, place: Place) -> None:
    """API4: what may be sent is as large as the specification says, in each place."""
    before = stored(api)
    call = place.with_value(_beyond(place))
    answer = send(api, call)
    told = {each["pointer"] for each in answer.json().get("errors", ())}
    if place.pointer == "/type":
        assert answer.json()["code"] == "unknown_job_type" or place.pointer in told
    elif place.schema.get("maximum") == LARGEST_INTEGER:
        assert answer.json()["code"] == "malformed_json"
    elif len(json.dumps(call.body)) > MAX_BODY_BYTES:
        assert answer.json()["code"] == "payload_too_large"
    else:
        assert (answer.status_code, told) == (400, {place.pointer})
    assert stored(api) == before


@pytest.mark.parametrize("place", [each for each in BOUNDED if each.path[0] == "input"], ids=_identified)
def test_every_bound_of_an_input_binds_when_it_comes_by_upload(place: Place) -> None:
    """API4: where there is room for what no body holds."""
    body = place.with_value(_beyond(place)).body
    with pytest.raises(ValidationError) as refused:
        JOB_TYPES[body["type"]].input_model.model_validate(body["input"])
    assert place.path in {("input", *each["loc"]) for each in refused.value.errors()}


def _beyond(place: Place) -> Any:
    bound = place.schema[LARGEST[place.schema["type"]]]
    match place.schema["type"]:
        case "string":
            return str(place.value()) + "0" * (bound + 1 - len(place.value()))
        case "array":
            return [place.value()[0]] * (bound + 1)
        case _:
            return bound + 1


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.operation_id)
def test_no_cache_keeps_and_no_browser_guesses_when_an_operation_answers(api: Api, call: Call) -> None:
    """API8: whoever answers, and whatever it is."""
    answers = [send(api, call), api.http.request(call.method, call.path)]
    if call.scope:
        answers.append(with_a_bad_token(api, call))
    answers.append(with_a_function_that_fails(api, call))
    for answer in answers:
        is_public = call.operation_id == "getKeys" and answer.is_success
        _assert_safe(answer, cached="max-age=" if is_public else "no-store")


@pytest.mark.parametrize("path", ["/", "/v1/jobz", "/v1/admin", "/.git/config", "/v1/health/debug"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "TRACE"])
def test_nothing_is_served_or_told_when_no_operation_has_the_path(api: Api, method: str, path: str) -> None:
    """API8 and API9: the same answer for whatever is not there."""
    answer = api.http.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")
    _assert_safe(answer, cached="no-store")


def _assert_safe(answer: httpx.Response, *, cached: str) -> None:
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"].startswith(cached)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert not {"set-cookie", "access-control-allow-credentials", "x-powered-by"} & answer.headers.keys()
    assert not [each for each in INSIDES if each in answer.text]
    assert "python" not in str(answer.headers).lower()


def test_what_is_deployed_is_what_is_specified_and_served(api: Api) -> None:
    """API9: one stage of one version, and in it each path and method of the specification and no other."""
    found = api.stack.apigateway.get_resources(restApiId=api.deployed.id, limit=500, embed=["methods"])
    deployed = {
        (each["path"], method) for each in found["items"] for method in each.get("resourceMethods", {})
    }
    specified = {
        (path, method.upper())
        for path, item in SPECIFICATION["paths"].items()
        for method in item
        if not method.startswith("x-")
    }
    # The method ANY of each path answers 405.
    assert deployed == specified | {(path, "ANY") for path in SPECIFICATION["paths"]}
    assert {path for path, _ in deployed} == set(functions.app.routes)
    stages = api.stack.apigateway.get_stages(restApiId=api.deployed.id)["item"]
    assert [stage["stageName"] for stage in stages] == [api.deployed.stage]
    assert all(re.match(r"/v1/|/\.well-known/", path) for path, _ in deployed)


@pytest.mark.parametrize("stage", ["dev", "test", "prod", "v1", "LOCAL", "..", "local%2f.."])
def test_nothing_is_served_when_another_stage_is_asked(api: Api, stage: str) -> None:
    """API9: an older or a test deployment would be one that nobody looks after."""
    for url in (
        f"{api.stack.url}/_aws/execute-api/{api.deployed.id}/{stage}/v1/health",
        f"{api.stack.url}/_aws/execute-api/0000000000/{stage}/v1/health",
    ):
        answer = httpx.get(url)
        assert answer.status_code in (403, 404)
        assert "ok" not in answer.text
