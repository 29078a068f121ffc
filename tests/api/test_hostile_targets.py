"""Paths and queries that no client library would write: answered in JSON that is JSON, and not acted on."""

import pytest

from tests.api.conftest import Api
from tests.api.hostile import Refusal, assert_refused_by_the_server, raw

JOB, ROUTE = (404, "job_not_found"), (404, "route_not_found")
TARGETS: dict[str, tuple[str, tuple[int, str]]] = {
    "%00": ("/v1/jobs/%00", JOB),
    "%2e%2e%2f": ("/v1/jobs/%2e%2e%2f", JOB),
    "..": ("/v1/jobs/../jobs", ROUTE),
    "%2e%2e": ("/v1/jobs/%2e%2e/jobs", ROUTE),
    "double encoding": ("/v1/jobs/%252e%252e%252f", JOB),
    "9,000 characters": ("/v1/jobs/" + "a" * 9_000, JOB),
    "9,000 characters of a job's id": ("/v1/jobs/job_" + "0" * 9_000 + "/result", JOB),
    "9,000 characters of a code": ("/v1/problems/" + "a" * 9_000, (404, "problem_not_found")),
    "9,000 characters of a month": ("/v1/invoices/" + "2" * 9_000, (404, "invoice_not_found")),
    "invalid percent-encoding": ("/v1/jobs/%zz", JOB),
    "half a percent-encoding": ("/v1/jobs/%2", JOB),
    "a percent sign": ("/v1/jobs/%", JOB),
    "no UTF-8": ("/v1/jobs/%ff%fe", JOB),
    "line ends": ("/v1/jobs/a%0d%0aX-Forged:%201", JOB),
    "a quotation mark": ('/v1/jobs/"', JOB),
    "a backslash": ("/v1/jobs/\\", JOB),
    "a backslash at the end": ("/v1/nothing\\", ROUTE),
    "a quotation mark in no path": ('/v1/"x', ROUTE),
    "JSON": ('/v1/nothing","code":"forged', ROUTE),
    "braces": ("/v1/jobs/{{7*7}}", JOB),
    "a script": ("/v1/jobs/<script>", JOB),
    "a reference of the gateway's": ("/v1/$context.requestId", ROUTE),
    "a semicolon": ("/v1/jobs;x=1", ROUTE),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_path_is_answered_in_json_when_it_holds_what_it_cannot_mean(api: Api, name: str) -> None:
    target, (status, code) = TARGETS[name]
    refusal = Refusal(api)
    problem = refusal.check(raw(api, "GET", target, headers=api.bearer()), status, code)
    assert problem["code"] == code
    if code not in ("route_not_found", "problem_not_found"):  # nobody is told before it says who it is
        refusal.check(raw(api, "GET", target), 401, "unauthorized")
        refusal.check(raw(api, "GET", target, headers={"Authorization": "Bearer x"}), 401, "invalid_token")


@pytest.mark.parametrize("target", [b"/v1/jobs/\xff", b"/v1/jobs/\x01", b"/v1/jobs/a\tb", b"/v1/jobs/a b"])
def test_a_target_is_no_http_when_it_holds_what_no_target_can(api: Api, target: bytes) -> None:
    assert_refused_by_the_server(raw(api, "GET", target), 400)


QUERIES = {
    "twice": ("limit=1&limit=2", "/query/limit"),
    "twice, one without a value": ("limit=1&limit=", "/query/limit"),
    "a name in percent": ("%6cimit=1&limit=1", "/query/limit"),
    "NUL": ("limit=%00", "/query/limit"),
    "NUL in a name": ("a%00=1", "/query/a\\u0000"),
    "line ends in a name": ("a%0d%0ab=1", "/query/a\\r\\nb"),
    "a right-to-left override in a name": ("%E2%80%AE=1", "/query/\\u202e"),
    "quotes in a name": ("%22%5c=1", '/query/"\\'),
    "no UTF-8": ("limit=%ff", "/query/limit"),
    "no UTF-8 in a name": ("%ff=1", "/query/\ufffd"),
    "invalid percent-encoding": ("limit=%zz", "/query/limit"),
    "no value": ("limit", "/query/limit"),
    "no name": ("=1", "/query/"),
    "an array": ("limit[]=1", "/query/limit[]"),
    "a prototype": ("__proto__=1", "/query/__proto__"),
    "Arabic digits": ("limit=%D9%A1", "/query/limit"),
    "5,000 digits": ("limit=" + "9" * 5_000, "/query/limit"),
    "a fraction": ("limit=1.0", "/query/limit"),
    "a method": ("_method=DELETE", "/query/_method"),
    "a token": ("access_token=x", "/query/access_token"),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_refused_at_its_place_when_it_is_none_of_ours(api: Api, name: str) -> None:
    query, pointer = QUERIES[name]
    headers, refusal = api.bearer(), Refusal(api)
    problem = refusal.check(raw(api, "GET", f"/v1/jobs?{query}", headers=headers), 400, "invalid_request")
    assert [each["pointer"] for each in problem["errors"]] == [pointer]


def test_a_thousand_parameters_are_answered_shortly(api: Api) -> None:
    refusal = Refusal(api)
    query = "&".join(f"p{n}=1" for n in range(1_000))
    problem = refusal.check(
        raw(api, "GET", f"/v1/usage?{query}", headers=api.bearer()), 400, "invalid_request"
    )
    assert len(problem["errors"]) == 100
