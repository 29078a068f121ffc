"""The catalogue as a table of Markdown, which DESIGN.md shows between `<!-- problems -->` and its end."""

from collections.abc import Mapping
from itertools import groupby

from chalicelib.web.problem import Problem


def problems_table(catalogue: Mapping[str, Problem]) -> str:
    """A row a status: its codes, those in italics that may pass when sent again, and the gateway's own."""
    rows = (
        f"| {status} | {', '.join(map(_told, problems))} |"
        for status, problems in groupby(sorted(catalogue.values(), key=_status), key=_status)
    )
    return "\n".join(("| status | codes |", "|---|---|", *rows))


def _status(row: Problem) -> int:
    return row.status


def _told(row: Problem) -> str:
    code = f"{row.code}†" if row.gateway else row.code
    return f"*{code}*" if row.retryable else code
