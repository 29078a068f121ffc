"""Reading usage and invoices."""

import re
from datetime import date

from chalicelib.domain.errors import FieldError, InvalidRequest, InvoiceNotFound
from chalicelib.domain.month import Month
from chalicelib.use_cases.read_invoice import ReadInvoice
from chalicelib.use_cases.read_usage import ReadUsage
from chalicelib.web.answers import ok
from chalicelib.web.http import Request, Response
from chalicelib.web.invoice_page import page, policy
from chalicelib.web.negotiation import preferred
from chalicelib.web.schemas.invoices import invoice_view
from chalicelib.web.schemas.usage import usage_view

# As the specification has them; `date.fromisoformat` takes more than one form.
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# What an invoice can be had as; without a preference, the first.
_JSON, _HTML = "application/json", "text/html"
_VARY = {"Vary": "Accept"}


def get_usage(read: ReadUsage, request: Request) -> Response:
    """200 with the caller's usage by meter and day, and what is left of its plan."""
    names = ("from", "to")
    days, wrong = {}, [*request.wrong_parameters(names)]
    for name in names:
        try:
            days[name] = _day(request.parameter(name))
        except ValueError:
            wrong.append(FieldError.at(("query", name), "Give a day as YYYY-MM-DD."))
    if wrong:
        raise InvalidRequest(tuple(wrong))
    return ok(usage_view(read(request.tenant_id, first=days["from"], last=days["to"])))


def get_invoice(read: ReadInvoice, request: Request) -> Response:
    """200 with the caller's invoice of a month, or its page by `Accept`; what is no month has none."""
    try:
        month = Month.named(request.path_parameters["period"])
    except ValueError as error:
        raise InvoiceNotFound("Name a month as YYYY-MM.") from error
    invoice = invoice_view(read(request.tenant_id, month))
    if preferred(request.headers.get("accept", ()), (_JSON, _HTML)) == _JSON:
        return ok(invoice, headers=_VARY)
    return Response(
        status=200,
        body=page(invoice),
        headers={**_VARY, "Content-Security-Policy": policy()},
        media_type=f"{_HTML}; charset=utf-8",
    )


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)
