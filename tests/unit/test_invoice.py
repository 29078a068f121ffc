"""An invoice is a function of its events: their order and repetition change nothing, and its lines add up."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.invoice import MONTHLY_FEE, CutOffs, Invoice, Line, Month, draft
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.metering import ContradictoryEvents, UsageEvent
from chalicelib.domain.prices import Meter, PlanPrices, PriceBook, PriceVersion
from chalicelib.web.schemas.invoices import invoice_view

NOVEMBER = Month.named("2026-11")
LATER = datetime(2027, 11, 1, tzinfo=UTC)
VERSIONS = ("2026-11", "2026-12")
PLANS = ("free", "pro")


def version(name: str, *, factor: int) -> PriceVersion:
    prices = {
        "free": PlanPrices(monthly_fee_micros=0, unit_micros=dict.fromkeys(Meter, 0)),
        "pro": PlanPrices(
            monthly_fee_micros=49_000_000 * factor,
            unit_micros={
                Meter.JOB_ACCEPTED: 2_000 * factor,
                Meter.JOB_CONFIRMED: 40_000 * factor,
                Meter.COMPUTE_USED: 100 * factor,
            },
        ),
    }
    return PriceVersion(name=name, applies_from=date.fromisoformat(f"{name}-01"), plans=prices)


PRICES = PriceBook(
    currency="USD", versions=tuple(version(name, factor=n) for n, name in enumerate(VERSIONS, 1))
)


def event(
    job: int = 1,
    meter: Meter = Meter.JOB_ACCEPTED,
    *,
    time: datetime = NOVEMBER.start,
    plan: str = "pro",
    price_version: str = "2026-11",
    quantity: int = 1,
) -> UsageEvent:
    return UsageEvent(
        ref=JobRef("ten_1", f"job_{job}"),
        meter=meter,
        time=time,
        quantity=quantity,
        unit="job",
        plan=plan,
        price_version=price_version,
        outcome=Status.QUEUED,
    )


def invoice(*events: UsageEvent, month: Month = NOVEMBER, now: datetime = LATER) -> Invoice:
    return draft(events, month=month, prices=PRICES, cut_offs=CutOffs.of_draft(month, now=now))


def usage_lines(made: Invoice) -> list[Line]:
    return [line for line in made.lines if line.item != MONTHLY_FEE]


MOMENTS = st.datetimes(datetime(2026, 10, 30), datetime(2026, 12, 2), timezones=st.just(UTC))
EVENTS = st.lists(
    st.builds(
        event,
        st.integers(1, 10**6),
        st.sampled_from(Meter),
        time=MOMENTS,
        plan=st.sampled_from(PLANS),
        price_version=st.sampled_from(VERSIONS),
        quantity=st.integers(1, 2**60),
    ),
    unique_by=lambda made: made.event_id,
    max_size=30,
)


@given(EVENTS)
def test_the_total_is_the_sum_of_the_lines_and_of_the_events_whatever_was_used(
    events: list[UsageEvent],
) -> None:
    made = invoice(*events)
    billed = [each for each in events if NOVEMBER.start <= each.time < NOVEMBER.end]
    prices = [
        each.quantity * PRICES.unit_price_micros(each.plan, each.meter, version=each.price_version)
        for each in billed
    ]
    fees = [line.amount_micros for line in made.lines if line.item == MONTHLY_FEE]
    assert made.total_micros == sum(line.amount_micros for line in made.lines) == sum(prices) + sum(fees)
    assert sum(line.quantity for line in usage_lines(made)) == sum(each.quantity for each in billed)


@given(EVENTS, st.data())
def test_the_bytes_are_the_same_when_events_are_shuffled_and_tripled(
    events: list[UsageEvent], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(events * 3))
    assert invoice_view(invoice(*shuffled)).to_bytes() == invoice_view(invoice(*events)).to_bytes()


@given(EVENTS, MOMENTS)
def test_only_what_was_known_is_billed_when_it_is_drawn_up_within_the_month(
    events: list[UsageEvent], now: datetime
) -> None:
    known = [each for each in events if each.time <= now]
    assert invoice(*events, now=now) == invoice(*known, now=now)


def test_the_invoice_is_refused_when_one_id_has_two_contents() -> None:
    with pytest.raises(ContradictoryEvents, match=r"job_1:job\.accepted"):
        invoice(event(), event(quantity=2))


def test_each_plan_and_price_version_has_a_line_when_they_change_within_the_month() -> None:
    before, after = event(1), event(2, plan="free", time=NOVEMBER.start + timedelta(days=1))
    repriced = event(3, price_version="2026-12", time=NOVEMBER.start + timedelta(days=2))
    made = invoice(before, after, repriced)
    assert [(line.plan, line.price_version, line.amount_micros) for line in usage_lines(made)] == [
        ("free", "2026-11", 0),
        ("pro", "2026-11", 2_000),
        ("pro", "2026-12", 4_000),
    ]


def test_the_fee_is_of_the_plan_of_the_last_job_when_the_plan_changes() -> None:
    first, last = event(1, plan="free"), event(2, time=NOVEMBER.end - timedelta(microseconds=1))
    fee, *_ = invoice(last, first).lines
    assert (fee.item, fee.plan, fee.quantity, fee.amount_micros) == (MONTHLY_FEE, "pro", 1, 49_000_000)
    assert invoice(replace(last, plan="free"), replace(first, plan="pro")).lines[0].amount_micros == 0


def test_no_fee_is_due_when_no_job_was_accepted_in_the_month() -> None:
    assert invoice().lines == ()
    confirmed = event(meter=Meter.JOB_CONFIRMED)
    assert [line.item for line in invoice(confirmed).lines] == ["job.confirmed"]


@pytest.mark.parametrize(
    ("time", "month"),
    [
        (NOVEMBER.start, "2026-11"),
        (NOVEMBER.end - timedelta(microseconds=1), "2026-11"),
        (NOVEMBER.end, "2026-12"),
    ],
)
def test_an_event_is_in_one_month_when_it_happens_at_its_edge(time: datetime, month: str) -> None:
    months = [Month.named(name) for name in ("2026-10", "2026-11", "2026-12")]
    assert [each.name for each in months if invoice(event(time=time), month=each).lines] == [month]


def test_the_invoice_is_the_same_when_it_is_read_a_year_after_the_months_end() -> None:
    assert invoice(event(), now=NOVEMBER.end) == invoice(event(), now=NOVEMBER.end + timedelta(days=365))
