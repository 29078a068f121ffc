"""A tally takes each event of its month once, and remembers none of them."""

import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timedelta
from weakref import ref

import pytest

from chalicelib.domain.metering import ContradictoryEvents, UsageEvent
from chalicelib.domain.month import GRACE, CutOffs, Month
from chalicelib.domain.prices import Meter
from chalicelib.domain.tally import Tally, tally
from tests.unit.billing import FREE, NEW, NOVEMBER, OLD, PRO, TENANT, TICK, event

INVOICED = CutOffs.of_invoice(NOVEMBER)
GRACE_ENDS = NOVEMBER.end + GRACE


class Watched(UsageEvent):
    """An event of which one can tell whether anybody still has it."""


def watched(number: int) -> UsageEvent:
    plain = event(number, Meter.COMPUTE_USED if number % 2 else Meter.JOB_ACCEPTED, quantity=number + 1)
    return Watched(**{name: getattr(plain, name) for name in UsageEvent.__dataclass_fields__})


def tallied(*events: UsageEvent, month: Month = NOVEMBER, cut_offs: CutOffs = INVOICED) -> Tally:
    return tally(events, month=month, cut_offs=cut_offs)


def is_counted(each: UsageEvent, *, month: Month = NOVEMBER, cut_offs: CutOffs = INVOICED) -> bool:
    return bool(tallied(each, month=month, cut_offs=cut_offs).quantities)


def test_no_more_than_a_few_events_live_at_once_however_many_there_are() -> None:
    alive: list[ref[UsageEvent]] = []
    most = 0

    def stream() -> Iterator[UsageEvent]:
        nonlocal most, alive
        for number in range(5_000):
            made = watched(number)
            alive = [each for each in alive if each() is not None]
            most = max(most, len(alive))
            alive.append(ref(made))
            yield made
            del made

    found = tally(stream(), month=NOVEMBER, cut_offs=INVOICED)
    assert sum(found.quantities.values()) == sum(range(1, 5_001))
    # The one before, which the next is compared with; the last job accepted; one that the loop still names.
    assert 1 <= most <= 3


def peak_bytes(count: int) -> int:
    """The most memory that a tally of so many events takes."""
    template = event()
    events = (
        UsageEvent(
            ref=template.ref,
            meter=meter,
            time=NOVEMBER.start + timedelta(seconds=number),
            quantity=number,
            unit="job",
            plan=PRO,
            price_version=OLD,
            outcome=template.outcome,
        )
        for number in range(1, count // 2 + 1)
        for meter in (Meter.COMPUTE_USED, Meter.PAYLOAD_STORED)  # no id is its neighbour's
    )
    tracemalloc.start()
    try:
        tally(events, month=NOVEMBER, cut_offs=INVOICED)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_when_there_are_ten_times_as_many_events() -> None:
    few, many = peak_bytes(10_000), peak_bytes(100_000)
    assert many <= few + 4_096


@pytest.mark.parametrize(
    ("time", "late_at", "counts"),
    [
        (NOVEMBER.start - TICK, None, False),
        (NOVEMBER.start, None, True),
        (NOVEMBER.end - TICK, None, True),
        (NOVEMBER.end, None, False),
        (NOVEMBER.start, GRACE_ENDS, True),
        (NOVEMBER.start, GRACE_ENDS + TICK, False),
        (NOVEMBER.end, GRACE_ENDS, False),
    ],
)
def test_an_event_counts_when_it_happened_in_the_month_and_was_taken_in_by_the_cut_off(
    time: datetime, late_at: datetime | None, counts: object
) -> None:
    assert is_counted(event(time=time, late_at=late_at)) is counts


def test_a_draft_has_what_there_is_by_its_moment() -> None:
    now = NOVEMBER.start + timedelta(days=3)
    draft = CutOffs.of_draft(NOVEMBER, now=now)
    assert [is_counted(event(time=now + by), cut_offs=draft) for by in (0 * TICK, TICK)] == [True, False]
    after = CutOffs.of_draft(NOVEMBER, now=GRACE_ENDS + timedelta(days=400))
    assert after == INVOICED


@pytest.mark.parametrize(
    ("name", "last_day"), [("2028-02", 29), ("2027-02", 28), ("2026-12", 31), ("2100-02", 28)]
)
def test_a_month_ends_with_its_last_microsecond(name: str, last_day: int) -> None:
    month = Month.named(name)
    cut_offs = CutOffs.of_invoice(month)
    assert month.days[-1].day == last_day == len(month.days)
    last, first = event(time=month.end - TICK), event(time=month.end)
    assert is_counted(last, month=month, cut_offs=cut_offs)
    assert not is_counted(first, month=month, cut_offs=cut_offs)
    following = Month(month.end)
    assert is_counted(first, month=following, cut_offs=CutOffs.of_invoice(following))
    assert last.time.date() == month.days[-1]


def test_an_event_counts_once_when_it_comes_again_right_after_itself() -> None:
    once, other = event(1), event(2)
    assert tallied(once, once, once, other).quantities == tallied(once, other).quantities


@pytest.mark.parametrize(
    "other",
    [
        event(quantity=2),
        event(time=NOVEMBER.end),
        event(plan=FREE),
        event(price_version=NEW),
        event(tenant=f"{TENANT}x"),
    ],
)
def test_a_tally_is_refused_when_one_id_has_two_contents(other: UsageEvent) -> None:
    with pytest.raises(ContradictoryEvents, match=r"job_1:job\.accepted"):
        tallied(event(), other)


def test_the_last_acceptance_is_remembered_when_two_are_of_one_moment() -> None:
    for events in ((event(1, plan=FREE), event(2)), (event(2), event(1, plan=FREE))):
        assert tallied(*events).last_accepted == event(2)


def test_no_acceptance_is_remembered_when_no_job_was_accepted_in_the_month() -> None:
    before, within = event(time=NOVEMBER.start - TICK), event(2, Meter.JOB_CONFIRMED)
    assert tallied(before, within).last_accepted is None
