"""Every problem that an operation is said to answer with is provoked, and is what openapi.yml says."""

import json
import re

import httpx
import pytest

from chalicelib.domain.failure import FailureCode
from chalicelib.web.operations import OPERATIONS, problems_of
from chalicelib.web.problems import CATALOGUE
from tests.api.calls import calls
from tests.api.conftest import SPECIFICATION, Api
from tests.api.contract import Contract
from tests.api.provocations import PROVOCATIONS

# What is not an answer to an operation: see the tests below, and a failed job's `error`.
ELSEWHERE = frozenset({"route_not_found", "method_not_allowed", "operation_removed", *FailureCode})
CASES = [
    pytest.param(operation.id, code, id=f"{operation.id}-{code}")
    for operation in OPERATIONS.values()
    for code in sorted(problems_of(operation))
]
CALLS = {call.operation_id: call for call in reversed(list(calls(Contract(SPECIFICATION))))}


@pytest.mark.parametrize(("operation_id", "code"), CASES)
def test_the_problem_is_as_documented_when_it_is_provoked(api: Api, operation_id: str, code: str) -> None:
    provoke = PROVOCATIONS.get((operation_id, code)) or PROVOCATIONS.get(code)
    assert provoke is not None, f"nothing in tests/api/provocations.py provokes {code} of {operation_id}"
    answer = provoke(api, CALLS[operation_id])
    assert (answer.status_code, answer.json()["code"]) == (CATALOGUE[code].status, code)
    _assert_complete(api, answer)


def test_the_page_exists_when_a_problem_names_its_type(api: Api) -> None:
    for code, row in CATALOGUE.items():
        page = api.http.get(f"/v1/problems/{code}").json()
        assert page["type"] == f"{api.base_url}/v1/problems/{code}"
        assert (page["status"], page["title"], page["retryable"]) == (row.status, row.title, row.retryable)


def test_every_code_of_the_catalogue_is_an_answer_somewhere() -> None:
    answered = frozenset().union(*(problems_of(operation) for operation in OPERATIONS.values()))
    assert answered | ELSEWHERE == set(CATALOGUE)
    assert not answered & ELSEWHERE


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/nothing", "/v1/jobs/a/b/c", "/v2/jobs", "/v1/jobs/%2e%2e/x"]
)
def test_an_unknown_path_is_404_whoever_asks(api: Api, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "AWS4-HMAC-SHA256 Credential=x"}):
        answer = api.http.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")
        _assert_complete(api, answer)


@pytest.mark.parametrize("path", sorted(SPECIFICATION["paths"]))
def test_a_method_that_the_path_lacks_is_405_and_names_those_it_has(api: Api, path: str) -> None:
    called = re.sub(r"\{\w+\}", "x", path)
    has = {name.upper() for name in SPECIFICATION["paths"][path]} & {"GET", "POST"}
    for method in ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"):
        if method in has:
            continue
        answer = api.http.request(method, called, headers={"Content-Type": "text/plain"})
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) == has
        if method != "HEAD":
            assert answer.json()["code"] == "method_not_allowed"
            _assert_complete(api, answer)


def _assert_complete(api: Api, answer: httpx.Response) -> None:
    """What holds for every problem, whoever answers."""
    problem = json.loads(answer.content)
    row = CATALOGUE[problem["code"]]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["type"] == f"{api.base_url}/v1/problems/{row.code}"
    assert (problem["status"], problem["title"]) == (answer.status_code, row.title)
    assert problem["retryable"] is row.retryable
    assert problem["request_id"] == answer.headers["Request-Id"] == answer.headers["x-amzn-RequestId"]
    assert problem["instance"] == answer.request.url.raw_path.decode().partition("?")[0].replace(
        f"/_aws/execute-api/{api.deployed.id}", ""
    )
    assert ("Retry-After" in answer.headers) == row.retryable
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    if answer.status_code == 401:
        challenge = answer.headers["WWW-Authenticate"]
        scheme = "DPoP" if row.code == "invalid_dpop_proof" else "Bearer"
        assert challenge.startswith(f'{scheme} realm="zama-jobs"')
        assert (f'error="{row.code}"' in challenge) == (row.code != "unauthorized")
    if row.code == "insufficient_scope":
        assert 'error="insufficient_scope", scope="' in answer.headers["WWW-Authenticate"]
