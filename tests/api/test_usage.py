"""Usage, invoices and job types over HTTP, each answer held against the specification."""

import pytest

from tests.api.conftest import ACME, GLOBEX, Api


def test_a_submit_shows_in_usage_and_invoice_when_it_has_just_been_answered(api: Api) -> None:
    api.submit("k1")
    api.submit("k1")
    api.submit("k2")
    usage = api.http.get("/v1/usage", headers=api.bearer()).json()
    totals = {meter["meter"]: meter["total"] for meter in usage["meters"]}
    assert totals == {"job.accepted": "2", "job.confirmed": "0"}
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
