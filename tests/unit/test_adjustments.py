"""What comes too late is an adjustment: the difference to the invoice that there would have been."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.invoice import (
    MINIMUM,
    MONTHLY_FEE,
    Invoice,
    InvoiceStatus,
    adjustment_of,
    statement_of,
)
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.month import GRACE, SETTLED_AFTER
from chalicelib.domain.prices import Meter
from chalicelib.domain.tax import Tax, no_tax
from chalicelib.use_cases.close_period import Outcome
from chalicelib.web.schemas.invoices import invoice_view
from tests.unit.billing import (
    CLOSES_AT,
    EVENTS,
    MOST,
    NEW,
    NOVEMBER,
    TENANT,
    TICK,
    Office,
    amounts,
    event,
    invoice,
    lines,
)

# When a month is closed, and closed again: any number of times, in a minute or in months.
CLOSES = st.lists(st.integers(0, 60 * 24 * 70), max_size=4).map(
    lambda minutes: [CLOSES_AT + timedelta(minutes=each) for each in sorted(minutes)]
)
# None, and one that is rounded: that of a sum is not the sum of those of its parts.
TAXES: tuple[Tax, ...] = no_tax, lambda subtotal: -(-subtotal * 77 // 1_000)
LONG_AFTER = datetime(2027, 3, 1, tzinfo=CLOSES_AT.tzinfo)


@given(EVENTS, st.sampled_from(TAXES), st.data())
def test_any_split_of_the_events_over_closes_sums_up_to_the_single_close(
    events: list[UsageEvent], tax: Tax, data: st.DataObject
) -> None:
    """Nothing is said of times: what each close knows beyond the one before may be any events at all."""
    closes = data.draw(st.integers(2, 4))
    known_from = [data.draw(st.integers(0, closes - 1)) for _ in events]
    issued: list[Invoice] = []
    for number in range(closes):
        known = [each for each, since in zip(events, known_from, strict=True) if since <= number]
        whole = invoice(known, tax=tax)
        if not issued:
            issued.append(whole)
        elif adjustment := adjustment_of(issued, whole):
            issued.append(adjustment)
    single = invoice(events, tax=tax)
    assert lines(issued) == lines([single])
    assert statement_of(issued).due_micros == single.total_micros
    assert [each.number for each in issued[1:]] == [f"{single.number}-A{n}" for n in range(1, len(issued))]


@given(EVENTS, CLOSES)
def test_the_closes_of_a_month_sum_up_to_the_single_close_whenever_they_are(
    events: list[UsageEvent], moments: Sequence[datetime]
) -> None:
    """Through the use case: an event is in the store from when it was taken in, and not before."""
    office, single = Office(), Office()
    single.take_in(*events)
    for moment in (*moments, LONG_AFTER, LONG_AFTER):
        office.be_at(moment)
        office.take_in(*(each for each in events if each.ingested_at <= moment))
        before = office.issued()
        closed = office.close()
        assert office.issued()[: len(before)] == before
        assert (len(office.issued()) > len(before)) is (closed.outcome in (Outcome.ISSUED, Outcome.ADJUSTED))
    single.be_at(LONG_AFTER)
    single.close()
    single.close()
    assert lines(office.issued()) == lines(single.issued()) == lines([invoice(events)])
    assert sum(each.total_micros for each in office.issued()) == invoice(events).total_micros
    assert office.close().outcome in (Outcome.UNCHANGED, Outcome.EMPTY)


def test_an_event_is_in_the_invoice_when_it_is_late_and_within_the_grace() -> None:
    office = Office()
    office.take_in(event(), event(2, late_at=NOVEMBER.end + GRACE))
    assert office.close().outcome is Outcome.ISSUED
    assert amounts(office.issued()[0].lines)["job.accepted"] == 4_000


def test_each_later_event_is_an_adjustment_that_names_the_invoice_when_the_grace_is_over() -> None:
    office = Office()
    office.take_in(event())
    office.close()
    [issued] = office.issued()
    for number in (1, 2):
        assert office.close().outcome is Outcome.UNCHANGED
        office.take_in(event(1 + number, Meter.JOB_CONFIRMED, late_at=office.clock.now()))
        office.clock.advance(timedelta(days=1))
        closed = office.close()
        assert closed.outcome is Outcome.ADJUSTED
        assert closed.invoice == office.issued()[-1]
        assert amounts(closed.invoice.lines) == {"job.confirmed": 40_000}
        assert closed.invoice.number == f"{issued.number}-A{number}"
    assert office.issued()[0] == issued
    read = office.read(TENANT, NOVEMBER)
    assert (read.status, read.invoice, len(read.adjustments)) == (InvoiceStatus.ADJUSTED, issued, 2)
    view = invoice_view(read)
    assert {each.adjusts for each in view.adjustments} == {issued.number} == {view.number}
    assert view.due_micros == str(49_000_000 + 2_000 + 80_000)


def test_an_event_waits_for_the_next_close_when_it_may_not_be_committed_yet() -> None:
    """Who took it in read the clock a moment before it committed: of two closes, the second has it surely."""
    office = Office()
    office.take_in(event())
    office.close()
    now = CLOSES_AT + timedelta(days=1)
    late = event(2, late_at=now - SETTLED_AFTER + TICK)
    office.take_in(late)
    office.be_at(now)
    assert office.close().outcome is Outcome.UNCHANGED
    office.clock.advance(timedelta(milliseconds=1))  # in which cut-offs are told
    assert office.close().outcome is Outcome.ADJUSTED


def test_fee_and_minimum_are_put_right_when_the_months_last_job_comes_late() -> None:
    office = Office()
    office.take_in(event(plan=MOST, price_version=NEW))
    office.close()
    assert amounts(office.issued()[0].lines)[MINIMUM] == 87_000
    last = event(2, time=NOVEMBER.end - TICK, late_at=CLOSES_AT)
    office.take_in(last)
    office.clock.advance(timedelta(days=1))
    office.close()
    adjustment = office.issued()[1]
    assert amounts(adjustment.lines) == {
        MINIMUM: -87_000,
        MONTHLY_FEE: 49_000_000 - 10_000,
        "job.accepted": 2_000,
    }
    assert {line.quantity for line in adjustment.lines} == {1, -1}
    assert lines(office.issued()) == lines([invoice([event(plan=MOST, price_version=NEW), last])])


def test_units_move_to_their_tier_when_an_older_version_gets_more_of_them() -> None:
    """What is late was counted first: it takes an included unit from one that has been billed as included."""
    office = Office()
    confirmed = event(2, Meter.JOB_CONFIRMED, price_version=NEW, quantity=2)
    office.take_in(event(), confirmed)
    office.close()
    office.take_in(event(3, Meter.JOB_CONFIRMED, late_at=CLOSES_AT))
    office.clock.advance(timedelta(days=1))
    office.close()
    assert {
        (line.rate.price_version, line.rate.tier): line.quantity for line in office.issued()[1].lines
    } == {("2026-11", 1): 1, (NEW, 1): -1, (NEW, 2): 1}


def test_an_invoice_of_nothing_is_adjusted_when_all_of_a_month_comes_too_late() -> None:
    office = Office()
    assert office.close().outcome is Outcome.EMPTY
    office.take_in(event(late_at=CLOSES_AT))
    office.clock.advance(timedelta(days=1))
    assert [office.close().outcome for _ in range(3)] == [
        Outcome.ISSUED,
        Outcome.ADJUSTED,
        Outcome.UNCHANGED,
    ]
    first, second = office.issued()
    assert (first.lines, second.total_micros) == ((), 49_002_000)
