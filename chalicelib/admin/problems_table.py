"""The catalogue as a table of Markdown, which DESIGN.md shows between `<!-- problems -->` and its end."""

from collections.abc import Mapping

from chalicelib.web.problem import Problem


def problems_table(catalogue: Mapping[str, Problem]) -> str:
    """A row a problem: its code, its status, whether a retry can help, and who answers with it."""
    rows = (
        f"| `{row.code}` | {row.status} | {'yes' if row.retryable else ''} | {_answered_by(row)} |"
        for row in catalogue.values()
    )
    return "\n".join(("| code | status | retry | by the gateway, as |", "|---|---|---|---|", *rows))


def _answered_by(row: Problem) -> str:
    return ", ".join(row.gateway.types) if row.gateway else ""
