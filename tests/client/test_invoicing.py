"""`jobs invoice` and `jobs usage`: for people, as a page, as a PDF, and when the service is an older one."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from chalicelib.domain.invoice import MINIMUM, MONTHLY_FEE
from chalicelib.domain.prices import Meter, amount
from chalicelib.web.invoice_page import ISSUER, WORDS
from client import invoice_pdf
from client.money import money
from tests.api.conftest import ACME, FREE
from tests.api.test_invoice_page import issue, line
from tests.client.conftest import Jobs, answering

OLD: dict[str, Any] = {
    "object": "invoice",
    "period": "2026-10",
    "status": "draft",
    "currency": "USD",
    "cut_offs": {"event_time": "2026-10-23T05:00:00.000Z", "ingestion_time": "2026-10-23T05:00:00.000Z"},
    "lines": [
        {
            "item": "job.accepted",
            "plan": "pro",
            "price_version": "2026-10",
            "quantity": "3",
            "unit": "job",
            "unit_price_micros": "2000",
            "amount_micros": "6000",
        }
    ],
    "total_micros": "6000",
}


def issued(jobs: Jobs) -> Any:
    """October's invoice, which has tiers, a minimum and two adjustments."""
    adjustments = [line(Meter.JOB_CONFIRMED, 3, 40_000, tier=2), line(Meter.JOB_WAIVED, 2, -2_000)]
    issue(
        jobs.api,
        line(MONTHLY_FEE, 1, 49_000_000),
        line(Meter.COMPUTE_USED, 1_234_567, 100),
        line(Meter.JOB_CONFIRMED, 500, 0),
        line(Meter.JOB_CONFIRMED, 1, 40_000, tier=2),
        line(MINIMUM, 1, 123),
        adjustments=adjustments,
    )
    return jobs("invoice", "2026-10", "--json").document


def text_of(pdf: Path) -> str:
    """The words of all pages."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(pdf).pages).split())


def test_each_line_sum_and_adjustment_is_shown_when_a_person_asks(jobs: Jobs) -> None:
    document = issued(jobs)
    shown = [re.split("  +", each) for each in jobs("invoice", "2026-10").stdout.splitlines()]
    assert shown[:2] == [["invoice of 2026-10 (adjusted), in USD"], [f"number {ACME}-2026-10"]]
    for bill in (document, *document["adjustments"]):
        for each in bill["lines"]:
            price, total = int(each["unit_price_micros"]), int(each["amount_micros"])
            row = [each["item"], "pro", "2026-11", str(each["tier"]), f"{int(each['quantity']):,}"]
            assert [*row, money(price), money(total)] in shown
        for name in ("subtotal", "tax", "total"):
            assert [name, money(int(bill[f"{name}_micros"]))] in shown
    for adjustment in document["adjustments"]:
        assert [f"adjustment {adjustment['number']} of {document['number']}"] in shown
    assert shown[-1] == ["due with its adjustments: 172.612823"]


def test_the_page_is_the_services_own_when_it_is_written(jobs: Jobs, tmp_path: Path) -> None:
    issued(jobs)
    ran = jobs("invoice", "2026-10", "--html", str(tmp_path / "invoice.html"))
    headers = {**jobs.api.bearer(), "Accept": "text/html"}
    page = jobs.api.http.get("/v1/invoices/2026-10", headers=headers).content
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert (tmp_path / "invoice.html").read_bytes() == page
    assert "invoice.html" in ran.stderr


def test_the_pdf_has_every_line_and_every_sum(jobs: Jobs, tmp_path: Path) -> None:
    document = issued(jobs)
    ran = jobs("invoice", "2026-10", "--pdf", str(tmp_path / "invoice.pdf"))
    assert (ran.exit_code, ran.stdout) == (0, "")
    text = text_of(tmp_path / "invoice.pdf")
    assert f"Customer {ACME} Number {document['number']} Period 2026-10 " in text
    assert "Status adjusted" in text
    for bill in (document, *document["adjustments"]):
        assert bill["number"] in text
        for each in bill["lines"]:
            price, total = amount(int(each["unit_price_micros"])), amount(int(each["amount_micros"]))
            numbers = f"{each['tier']} {int(each['quantity']):,} unit {price} {total}"
            assert re.search(rf"\({re.escape(each['item'])}\)[^(]* {re.escape(numbers)}", text), each
        assert f"Subtotal: {amount(int(bill['subtotal_micros']))}" in text
        assert "Tax (no tax is computed): 0.00" in text
    assert "Total, USD (a credit): -0.004" in text
    assert "Amount due: USD 172.612823" in text
    assert "DRAFT" not in text


def test_the_pdf_is_the_same_bytes_when_it_is_made_again(jobs: Jobs, tmp_path: Path) -> None:
    issued(jobs)
    made = [tmp_path / "a.pdf", tmp_path / "b.pdf"]
    for output in made:
        assert jobs("invoice", "2026-10", "--pdf", str(output)).exit_code == 0
        jobs.api.stack.clock.advance(86_400)
    assert made[0].read_bytes() == made[1].read_bytes()


def test_the_pdf_goes_on_over_pages_with_the_heads_on_each(jobs: Jobs, tmp_path: Path) -> None:
    issue(jobs.api, *(line(Meter.COMPUTE_USED, 1, 100, tier=n, plan="p" * 64) for n in range(1, 61)))
    jobs("invoice", "2026-10", "--pdf", str(tmp_path / "long.pdf"))
    pages = [page.extract_text() for page in PdfReader(tmp_path / "long.pdf").pages]
    assert len(pages) > 1
    assert all("Unit price" in page for page in pages[:-1])
    assert all(f"{ACME}-2026-10, page {n} of {len(pages)}" in page for n, page in enumerate(pages, start=1))


def test_a_draft_says_so_and_both_files_and_the_document_come_at_once(jobs: Jobs, tmp_path: Path) -> None:
    jobs.submitted()
    html, pdf = tmp_path / "draft.html", tmp_path / "draft.pdf"
    ran = jobs("invoice", "2026-11", "--html", str(html), "--pdf", str(pdf), "--json")
    assert (ran.exit_code, ran.document["status"]) == (0, "draft")
    for text in (html.read_text(), text_of(pdf)):
        assert "DRAFT invoice" in text
        assert "nobody owes it" in text


def test_the_pdf_is_made_when_a_name_is_in_no_latin_letters(jobs: Jobs, tmp_path: Path) -> None:
    issue(jobs.api, line(Meter.COMPUTE_USED, 1, 1, plan="προ"))
    assert jobs("invoice", "2026-10", "--pdf", str(tmp_path / "a.pdf")).exit_code == 0
    assert "???" in text_of(tmp_path / "a.pdf")


def test_the_package_is_named_when_it_is_absent(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fpdf", None)
    ran = jobs("invoice", "2026-10", "--pdf", str(tmp_path / "a.pdf"))
    assert (ran.exit_code, ran.stderr.count("\n"), jobs.network.asked) == (2, 1, [])
    assert "pip install fpdf2" in ran.stderr


def test_a_file_is_as_it_was_when_it_cannot_be_written(jobs: Jobs, tmp_path: Path) -> None:
    ran = jobs("invoice", "2026-10", "--html", str(tmp_path / "no" / "a.html"))
    assert (ran.exit_code, "cannot be written" in ran.stderr) == (2, True)


def test_an_older_services_invoice_is_shown_and_printed_as_far_as_it_goes(jobs: Jobs, tmp_path: Path) -> None:
    jobs.network.trouble("/v1/invoices/2026-10", *[answering(200, OLD)] * 3)
    shown = [re.split("  +", each) for each in jobs("invoice", "2026-10").stdout.splitlines()]
    assert ["job.accepted", "pro", "2026-10", "3", "0.002", "0.006"] in shown
    assert shown[-1] == ["total", "0.006"]
    assert jobs("invoice", "2026-10", "--pdf", str(tmp_path / "old.pdf")).exit_code == 0
    assert "So far: USD 0.006" in text_of(tmp_path / "old.pdf")
    ran = jobs("invoice", "2026-10", "--html", str(tmp_path / "old.html"))
    assert (ran.exit_code, "no pages of invoices" in ran.stderr) == (2, True)


def test_what_is_left_of_the_cap_is_shown_with_the_usage(jobs: Jobs) -> None:
    jobs.submitted()
    spent = int(jobs("usage", "--json").document["entitlements"]["spend_micros"])
    assert f"; {amount(spent)} of 500.00 USD spent or reserved; resets " in jobs("usage").stdout


def test_usage_is_shown_without_a_cap_when_the_service_tells_none(jobs: Jobs) -> None:
    document = jobs("usage", "--json").document
    del document["entitlements"]["spend_micros"], document["entitlements"]["spend_cap_micros"]
    jobs.network.trouble("/v1/usage", answering(200, document))
    assert re.search(r"active; resets \d{4}-\d\d-01$", jobs("usage").stdout, re.MULTILINE)


def test_the_limit_is_told_when_the_plan_has_no_room(jobs: Jobs) -> None:
    for _ in range(10):
        jobs.submitted(tenant=FREE)
    refused = jobs(
        "submit", "sha256.chain", "--input", '{"seed": "0x%s", "rounds": 3}' % ("00" * 32), tenant=FREE
    )
    assert refused.exit_code == 4
    assert "active_jobs: 10 allowed, 10 used, 1 needed\n" in refused.stderr


def test_the_cap_is_told_in_money_when_it_is_spent(jobs: Jobs) -> None:
    limit = {"name": "spend_cap_micros", "allowed": "500000000", "used": "499990000", "needed": "43124"}
    body = {"code": "spend_cap_exceeded", "title": "T", "detail": "Because.", "retryable": True}
    body["limit"] = {**limit, "resets_at": "2026-12-01T00:00:00.000Z"}  # type: ignore[assignment]
    jobs.network.trouble("/v1/jobs", answering(402, body, Retry_After="590400"))
    ran = jobs("submit", "sha256.chain", "--input", '{"seed": "0x%s", "rounds": 3}' % ("00" * 32))
    told = "spend_cap_micros: 500.00 allowed, 499.99 used, 0.043124 needed; resets 2026-12-01 00:00:00Z\n"
    assert (ran.exit_code, told in ran.stderr) == (4, True)


def test_the_pdf_speaks_as_the_page_does() -> None:
    assert (invoice_pdf.ISSUER, dict(invoice_pdf.ITEMS)) == (ISSUER, {str(k): v for k, v in WORDS.items()})
