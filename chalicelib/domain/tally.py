"""What a month's events add up to: all that an invoice needs of them, in memory that does not grow."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.metering import ContradictoryEvents, UsageEvent
from chalicelib.domain.month import CutOffs, Month
from chalicelib.domain.prices import Meter


@dataclass(frozen=True, slots=True)
class Group:
    """What is priced alike."""

    meter: Meter
    plan: str
    price_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The units of each group, and the event by which the month's last job was accepted, if there is one."""

    quantities: Mapping[Group, int]
    last_accepted: UsageEvent | None


def tally(events: Iterable[UsageEvent], *, month: Month, cut_offs: CutOffs) -> Tally:
    """Adds up those events of the month that are within both cut-offs, each once.

    An event may come again right after itself, as in any sequence that is sorted by id: `distinct` sorts, and
    a store in which an event's id is its key does so by itself. Raises `ContradictoryEvents`.
    """
    first, end = month.start, month.end
    # By the bare values of a `Group`, of which hashing one costs as much as all the rest.
    quantities: Counter[tuple[Meter, str, str]] = Counter()
    last: UsageEvent | None = None
    for event in _once(events):
        if not first <= event.time < end or not cut_offs.include(event):
            continue
        quantities[event.meter, event.plan, event.price_version] += event.quantity
        if event.meter is Meter.JOB_ACCEPTED and (last is None or _age(event) > _age(last)):
            last = event
    groups = {Group(*values): quantity for values, quantity in quantities.items()}
    return Tally(quantities=groups, last_accepted=last)


def _once(events: Iterable[UsageEvent]) -> Iterator[UsageEvent]:
    before, known = None, ""
    for event in events:
        event_id = event.event_id
        if before is None or event_id != known:
            yield event
        elif event != before:
            raise ContradictoryEvents(before, event)
        before, known = event, event_id


def _age(event: UsageEvent) -> tuple[datetime, str]:
    return event.time, event.event_id
