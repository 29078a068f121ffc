"""`jobs job-types` and `jobs usage`: what there is, and what was used."""

import json
import shlex
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from client.cli.screen import table
from client.cli.session import AsJson, Stack, Tenant, session
from client.money import money
from client.usage import Entitlements, JobType, Usage


def day(text: str) -> date:
    """The day.

    >>> day("2026-11-23")
    datetime.date(2026, 11, 23)
    """
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise typer.BadParameter("Give a day, such as 2026-11-23.") from None


def job_types(
    context: typer.Context, *, stack: Stack = None, tenant: Tenant = None, as_json: AsJson = False
) -> None:
    """List what can be submitted, each with an example; --json has the inputs' schemas."""
    with session(context, stack, tenant, as_json=as_json) as now:
        found = now.client.job_types()
        now.screen.answer(found.document, "\n\n".join(map(_job_type, found.data)))


def usage(
    context: typer.Context,
    *,
    first: Annotated[
        date | None, typer.Option("--from", parser=day, metavar="DAY", help="The first day (UTC).")
    ] = None,
    last: Annotated[
        date | None, typer.Option("--to", parser=day, metavar="DAY", help="The last day, included.")
    ] = None,
    stack: Stack = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Show what was used, by default this month, and what is left of the plan."""
    with session(context, stack, tenant, as_json=as_json) as now:
        found = now.client.usage(first, last)
        now.screen.answer(found.document, _usage(found))


def _job_type(job_type: JobType) -> str:
    version = f" (version {job_type.version})" if job_type.version is not None else ""
    lines = [f"{job_type.name}{version}: {job_type.title}"]
    if not job_type.available:
        lines.append("  not available on this service")
    if job_type.compute_unit:
        lines.append(f"  a compute unit is {job_type.compute_unit}")
    if job_type.example is not None:
        example = shlex.quote(json.dumps(job_type.example, ensure_ascii=False))
        lines.append(f"  jobs submit {job_type.name} --input {example}")
    return "\n".join(lines)


def _usage(found: Usage) -> str:
    rows = [(each.meter, f"{each.total:,}", each.unit) for each in found.meters]
    return "\n".join(
        [
            f"{found.first} to {found.last} (UTC)",
            table(("METER", "TOTAL", "UNIT"), rows),
            _left(found.entitlements),
        ]
    )


def _left(plan: Entitlements) -> str:
    spend = (
        f"{money(plan.spend_micros)} of {money(plan.spend_cap_micros)} {plan.currency} spent or reserved; "
        if plan.spend_micros is not None and plan.spend_cap_micros is not None
        else ""
    )
    return (
        f"plan {plan.plan}: {plan.jobs_admitted:,} of {plan.jobs_per_month:,} jobs admitted in "
        f"{plan.period}, {plan.active_jobs:,} of {plan.active_jobs_limit:,} active; "
        f"{spend}resets {plan.resets_at:%Y-%m-%d}"
    )
