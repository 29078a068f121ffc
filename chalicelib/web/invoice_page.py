"""An invoice as a page to read, print and keep: the numbers of the JSON, and nothing from elsewhere.

It is a pure function of the JSON's document: the same invoice is the same page, whenever it is asked for.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from chalicelib.domain.invoice import MINIMUM, MONTHLY_FEE, InvoiceStatus
from chalicelib.domain.month import Month
from chalicelib.domain.prices import Meter, amount
from chalicelib.web.schemas.invoices import Invoice

if TYPE_CHECKING:  # it takes 30 ms, which only a function's first page shall pay, and no cold start
    from jinja2 import Template

ISSUER = "Zama Jobs API (fictional)"
PAGES = Path(__file__).with_name("pages")
WORDS: Mapping[str, str] = MappingProxyType(
    {
        MONTHLY_FEE: "Monthly fee",
        MINIMUM: "Difference to the plan's monthly minimum",
        Meter.JOB_ACCEPTED: "Jobs accepted",
        Meter.COMPUTE_USED: "Compute",
        Meter.PAYLOAD_STORED: "Inputs and results stored",
        Meter.JOB_CONFIRMED: "Confirmations, recorded one by one",
        Meter.JOB_CONFIRMED_COMPACT: "Confirmations, recorded by the batch",
        Meter.JOB_WAIVED: "Not charged: failed by us, or never begun",
    }
)
"""What a line's item is called."""


def page(invoice: Invoice) -> bytes:
    """The page in HTML, in UTF-8; whatever a text has in it, it stays text."""
    is_draft = invoice.status == InvoiceStatus.DRAFT
    days = Month.named(invoice.period).days
    rendered = _template().render(
        invoice=invoice,
        currency=invoice.currency,
        issuer=ISSUER,
        css=_css(),
        title="DRAFT invoice" if is_draft else "Invoice",
        due="Credit to you" if int(invoice.due_micros) < 0 else "So far" if is_draft else "Amount due",
        first_day=days[0],
        last_day=days[-1],
    )
    return rendered.encode()


@cache
def policy() -> str:
    """The Content-Security-Policy (CSP 3): the page's own style, by its hash, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_css().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


@cache
def _css() -> str:
    return (PAGES / "invoice.css").read_text()


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    environment.filters |= {
        "count": lambda quantity: f"{int(quantity):,}",
        "moment": _moment,
        "money": lambda micros: amount(int(micros)),
        "words": lambda item: WORDS.get(item, item),
    }
    return environment.get_template("invoice.html")


def _moment(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="milliseconds").replace("+00:00", " UTC")
