"""One source for each fact: what app.py serves, what openapi.yml says and what the catalogue knows agree."""

import json
from pathlib import Path

import pytest
import yaml

from app import app
from chalicelib.domain.errors import DomainError
from chalicelib.job_types import JOB_TYPES
from chalicelib.use_cases import run_job
from chalicelib.web import chalice_edge, handlers  # noqa: F401 - they define problems of their own
from chalicelib.web.problems import CATALOGUE

SPECIFICATION = yaml.safe_load((Path(__file__).parents[2] / "openapi.yml").read_text())
GATEWAY_RESPONSES = SPECIFICATION["x-amazon-apigateway-gateway-responses"]


def test_the_specification_has_the_routes_when_the_app_serves_them() -> None:
    served = {(path, method) for path, methods in app.routes.items() for method in methods}
    specified = {
        (path, method.upper()) for path, methods in SPECIFICATION["paths"].items() for method in methods
    }
    assert served == specified


def test_the_specification_names_every_job_type_when_one_is_added() -> None:
    assert SPECIFICATION["components"]["schemas"]["SubmitRequest"]["properties"]["type"]["enum"] == sorted(
        JOB_TYPES
    )


@pytest.mark.parametrize("response_type", sorted(GATEWAY_RESPONSES))
def test_the_gateways_answer_is_the_catalogues_problem_when_it_answers_itself(response_type: str) -> None:
    response = GATEWAY_RESPONSES[response_type]
    body = json.loads(response["responseTemplates"]["application/json"])
    problem = CATALOGUE[body["code"]]
    assert response["statusCode"] == body["status"] == problem.status
    assert (body["title"], body["retryable"]) == (problem.title, problem.retryable)
    assert body["type"].endswith(f"/v1/problems/{problem.code}")
    headers = response["responseParameters"]
    assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
    assert ("gatewayresponse.header.Retry-After" in headers) == problem.retryable


def test_every_code_is_in_the_catalogue_when_it_can_be_emitted() -> None:
    raised = {error.code for error in DomainError.__subclasses__()}
    by_gateway = {
        json.loads(response["responseTemplates"]["application/json"])["code"]
        for response in GATEWAY_RESPONSES.values()
    }
    in_jobs = {run_job.JOB_ERROR, run_job.ATTEMPTS_EXHAUSTED}
    assert raised | by_gateway | in_jobs == set(CATALOGUE)
