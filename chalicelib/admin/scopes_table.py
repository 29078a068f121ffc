"""The scopes as a table of Markdown, which DESIGN.md shows between `<!-- scopes -->` and its end."""

from collections.abc import Mapping

from chalicelib.domain.access_token import SCOPES
from chalicelib.domain.errors import InsufficientScope
from chalicelib.web.operations import Operation
from chalicelib.web.problems import CATALOGUE


def scopes_table(operations: Mapping[str, Operation]) -> str:
    """A row a scope: the operations that need it, and what whoever has it not is told."""
    refusal = CATALOGUE[InsufficientScope.code]
    told = f"{refusal.status} `{refusal.code}`, `scope="
    rows = (f'| {scope} | {_needing(scope, operations)} | {told}"{scope}"` |' for scope in SCOPES)
    return "\n".join(("| scope | operations | refused with |", "|---|---|---|", *rows))


def _needing(scope: str, operations: Mapping[str, Operation]) -> str:
    return ", ".join(each.id for each in operations.values() if each.scope == scope)
