"""A list of jobs over HTTP: what openapi.yml says of its parameters is what the service takes."""

import re
from typing import Any

import pytest

from chalicelib.job_types import JOB_TYPES
from chalicelib.use_cases.list_jobs import DEFAULT_LIMIT
from chalicelib.web.operations import LIST_JOBS
from chalicelib.web.schemas.listing import INSTANT, LIMIT_AT_MOST
from tests.api.conftest import ACME, GLOBEX, SPECIFICATION, Api

SCHEMAS = SPECIFICATION["components"]["schemas"]
PARAMETERS = {
    each["name"]: each["schema"]
    for each in SPECIFICATION["paths"]["/v1/jobs"]["get"]["parameters"]
    if "name" in each
}


def listed(api: Api, tenant: str = ACME, **query: Any) -> Any:
    return api.http.get("/v1/jobs", params=query, headers=api.bearer(tenant))


def test_the_parameters_are_those_that_the_operation_knows() -> None:
    assert tuple(PARAMETERS) == LIST_JOBS.query


def test_the_bounds_are_those_of_the_code() -> None:
    assert (PARAMETERS["limit"]["default"], PARAMETERS["limit"]["maximum"]) == (DEFAULT_LIMIT, LIMIT_AT_MOST)
    assert {PARAMETERS[name]["pattern"] for name in ("created_after", "created_before")} == {
        f"^{INSTANT.pattern}$"
    }
    assert SCHEMAS["JobTypeName"]["enum"] == sorted(JOB_TYPES)
    next_cursor = SCHEMAS["JobList"]["properties"]["next_cursor"]
    assert {name: next_cursor[name] for name in ("type", "pattern", "maxLength")} == PARAMETERS["cursor"]


def test_every_job_comes_once_when_the_cursor_is_followed(api: Api) -> None:
    made = [api.submit(f"k{n}").json()["id"] for n in range(5)]
    query: dict[str, Any] = {"limit": 2, "status": "queued"}
    pages = []
    while "cursor" not in query or query["cursor"] is not None:
        page = listed(api, **query).json()
        assert re.fullmatch(PARAMETERS["cursor"]["pattern"], page["next_cursor"] or "a." + "b" * 43)
        pages.append([job["id"] for job in page["data"]])
        query["cursor"] = page["next_cursor"]
    assert [len(page) for page in pages] == [2, 2, 1]
    # The clock stands still: jobs of one millisecond have an order of their own, the same for every page.
    assert [job_id for page in pages for job_id in page] == sorted(made, reverse=True)


def test_a_job_in_a_list_is_the_job_under_its_own_address(api: Api) -> None:
    job_id = api.submit().json()["id"]
    api.run(job_id)
    (in_list,) = listed(api).json()["data"]
    assert in_list == api.http.get(f"/v1/jobs/{job_id}", headers=api.bearer()).json()


def test_a_job_is_found_by_its_time_when_the_clock_is_not_the_machines(api: Api) -> None:
    first = api.submit("k1").json()
    api.stack.clock.advance(3600)
    second = api.submit("k2").json()
    found = listed(api, created_after=second["created_at"]).json()["data"]
    assert [job["id"] for job in found] == [second["id"]]
    found = listed(api, created_after=first["created_at"], created_before=second["created_at"]).json()["data"]
    assert [job["id"] for job in found] == [first["id"]]


def test_another_tenant_gets_nothing_when_it_sends_a_cursor_that_it_found(api: Api) -> None:
    for n in range(2):
        api.submit(f"k{n}")
    cursor = listed(api, limit=1).json()["next_cursor"]
    assert listed(api, cursor=cursor).status_code == 200
    answer = listed(api, GLOBEX, cursor=cursor)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ([("limit", "-1"), ("status", "x"), ("created_after", "x")], ["limit", "status", "created_after"]),
        ([("limit", "1"), ("limit", "2")], ["limit"]),
        ([("state", "queued"), ("offset", "1")], ["state", "offset"]),
    ],
)
def test_every_mistake_is_named_when_a_query_is_wrong(
    api: Api, query: list[tuple[str, str]], pointers: list[str]
) -> None:
    answer = api.http.get("/v1/jobs", params=query, headers=api.bearer())
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/query/{name}" for name in pointers]


def test_the_link_keeps_the_filter_when_it_leads_to_the_next_page() -> None:
    link = SPECIFICATION["paths"]["/v1/jobs"]["get"]["responses"]["200"]["links"]["next"]
    assert link["operationId"] == LIST_JOBS.id
    assert set(link["parameters"]) == set(LIST_JOBS.query or ()) - {"limit"}
