"""Months, moments and tenants' ids as they are written on a command line."""

import re
from datetime import UTC, datetime
from typing import Annotated

import typer

from chalicelib.domain.month import Month

# As an invoice has it: `chalicelib.web.schemas.invoices.TenantId`.
_TENANT_ID = re.compile(r"[A-Za-z0-9_-]{1,48}")


def month_of(text: str) -> Month:
    """The month of a name such as 2026-11."""
    try:
        return Month.named(text)
    except ValueError as error:
        raise typer.BadParameter("a month is written as 2026-11") from error


def moment_of(text: str) -> datetime:
    """The moment of an RFC 3339 time, as an invoice has its cut-offs."""
    try:
        moment = datetime.fromisoformat(text)
        in_utc = moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):  # the latter past the year 9999 in UTC
        in_utc = None
    if in_utc is None:
        raise typer.BadParameter("a moment is written as 2026-12-04T00:00:00Z")
    return in_utc


def tenant_id_of(text: str) -> str:
    """The id, which an invoice has in its number."""
    if not _TENANT_ID.fullmatch(text):
        raise typer.BadParameter("this is no tenant's id: it has up to 48 letters, digits, - and _")
    return text


Period = Annotated[
    Month, typer.Argument(metavar="PERIOD", parser=month_of, help="The month (UTC), as 2026-11.")
]
LastClosed = Annotated[
    Month | None,
    typer.Argument(
        metavar="PERIOD", parser=month_of, help="The month (UTC), as 2026-11; the last closed if left out."
    ),
]
