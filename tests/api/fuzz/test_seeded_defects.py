"""The gate can fail: an API with one defect does not get through, and the run says what is wrong."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.api.conftest import ACME, GLOBEX, SECRET, client_id
from tests.api.fuzz.command import Run, Tenant, fuzz
from tests.api.fuzz.conftest import Working
from tests.gateway.conftest import Function

Answer = dict[str, Any]
Seed = Callable[[Function], Function]


def answering(change: Callable[[Answer], None]) -> Seed:
    """A function whose answers are changed on their way out, but for the tokens that a run begins with."""

    def seed(answer: Function) -> Function:
        def changed(event: dict[str, Any]) -> object:
            given: Any = answer(event)
            if event["resource"] != "/v1/oauth/token":
                change(given)
            return given

        return changed

    return seed


def called_with(change: Callable[[Answer], None]) -> Seed:
    """A function that gets another event than the gateway's."""

    def seed(answer: Function) -> Function:
        def changed(event: dict[str, Any]) -> object:
            change(event)
            return answer(event)

        return changed

    return seed


def without_request_id(answer: Answer) -> None:
    del answer["headers"]["Request-Id"]


def with_an_unlisted_status(answer: Answer) -> None:
    if answer["statusCode"] == 200:
        answer["statusCode"] = 203


def with_a_number_for_a_text(answer: Answer) -> None:
    answer["body"] = json.dumps({**json.loads(answer["body"]), "object": 1, "code": 1})


def without_its_query(event: Answer) -> None:
    event["multiValueQueryStringParameters"] = event["queryStringParameters"] = None


def as_one_tenant_for_all(event: Answer) -> None:
    if "authorizer" in event["requestContext"]:
        event["requestContext"]["authorizer"]["tenant_id"] = ACME


def without_allow(answer: Answer) -> None:
    answer["headers"].pop("Allow", None)


# What is changed, the operations that are called in which phase, and what the run says.
DEFECTS = {
    "header": (
        answering(without_request_id),
        ["listJobTypes"],
        "examples",
        "Missing required response headers",
    ),
    "status": (answering(with_an_unlisted_status), ["listJobTypes"], "examples", "Undocumented status code"),
    "schema": (answering(with_a_number_for_a_text), ["listJobTypes"], "examples", "Response violates schema"),
    "method": (answering(without_allow), ["listJobTypes"], "coverage", "without required `Allow` header"),
    "query": (called_with(without_its_query), ["getUsage"], "coverage", "Schema-violating request accepted"),
    "job": (called_with(as_one_tenant_for_all), ["submitJob", "getJob"], "examples", "another_tenant_finds"),
    "list": (
        called_with(as_one_tenant_for_all),
        ["submitJob", "listJobs"],
        "coverage",
        "another_tenant_lists",
    ),
}


# One is enough to show that the run can fail at all; the rest takes minutes.
SHOWN = {"status"}


@pytest.mark.parametrize(
    "defect",
    [pytest.param(each, marks=() if each in SHOWN else pytest.mark.deep) for each in DEFECTS],
)
def test_the_run_fails_and_says_why_when_the_api_has_a_defect(working: Working, defect: str) -> None:
    seed, operation_ids, phase, found = DEFECTS[defect]
    working.handler = seed(working.handler)
    run = _run(working, phase, *operation_ids)
    assert run.status == 1, run.printed
    assert found in run.printed, run.printed


@pytest.mark.deep
def test_the_run_fails_and_says_why_when_any_credential_will_do(working: Working) -> None:
    functions, good = working.api.stack.functions, working.api.bearer()["Authorization"]
    authorize = functions["authorize"]
    functions["authorize"] = lambda event: authorize({**event, "authorizationToken": good})
    run = _run(working, "examples", "listJobTypes")
    assert run.status == 1, run.printed
    assert "API accepts invalid authentication" in run.printed, run.printed


@pytest.mark.deep
def test_the_run_finds_whose_job_it_is_without_our_checks_when_all_tenants_are_one(working: Working) -> None:
    working.handler = called_with(as_one_tenant_for_all)(working.handler)
    run = _run(
        working,
        "fuzzing,stateful",
        "submitJob",
        "getJob",
        without=("another_tenant_finds_nothing",),
        examples=40,
    )
    assert run.status == 1, run.printed
    assert "Object-level authorization bypass" in run.printed, run.printed


@pytest.mark.deep
@pytest.mark.parametrize("defect", ["schema", "method", "query", "job", "list"])  # each run once
def test_the_same_run_passes_when_the_api_has_no_defect(working: Working, defect: str) -> None:
    _, operation_ids, phase, _ = DEFECTS[defect]
    run = _run(working, phase, *operation_ids)
    assert run.status == 0, run.printed


def _run(
    working: Working, phases: str, *operation_ids: str, without: Sequence[str] = (), examples: int = 10
) -> Run:
    acme, globex = (Tenant(client_id(each), SECRET) for each in (ACME, GLOBEX))
    chosen = [argument for each in operation_ids for argument in ("--include-operation-id", each)]
    excluded = [argument for each in without for argument in ("--exclude-checks", each)]
    return fuzz(
        working.api.base_url,
        acme,
        globex,
        "--phases",
        phases,
        "--max-examples",
        str(examples),
        *chosen,
        *excluded,
    )
