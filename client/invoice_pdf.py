"""An invoice as a PDF, laid out from the API's document: the same invoice is the same bytes.

It takes fpdf2, which `client` needs for nothing else.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TextEmphasis, XPos, YPos
from fpdf.fonts import FontFace

from client.money import money
from client.usage import Adjustment, CutOffs, Invoice, InvoiceLine

ISSUER = "Zama Jobs API (fictional)"
ITEMS: Mapping[str, str] = MappingProxyType(
    {
        "monthly_fee": "Monthly fee",
        "minimum": "Difference to the plan's monthly minimum",
        "job.accepted": "Jobs accepted",
        "compute.used": "Compute",
        "payload.stored": "Inputs and results stored",
        "job.confirmed": "Confirmations, recorded one by one",
        "job.confirmed_compact": "Confirmations, recorded by the batch",
        "job.waived": "Not charged: failed by us, or never begun",
    }
)
"""What a line's item is called; one that a later version has keeps its name."""
DRAFT = "DRAFT. The month is not closed: this is what it comes to by now, it will change, and nobody owes it."
RECOMPUTED = (
    "An amount is quantity times unit price, the subtotal the sum of the amounts, the total that and the "
    "tax; all of it is exact, nothing is rounded. What is due is the total with those of the adjustments. "
    "The same usage and the same two moments give the same invoice, whenever it is computed."
)
HEADS = ("Item", "Plan", "Prices of", "Tier", "Quantity", "Unit", "Unit price", "Amount")
# Fractions of the page's width; the numbers' columns hold fifteen digits in one line.
WIDTHS = (46, 18, 20, 9, 23, 17, 22, 25)
ALIGNED = ("LEFT", "LEFT", "LEFT", "RIGHT", "RIGHT", "LEFT", "RIGHT", "RIGHT")
FONT, SIZE, LARGE, SMALL, LINE = "helvetica", 9, 16, 7.5, 5
LABEL = 30
"""Millimetres for the names of the facts."""


class _Paper(FPDF):
    """A4 with the invoice's number on each page. The text is in Latin-1, which the built-in fonts hold."""

    def __init__(self, name: str, *, made_at: datetime) -> None:
        super().__init__(format="A4")
        self._name = name
        # Nothing of this run, and no compression, which differs by the library's version.
        self.set_creation_date(made_at)
        self.set_producer("fpdf2")
        self.set_compression(False)
        self.set_title(_latin(name))
        self.set_author(ISSUER)
        self.set_lang("en")
        self.set_auto_page_break(True, margin=18)
        self.set_margin(16)
        self.add_page()
        self.set_font(FONT, size=SIZE)

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font(FONT, size=SMALL)
        self.cell(0, LINE, _latin(f"{self._name}, page {self.page_no()} of {{nb}}"), align="R")

    def write_line(self, text: str, *, size: float = SIZE, style: TextEmphasis = TextEmphasis.NONE) -> None:
        """The text, on as many lines as it takes."""
        self.set_font(FONT, style.style, size)
        self.multi_cell(0, size / 2 + 0.5, _latin(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
        self.set_font(FONT, size=SIZE)

    def facts(self, facts: Mapping[str, str]) -> None:
        """A line each."""
        self.ln(2)
        for label, value in facts.items():
            self.cell(LABEL, LINE, _latin(label))
            self.cell(0, LINE, _latin(value), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(2)


def pdf_of(invoice: Invoice) -> bytes:
    """The invoice with its adjustments."""
    name = invoice.number or invoice.period
    is_draft = invoice.status == "draft"
    paper = _Paper(name, made_at=invoice.cut_offs.ingestion_time)
    paper.write_line("DRAFT invoice" if is_draft else "Invoice", size=LARGE, style=TextEmphasis.B)
    paper.write_line(f"{ISSUER}. This service is fictional; nobody pays for it.")
    if is_draft:
        paper.ln(2)
        paper.write_line(DRAFT, style=TextEmphasis.B)
    paper.facts(_facts(invoice) | _moments(invoice.cut_offs))
    _bill(paper, invoice, invoice.currency)
    for adjustment in invoice.adjustments:
        paper.ln(5)
        paper.write_line(f"Adjustment {adjustment.number}", size=11, style=TextEmphasis.B)
        paper.write_line(f"Adjusts {adjustment.adjusts}: the difference to what was billed before.")
        paper.facts(_moments(adjustment.cut_offs))
        _bill(paper, adjustment, invoice.currency)
    paper.ln(5)
    paper.write_line(_due(invoice, is_draft=is_draft), size=13, style=TextEmphasis.B)
    paper.ln(5)
    paper.write_line("How to recompute it", style=TextEmphasis.B)
    paper.write_line(RECOMPUTED, size=SMALL)
    return bytes(paper.output())


def _facts(invoice: Invoice) -> dict[str, str]:
    facts = {
        "Customer": invoice.tenant_id,
        "Number": invoice.number,
        "Period": f"{invoice.period} (calendar month, UTC)",
        "Status": invoice.status,
        "Currency": invoice.currency,
    }
    return {label: value for label, value in facts.items() if value is not None}


def _moments(cut_offs: CutOffs) -> dict[str, str]:
    moments = {"Usage until": cut_offs.event_time, "Taken in until": cut_offs.ingestion_time}
    return {
        label: moment.isoformat(sep=" ", timespec="milliseconds").replace("+00:00", " UTC")
        for label, moment in moments.items()
    }


def _bill(paper: _Paper, bill: Invoice | Adjustment, currency: str) -> None:
    with paper.table(
        [HEADS, *map(_row, bill.lines)],
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        col_widths=WIDTHS,
        headings_style=FontFace(emphasis="BOLD"),
        line_height=LINE,
        text_align=ALIGNED,
        v_align="TOP",
    ):
        pass
    for label, micros in _sums(bill, currency):
        paper.cell(
            0, LINE, _latin(f"{label}: {money(micros)}"), align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )


def _row(line: InvoiceLine) -> Sequence[str]:
    cells = (
        f"{ITEMS[line.item]} ({line.item})" if line.item in ITEMS else line.item,
        line.plan,
        line.price_version,
        "" if line.tier is None else str(line.tier),
        f"{line.quantity:,}",
        line.unit,
        money(line.unit_price_micros),
        money(line.amount_micros),
    )
    return tuple(map(_latin, cells))


def _sums(bill: Invoice | Adjustment, currency: str) -> Sequence[tuple[str, int]]:
    no_tax = " (no tax is computed)" if bill.tax_micros == 0 else ""
    credit = " (a credit)" if bill.total_micros < 0 else ""
    sums = (
        ("Subtotal", bill.subtotal_micros),
        (f"Tax{no_tax}", bill.tax_micros),
        (f"Total, {currency}{credit}", bill.total_micros),
    )
    return [(label, micros) for label, micros in sums if micros is not None]


def _due(invoice: Invoice, *, is_draft: bool) -> str:
    due = invoice.total_micros if invoice.due_micros is None else invoice.due_micros
    label = "Credit to you" if due < 0 else "So far" if is_draft else "Amount due"
    return f"{label}: {invoice.currency} {money(abs(due))}"


def _latin(text: str) -> str:
    return text.encode("latin-1", errors="replace").decode("latin-1")
