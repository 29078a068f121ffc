"""Months, moments and tenants' ids as they are written on a command line."""

import re
from datetime import UTC, datetime
from typing import Annotated

import typer

from chalicelib.domain.month import Month

_MONTH = re.compile(r"2[0-9]{3}-(0[1-9]|1[0-2])")
_TENANT_ID = re.compile(r"ten_[A-Za-z0-9]{1,46}")


def month_of(text: str) -> Month:
    """The month of a name such as 2026-11."""
    if not _MONTH.fullmatch(text):
        raise typer.BadParameter("a month is written as 2026-11")
    return Month.named(text)


def moment_of(text: str) -> datetime:
    """The moment of an RFC 3339 time, as an invoice has its cut-offs."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter("a moment is written as 2026-12-04T00:00:00Z")
    return moment.astimezone(UTC)


def tenant_id_of(text: str) -> str:
    """The id, which an invoice has in its number."""
    if not _TENANT_ID.fullmatch(text):
        raise typer.BadParameter("this is no tenant's id: it is `ten_` and letters and digits")
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
