"""`usage …`: the events that are billed, out of a stack and into one."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.admin.commands.periods import Period
from chalicelib.admin.commands.printing import AsJson, answer, notice
from chalicelib.admin.commands.stack import connected
from chalicelib.domain.audit import Outcome
from chalicelib.domain.entitlements import period_of
from chalicelib.domain.errors import Refused
from chalicelib.domain.metering import ContradictoryEvents, UsageEvent
from chalicelib.domain.month import Month

if TYPE_CHECKING:
    from chalicelib.admin.usage_lines import Read
    from chalicelib.admin.wiring import Administration

FAILED_STATUS = 1
app = typer.Typer(no_args_is_help=True, help="Export usage events, and take in those that were lost.")
_LOG = logging.getLogger(__name__)


@app.command()
def export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The tenant's name.")], period: Period
) -> None:
    """Print a tenant's usage events of a month, each a line of JSON (CloudEvents 1.0), by day and id."""
    from chalicelib.admin.usage_lines import line_of

    stack, count = connected(), 0
    tenant = stack.tenants.named(name)
    for day in period.days:
        for event in stack.adapters.usage.events(tenant.tenant_id, day):
            typer.echo(line_of(event))
            count += 1
    notice(f"{count} events of {tenant.name} in {period.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What became of a line; without an outcome it was refused, and if it contradicts, it has the two."""

    line: int
    event: UsageEvent | None = None
    outcome: Outcome | None = None
    reason: str = ""
    contents: tuple[UsageEvent, ...] = ()


@app.command()
def ingest(
    file: Annotated[typer.FileBinaryRead, typer.Argument(metavar="FILE", help="As `export` has it; or -.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Take in usage events that were lost, as far as their jobs bear them out.

    A line that is no such event is refused, and the status is 1; all others are taken in. One whose id is
    known with another content is an alarm too. Again: what was taken in is known.
    """
    from chalicelib.admin.usage_lines import read_lines

    stack = connected()
    done = [_take_in(stack, read) for read in read_lines(file)]
    refused = [each for each in done if each.outcome is None]
    adjusted = _issued(stack, done)
    document = {
        "new": _count(done, Outcome.CHANGED),
        "known": _count(done, Outcome.UNCHANGED),
        "refused": [_document(each) for each in refused],
        "to_adjust": [{"tenant_id": tenant_id, "period": month.name} for tenant_id, month in adjusted],
    }
    lines = [
        *(f"line {each.line}: {each.reason}" for each in refused),
        *(
            f"{month.name} of {tenant_id} is issued: "
            f"`invoices close {month.name}` adjusts it, from a minute on"
            for tenant_id, month in adjusted
        ),
        f"{document['new']} new, {document['known']} known, {len(refused)} refused",
    ]
    answer(document, "\n".join(lines), as_json=as_json)
    if refused:
        raise typer.Exit(FAILED_STATUS)


def _take_in(stack: "Administration", read: "Read") -> _Done:
    if isinstance(read.found, str):
        return _Done(line=read.line, reason=read.found)
    try:
        outcome = stack.ingest_usage(read.found, actor=stack.actor)
    except Refused as refused:
        return _Done(line=read.line, reason=str(refused))
    except ContradictoryEvents as contradiction:
        return _contradicted(read.line, contradiction)
    return _Done(line=read.line, event=read.found, outcome=outcome)


def _contradicted(line: int, contradiction: ContradictoryEvents) -> _Done:
    from chalicelib.admin.usage_lines import line_of

    known, sent = contradiction.known, contradiction.other
    _LOG.critical("usage event contradicted: known as %s, sent as %s", line_of(known), line_of(sent))
    names = [each.name for each in fields(UsageEvent) if each.compare]
    contents = [(name, getattr(known, name), getattr(sent, name)) for name in names]
    differ = ", ".join(f"{name} {was} and not {is_now}" for name, was, is_now in contents if was != is_now)
    reason = f"{sent.event_id} is known with another content: {differ}"
    return _Done(line=line, reason=reason, contents=(known, sent))


def _issued(stack: "Administration", done: Iterable[_Done]) -> list[tuple[str, Month]]:
    """The tenants' months of which the invoice is issued already, without what is new now."""
    months = {
        (each.event.ref.tenant_id, period_of(each.event.time))
        for each in done
        if each.event and each.outcome is Outcome.CHANGED
    }
    found = ((tenant_id, Month.named(period)) for tenant_id, period in sorted(months))
    return [each for each in found if stack.adapters.invoices.issued(*each)]


def _count(done: Iterable[_Done], outcome: Outcome) -> int:
    return sum(each.outcome is outcome for each in done)


def _document(refused: _Done) -> dict[str, object]:
    from chalicelib.adapters.cloud_events import cloud_event

    contents = dict(zip(("known", "sent"), map(cloud_event, refused.contents), strict=False))
    return {"line": refused.line, "reason": refused.reason, **contents}
