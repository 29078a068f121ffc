"""One source for each fact: what app.py serves, what openapi.yml says and what the tables know agree."""

import json
from dataclasses import replace
from typing import Any

import pytest

from app import app
from chalicelib.admin.openapi import document
from chalicelib.admin.openapi.source import SourceMismatch, describe
from chalicelib.domain.access_token import SCOPES
from chalicelib.domain.errors import DomainError
from chalicelib.domain.failure import FailureCode
from chalicelib.job_types import JOB_TYPES
from chalicelib.job_types.contract import JobType
from chalicelib.web.operations import OPERATIONS, problems_of
from chalicelib.web.problems import CATALOGUE
from emulation.gateway.control.gateway_responses import KINDS
from tests.api.calls import calls
from tests.api.conftest import OPENAPI, SPECIFICATION, Api
from tests.api.contract import Contract
from tests.api.provocations import send

GATEWAY_RESPONSES = SPECIFICATION["x-amazon-apigateway-gateway-responses"]
CALLS = list(calls(Contract(SPECIFICATION)))


def test_the_file_is_what_the_sources_make() -> None:
    assert OPENAPI.read_text() == document.text(document.specification()), (
        "run: python -m chalicelib.admin openapi > openapi.yml"
    )


def test_the_generator_names_the_operation_when_the_source_has_another() -> None:
    fewer = {name: each for name, each in OPERATIONS.items() if name != "getHealth"}
    with pytest.raises(SourceMismatch, match=r"web/operations\.py differ in getHealth$"):
        document.specification(fewer)


def test_the_generator_names_the_member_when_the_source_does_not_say_what_it_is() -> None:
    schemas = {"Job": {"properties": {"id": {"type": "string"}, "url": {"type": "string"}}}}
    with pytest.raises(SourceMismatch, match=r"web/schemas differ in Job\.color, Job\.id$"):
        describe(schemas, {"Job.color": "It has none.", "url": "Where it is."})


def test_the_routes_are_those_of_the_specification() -> None:
    served = {(path, method) for path, methods in app.routes.items() for method in methods}
    specified = {
        (path, method.upper())
        for path, methods in SPECIFICATION["paths"].items()
        for method in methods
        if not method.startswith("x-")
    }
    every = {
        (path, method)
        for path in SPECIFICATION["paths"]
        for method in ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
    }
    assert specified <= served
    assert served == every  # the others are answered 405
    assert all("x-amazon-apigateway-any-method" in item for item in SPECIFICATION["paths"].values())


def test_an_operation_asks_for_a_credential_exactly_when_its_route_has_the_authorizer() -> None:
    for operation in OPERATIONS.values():
        route = app.routes[operation.path][operation.method]
        specified = SPECIFICATION["paths"][operation.path][operation.method.lower()]["security"]
        assert bool(route.authorizer) == bool(operation.scope) == bool(specified)


def test_the_query_parameters_are_those_of_the_table() -> None:
    contract = Contract(SPECIFICATION)
    for operation in contract.operations():
        parameters = map(contract.resolved, operation.get("parameters", ()))
        documented = sorted(each["name"] for each in parameters if each["in"] == "query")
        assert documented == sorted(OPERATIONS[operation["operationId"]].query or ())


def test_every_mistake_is_told_at_once_when_a_parameter_is_unknown_too(api: Api) -> None:
    queries = {
        "/v1/jobs": "surprise=1&limit=-1&status=x&type=y&created_after=now&created_before=1&created_before=2",
        "/v1/usage": "surprise=1&from=today&to=2026-02-30&to=2026-02-28",
    }
    for path, query in queries.items():
        refused = api.http.get(f"{path}?{query}", headers=api.bearer())
        told = {error["pointer"] for error in refused.json()["errors"]}
        assert told == {f"/query/{pair.partition('=')[0]}" for pair in query.split("&")}


def test_every_scope_is_one_that_a_client_can_have() -> None:
    flow = SPECIFICATION["components"]["securitySchemes"]["oauth"]["flows"]["clientCredentials"]
    assert sorted(flow["scopes"]) == sorted(SCOPES)


def test_every_job_type_is_in_the_specification() -> None:
    discriminator = SPECIFICATION["components"]["schemas"]["SubmitRequest"]["discriminator"]
    assert sorted(discriminator["mapping"]) == sorted(JOB_TYPES)


@pytest.mark.parametrize("job_type", JOB_TYPES.values(), ids=list(JOB_TYPES))
def test_a_job_type_is_told_and_shown_in_the_specification_by_itself(job_type: JobType) -> None:
    contract = Contract(SPECIFICATION)
    mapping = SPECIFICATION["components"]["schemas"]["SubmitRequest"]["discriminator"]["mapping"]
    described = contract.resolved({"$ref": f"urn:zama-jobs{mapping[job_type.name]}"})["description"]
    version = f"version {job_type.version}"
    for part in (job_type.name, version, job_type.title, job_type.description, job_type.compute_unit):
        assert part in described
    body = SPECIFICATION["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]
    shown = body["examples"][job_type.name]["value"]
    assert shown == {"type": job_type.name, "input": dict(job_type.example)}


def test_every_code_that_can_be_raised_is_listed_and_every_listed_one_can_be() -> None:
    raised = {error.code for error in _subclasses(DomainError) if hasattr(error, "code")}
    by_gateway = {code for code, row in CATALOGUE.items() if row.gateway}
    assert raised | by_gateway | set(FailureCode) == set(CATALOGUE)


def test_every_answer_of_the_gateways_own_is_a_problem() -> None:
    assert GATEWAY_RESPONSES.keys() == set(KINDS)


@pytest.mark.parametrize("response_type", sorted(GATEWAY_RESPONSES))
def test_the_gateways_answer_is_the_catalogues_problem(response_type: str) -> None:
    response = GATEWAY_RESPONSES[response_type]
    body = json.loads(response["responseTemplates"]["application/json"])
    problem = CATALOGUE[body["code"]]
    assert response["statusCode"] == body["status"] == problem.status
    assert (body["title"], body["retryable"]) == (problem.title, problem.retryable)
    assert body["type"].endswith(f"/v1/problems/{problem.code}")
    assert ("gatewayresponse.header.Retry-After" in response["responseParameters"]) == problem.retryable


def test_the_gateway_checks_no_parameter_but_the_key() -> None:
    """So that its one answer to a missing parameter can say which."""
    contract = Contract(SPECIFICATION)
    required = {
        parameter["name"]
        for operation in contract.operations()
        for parameter in map(contract.resolved, operation.get("parameters", ()))
        if parameter.get("required") and parameter["in"] != "path"
    }
    assert required == {"Idempotency-Key"}


def test_every_status_and_code_is_documented_with_an_example() -> None:
    contract = Contract(SPECIFICATION)
    for operation in contract.operations():
        codes = problems_of(OPERATIONS[operation["operationId"]])
        documented = {
            code
            for status in operation["responses"]
            if int(status) >= 400
            for code in contract.documented_codes(operation, int(status))
        }
        assert documented == codes, operation["operationId"]


def test_every_example_is_of_its_schema() -> None:
    contract = Contract(SPECIFICATION)
    count = 0
    for operation in contract.operations():
        for where, schema, example in _examples(contract, operation):
            contract.validate(example, schema, f"{operation['operationId']} {where}")
            count += 1
    assert count > 100


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.operation_id)
def test_every_success_is_answered_when_an_example_is_sent(api: Api, call: Any) -> None:
    """Where the example names a job, one that has run takes its place; where an upload, one that was sent."""
    if call.operation_id == "submitJob" and "input_upload" in call.body:
        call = replace(call, body={**call.body, "input_upload": api.upload(b"{}")})
    if "job_" in call.path:
        job_id = api.submit("another key").json()["id"]
        if call.operation_id != "cancelJob":
            api.run(job_id)
        call = call.of_job(job_id)
    auth = api.credentials() if call.path.startswith("/v1/oauth/") else None
    answers = [send(api, call, auth=auth)]
    assert answers[0].is_success, answers[0].text
    if call.method == "GET" and (etag := answers[0].headers.get("ETag")):
        answers.append(send(api, call, headers={"If-None-Match": etag}))
    operation = api.contract.operation_of(call.method, call.path)
    assert operation is not None
    documented = {status for status in operation["responses"] if int(status) < 400}
    assert documented == {str(answer.status_code) for answer in answers}


def _subclasses(error: type[DomainError]) -> set[type[DomainError]]:
    return {error}.union(*(_subclasses(each) for each in error.__subclasses__()))


def _examples(contract: Contract, operation: Any) -> list[tuple[str, Any, Any]]:
    found = []
    bodies = [("request", operation.get("requestBody", {})), *operation["responses"].items()]
    for where, body in bodies:
        content = body.get("content", {})
        assert content or where in ("request", "304") or not body.get("content"), where
        for media_type in content.values():
            named = (
                {"example": {"value": media_type["example"]}}
                if "example" in media_type
                else media_type["examples"]
            )
            found += [
                (f"{where} {name}", media_type["schema"], contract.resolved(each)["value"])
                for name, each in named.items()
            ]
    for parameter in map(contract.resolved, operation.get("parameters", ())):
        found.append((parameter["name"], parameter["schema"], parameter["example"]))
    return found
