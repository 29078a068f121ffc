"""`reconcile`: a month's jobs against everything that is made of them, and counted beside them."""

from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.admin.commands.periods import month_of
from chalicelib.admin.commands.printing import AsJson, answer, notice, table
from chalicelib.admin.commands.stack import connected_with_chain
from chalicelib.domain.entitlements import period_of
from chalicelib.domain.month import Month
from chalicelib.domain.prices import amount

if TYPE_CHECKING:
    from chalicelib.use_cases.reconciliation.report import Difference, Report

DRIFT_STATUS = 1
ZERO_DRIFT = "zero drift"
UNCHECKED = "not checked: whether each record of the chain is of a job, for that all tenants are looked at"


def reconcile(
    period: Annotated[
        Month | None,
        typer.Argument(metavar="PERIOD", parser=month_of, help="The month (UTC), as 2026-11; else this one."),
    ] = None,
    *,
    tenant: Annotated[str | None, typer.Option(metavar="NAME", help="One tenant; else all are.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare a month's jobs with all that is made of them. The status is 0 if nothing differs."""
    stack = connected_with_chain()
    only = stack.tenants.named(tenant) if tenant else None
    month = period or Month.named(period_of(stack.adapters.clock.now()))
    report = stack.reconcile(month, only=only, tell=notice)
    answer(_document(report), _text(report), as_json=as_json)
    if report.differences:
        raise typer.Exit(DRIFT_STATUS)


def _text(report: "Report") -> str:
    rows = [(figure.value, str(count)) for figure, count in report.compared]
    parts = [table((f"COMPARED IN {report.month.name}", "COUNT"), rows, empty=""), _margin(report)]
    if report.only:
        parts.append(UNCHECKED)
    parts += [_line(each) for each in report.differences] or [ZERO_DRIFT]
    return "\n".join(parts)


def _margin(report: "Report") -> str:
    return (
        f"confirmations earned {amount(report.earned_micros)} {report.currency}, their gas cost "
        f"{amount(report.gas_cost_micros)}: the margin is {amount(report.margin_micros)}"
    )


def _line(difference: "Difference") -> str:
    evidence = f" ({difference.evidence})" if difference.evidence else ""
    return (
        f"{difference.kind}: {difference.tenant}: {difference.where}: expected {difference.expected}, "
        f"found {difference.found}{evidence}"
    )


def _document(report: "Report") -> dict[str, object]:
    return {
        "period": report.month.name,
        "tenant_id": report.only.tenant_id if report.only else None,
        "compared": {figure.name.lower(): count for figure, count in report.compared},
        "confirmations": {
            "currency": report.currency,
            "earned_micros": str(report.earned_micros),
            "gas_cost_micros": str(report.gas_cost_micros),
            "margin_micros": str(report.margin_micros),
        },
        "zero_drift": not report.differences,
        "differences": [
            {
                "kind": each.kind.value,
                "tenant": each.tenant,
                "where": each.where,
                "expected": each.expected,
                "found": each.found,
                "evidence": each.evidence,
            }
            for each in report.differences
        ],
        "not_checked": [UNCHECKED] if report.only else [],
    }
