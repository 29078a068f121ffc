"""Usage, invoices and job types over HTTP, each answer held against the specification."""

import pytest

from chalicelib.domain.prices import Meter
from chalicelib.job_types import JOB_TYPES
from tests.api.conftest import ACME, GLOBEX, Api
from tests.api.hostile import Refusal
from tests.api.provocations import without

UPLOAD_ID = "upl_00000000000000000000000001"


def test_a_submit_shows_in_usage_and_invoice_when_it_has_just_been_answered(api: Api) -> None:
    api.submit("k1")
    api.submit("k1")
    api.submit("k2")
    usage = api.http.get("/v1/usage", headers=api.bearer()).json()
    totals = {meter["meter"]: meter["total"] for meter in usage["meters"]}
    assert totals == {"job.accepted": "2", **dict.fromkeys(set(Meter) - {Meter.JOB_ACCEPTED}, "0")}
    assert usage["entitlements"]["jobs_admitted"] == usage["entitlements"]["active_jobs"] == 2
    invoice = api.http.get(f"/v1/invoices/{usage['entitlements']['period']}", headers=api.bearer()).json()
    assert [(line["item"], line["quantity"]) for line in invoice["lines"]] == [
        ("monthly_fee", "1"),
        ("job.accepted", "2"),
    ]
    assert int(invoice["total_micros"]) == sum(int(line["amount_micros"]) for line in invoice["lines"])


def test_a_tenant_sees_its_own_usage_alone_when_another_has_used_something(api: Api) -> None:
    api.submit(tenant=GLOBEX)
    usage = api.http.get("/v1/usage", headers=api.bearer(ACME)).json()
    assert {meter["total"] for meter in usage["meters"]} == {"0"}
    invoice = api.http.get(f"/v1/invoices/{usage['entitlements']['period']}", headers=api.bearer(ACME)).json()
    assert invoice["lines"] == []


@pytest.mark.parametrize("path", ["/v1/usage", "/v1/invoices/2026-11"])
def test_money_is_not_shown_when_the_token_is_for_jobs_alone(api: Api, path: str) -> None:
    answer = api.http.get(path, headers=api.bearer(scope="jobs:read jobs:write"))
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert "usage:read" in answer.json()["detail"]


def test_every_wrong_parameter_is_named_when_usage_is_asked_for(api: Api) -> None:
    answer = api.http.get("/v1/usage?from=yesterday&to=2026-02-30", headers=api.bearer())
    assert answer.status_code == 400
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/query/from", "/query/to"]


@pytest.mark.parametrize("period", ["2999-12", "2026-13", "now"])
def test_there_is_no_invoice_when_the_month_has_not_begun_or_is_none(api: Api, period: str) -> None:
    answer = api.http.get(f"/v1/invoices/{period}", headers=api.bearer())
    assert (answer.status_code, answer.json()["code"]) == (404, "invoice_not_found")


def test_each_type_asks_for_its_own_input_when_a_listed_one_is_submitted_without(api: Api) -> None:
    types = api.http.get("/v1/job-types", headers=api.bearer()).json()["data"]
    for each in types:
        headers = {**api.bearer(), "Idempotency-Key": each["name"]}
        refused = api.http.post("/v1/jobs", json={"type": each["name"], "input": {}}, headers=headers).json()
        missing = [f"/input/{name}" for name in each["input_schema"]["required"]]
        assert [error["pointer"] for error in refused["errors"]] == missing


@pytest.mark.parametrize("name", sorted(JOB_TYPES))
def test_a_type_is_listed_and_refused_when_its_package_is_absent(api: Api, name: str) -> None:
    without(api, name, package="no_such_package")
    types = api.http.get("/v1/job-types", headers=api.bearer()).json()["data"]
    assert [each["available"] for each in types if each["name"] == name] == [False]
    others = [each for each in types if each["name"] != name]
    assert all(each["available"] for each in others if JOB_TYPES[each["name"]].is_available)
    headers, refusal = {**api.bearer(), "Idempotency-Key": "k1"}, Refusal(api)
    for given in ({"input": dict(JOB_TYPES[name].example)}, {"input": {}}, {"input_upload": UPLOAD_ID}):
        answer = api.http.post("/v1/jobs", json={"type": name, **given}, headers=headers)
        told = refusal.check(answer, 422, "job_type_unavailable")
        assert told["detail"] == "This service runs without no_such_package."


def test_a_type_is_listed_with_all_that_a_client_needs_to_submit_it(api: Api) -> None:
    types = api.http.get("/v1/job-types", headers=api.bearer()).json()["data"]
    told = {each["name"]: (each["version"], each["compute_unit"], each["example"]) for each in types}
    assert told == {
        name: (each.version, each.compute_unit, dict(each.example)) for name, each in JOB_TYPES.items()
    }
