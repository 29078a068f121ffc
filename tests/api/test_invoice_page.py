"""An invoice as JSON or as a page: who gets which, and that the page has what the JSON has."""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from chalicelib.domain.invoice import MINIMUM, MONTHLY_FEE, Invoice, Line, Rate
from chalicelib.domain.month import CutOffs, Month
from chalicelib.domain.prices import Meter, amount
from chalicelib.web.invoice_page import ISSUER, WORDS
from tests.api.conftest import ACME, GLOBEX, Api

MONTH = Month.named("2026-10")
JSON, HTML = "application/json", "text/html; charset=utf-8"
HOSTILE = """</style></table><script>alert("&'")</script>"""
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


class Page(HTMLParser):
    """The rows of each table, every element's name, and all of the text."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.elements: list[str] = []
        self.words: list[str] = []
        self._is_in_cell = False
        self.feed(answer.text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.elements.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self._is_in_cell = True
        elif tag == "small":
            self.tables[-1][-1][-1] += "\n"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._is_in_cell = False

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._is_in_cell:
            self.tables[-1][-1][-1] += data


def line(item: str, quantity: int, micros: int, *, tier: int = 1, plan: str = "pro") -> Line:
    rate = Rate(
        item=item, plan=plan, price_version="2026-11", tier=tier, unit="unit", unit_price_micros=micros
    )
    return Line(rate, quantity)


def issue(api: Api, *lines: Line, adjustments: Sequence[Line] = ()) -> None:
    """An invoice of October, and an adjustment of it for each of these."""
    for sequence, of_it in enumerate([lines, *((each,) for each in adjustments)]):
        api.adapters.invoices.issue(
            Invoice(
                tenant_id=ACME,
                month=MONTH,
                sequence=sequence,
                currency="USD",
                cut_offs=CutOffs.of_invoice(MONTH),
                lines=of_it,
            )
        )


def get(api: Api, *accept: str, tenant: str = ACME) -> httpx.Response:
    headers = [*api.bearer(tenant).items(), *(("Accept", each) for each in accept)]
    return api.http.get(f"/v1/invoices/{MONTH.name}", headers=headers)


def both(api: Api) -> tuple[Any, Page]:
    """The invoice in its two forms."""
    return get(api, JSON).json(), Page(get(api, "text/html"))


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (["*/*"], JSON),
        ([""], JSON),
        (["application/json"], JSON),
        (["text/html"], HTML),
        (["TEXT/HTML"], HTML),
        ([BROWSER], HTML),
        (["text/*"], HTML),
        (["application/*, text/*"], JSON),
        (["text/html, application/json"], JSON),  # a tie
        (["text/html;q=0.9, application/json;q=0.8"], HTML),
        (["text/html;q=0.8, application/json;q=0.801"], JSON),
        (["text/html; Q=0.5 , */*;q=0.4"], HTML),
        (["text/html;q=0.5, */*"], JSON),
        (["*/*, application/json;q=0.1"], HTML),  # the closer range decides, not the higher weight
        (["text/*, text/html;q=0"], JSON),
        (["application/json;q=0"], JSON),  # nothing that there is; the RFC lets us answer all the same
        (["application/json;q=0, text/html;q=0.001"], HTML),
        (["application/json;charset=utf-8, text/html;q=0.5"], JSON),
        (["application/json;profile=x, text/html"], HTML),
        (["application/pdf"], JSON),
        (["text/html;level=1"], JSON),
        (["text/html;q=2, application/json;q=0.1"], JSON),  # no weight is above 1
        (["text/html;q=0.1234"], JSON),
        (["text/html;q=-1"], JSON),
        (["text html"], JSON),
        (["*/html"], JSON),
        ([",, ,text/html ,"], HTML),
        (['text/plain;a=",text/html,"'], JSON),
        (['text/plain;a="\\",text/html'], JSON),
        (["text/html;q=0.2", "application/json;q=0.1"], HTML),
        (["application/json;q=0.1", "text/html;q=0.2"], HTML),
        (["; " * 2_000 + "text/html"], JSON),
    ],
)
def test_the_form_is_the_one_that_the_client_would_rather_have(
    api: Api, accept: list[str], expected: str
) -> None:
    answer = get(api, *accept)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, expected)
    assert answer.headers["Vary"] == "Accept"


def test_it_is_json_when_no_form_is_asked_for(api: Api) -> None:
    request = api.http.build_request("GET", f"/v1/invoices/{MONTH.name}", headers=api.bearer())
    del request.headers["Accept"]
    assert api.http.send(request).headers["Content-Type"] == JSON


def test_a_refusal_is_a_problem_when_a_page_is_asked_for(api: Api) -> None:
    answer = api.http.get("/v1/invoices/2999-12", headers={**api.bearer(), "Accept": "text/html"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_the_page_has_every_line_and_every_sum_of_the_json(api: Api) -> None:
    found_late = [line(Meter.JOB_CONFIRMED, 3, 40_000, tier=2), line(Meter.JOB_WAIVED, 2, -2_000)]
    issue(
        api,
        line(MONTHLY_FEE, 1, 49_000_000),
        line(Meter.COMPUTE_USED, 1_234_567, 100),
        line(Meter.JOB_CONFIRMED, 500, 0),
        line(Meter.JOB_CONFIRMED, 1, 40_000, tier=2),
        line(MINIMUM, 1, 123),
        adjustments=found_late,
    )
    document, page = both(api)
    bills = [document, *document["adjustments"]]
    assert [list(rows(bill)) for bill in bills] == page.tables
    for bill in bills:
        assert all(moment(each) in page.text for each in bill["cut_offs"].values())
        assert bill["number"] in page.text
    for adjustment in document["adjustments"]:
        assert f"Adjustment {adjustment['number']} Adjusts {document['number']}:" in page.text
    assert f"Amount due USD {amount(int(document['due_micros']))} How to recompute" in page.text
    assert (document["status"], document["due_micros"]) == ("adjusted", "172612823")
    assert f"Status {document['status']}" in page.text
    assert "DRAFT" not in page.text


def test_the_sums_are_those_of_the_lines(api: Api) -> None:
    issue(api, line(MONTHLY_FEE, 1, 7), line(Meter.COMPUTE_USED, 3, 5), adjustments=[line(MINIMUM, -1, 9)])
    document = get(api).json()
    for bill in (document, *document["adjustments"]):
        amounts = [int(each["quantity"]) * int(each["unit_price_micros"]) for each in bill["lines"]]
        assert [int(each["amount_micros"]) for each in bill["lines"]] == amounts
        assert int(bill["subtotal_micros"]) == sum(amounts)
        assert int(bill["total_micros"]) == sum(amounts) + int(bill["tax_micros"])
        assert bill["tax_micros"] == "0"
    assert document["due_micros"] == str(7 + 15 - 9)


def test_it_says_whose_and_whose_bill_it_is(api: Api) -> None:
    issue(api, line(MONTHLY_FEE, 1, 1))
    page = Page(get(api, "text/html"))
    assert ISSUER in page.text
    assert f"Customer {ACME} Number {ACME}-2026-10 Period 2026-10 " in page.text
    assert "from=2026-10-01&to=2026-10-31" in page.text


def test_it_is_plainly_a_draft_when_the_month_is_not_closed(api: Api) -> None:
    api.submit()
    headers = {**api.bearer(), "Accept": "text/html"}
    page = Page(api.http.get("/v1/invoices/2026-11", headers=headers))
    assert page.text.count("DRAFT") == 3  # its title, its heading, and what that means
    assert "nobody owes it" in page.text
    assert "Amount due" not in page.text
    assert [row[0].partition("\n")[2] for row in page.tables[0][1:-3]] == [MONTHLY_FEE, Meter.JOB_ACCEPTED]


def test_it_says_so_when_nothing_was_used(api: Api) -> None:
    document, page = both(api)
    assert (document["lines"], document["due_micros"]) == ([], "0")
    assert page.tables[0][1] == ["Nothing was used."]


def test_it_is_a_credit_when_the_total_is_negative(api: Api) -> None:
    issue(api, line(Meter.JOB_ACCEPTED, 1, 2_000), adjustments=[line(Meter.JOB_WAIVED, 3, -2_000)])
    page = Page(get(api, "text/html"))
    assert page.tables[1][-1] == ["Total, USD (a credit)", "-0.006"]
    assert "Credit to you USD 0.004" in page.text


def test_a_text_stays_text_when_it_looks_like_markup(api: Api) -> None:
    issue(api, line(HOSTILE, 1, 1, plan=HOSTILE))
    page = Page(get(api, "text/html"))
    assert page.tables[0][1][:2] == [f"{HOSTILE}\n{HOSTILE}", HOSTILE]
    assert "script" not in page.elements


def test_the_page_needs_nothing_and_may_nothing_but_its_own_style(api: Api) -> None:
    answer = get(api, "text/html")
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert policy[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
    assert not {"script", "link", "img", "iframe", "form", "a"} & set(Page(answer).elements)
    assert not re.search(r"url\(|@import|style=", answer.text)
    assert "@media print" in style
    assert "@page" in style
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_is_the_same_bytes_when_it_is_asked_for_again(api: Api) -> None:
    issue(api, line(MONTHLY_FEE, 1, 1))
    first = get(api, "text/html").content
    api.stack.clock.advance(86_400)
    assert get(api, "text/html").content == first


def test_another_tenants_invoice_is_not_on_the_page(api: Api) -> None:
    issue(api, line(MONTHLY_FEE, 1, 1))
    page = Page(get(api, "text/html", tenant=GLOBEX))
    assert ACME not in page.text
    assert page.tables[0][1] == ["Nothing was used."]


def test_every_item_has_words() -> None:
    assert WORDS.keys() == {MONTHLY_FEE, MINIMUM, *Meter}


def rows(bill: Any) -> Iterator[list[str]]:
    """The rows of the bill's table, by its JSON."""
    yield ["Item", "Plan", "Prices of", "Tier", "Quantity", "Unit", "Unit price", "Amount"]
    for each in bill["lines"]:
        yield [
            f"{WORDS[each['item']]}\n{each['item']}",
            each["plan"],
            each["price_version"],
            str(each["tier"]),
            f"{int(each['quantity']):,}",
            each["unit"],
            amount(int(each["unit_price_micros"])),
            amount(int(each["amount_micros"])),
        ]
    credit = " (a credit)" if int(bill["total_micros"]) < 0 else ""
    yield ["Subtotal", amount(int(bill["subtotal_micros"]))]
    yield ["Tax (no tax is computed)", amount(int(bill["tax_micros"]))]
    yield [f"Total, USD{credit}", amount(int(bill["total_micros"]))]


def moment(timestamp: str) -> str:
    return timestamp.replace("T", " ").replace("Z", " UTC")
