"""An invoice is a function of its events: their order and repetition change nothing, and its lines add up."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.invoice import MINIMUM, MONTHLY_FEE, Invoice, InvoiceStatus, Line, Statement
from chalicelib.domain.metering import ContradictoryEvents, UsageEvent
from chalicelib.domain.month import CutOffs, Month
from chalicelib.domain.prices import Meter
from chalicelib.web.schemas.invoices import invoice_view
from tests.unit.billing import (
    EVENTS,
    FREE,
    MOMENTS,
    MOST,
    NEW,
    NOVEMBER,
    OLD,
    PRICES,
    TENANT,
    TICK,
    amounts,
    event,
    invoice,
)

FEES = (MONTHLY_FEE, MINIMUM)


def wire(made: Invoice) -> bytes:
    """As its tenant gets it."""
    return invoice_view(Statement(invoice=made, status=InvoiceStatus.ISSUED)).to_bytes()


def usage_lines(made: Invoice) -> list[Line]:
    return [line for line in made.lines if line.rate.item not in FEES]


@given(EVENTS)
def test_the_total_is_the_sum_of_the_lines_and_no_unit_is_lost_whatever_was_used(
    events: list[UsageEvent],
) -> None:
    made = invoice(events)
    billed = [each for each in events if NOVEMBER.start <= each.time < NOVEMBER.end]
    assert made.total_micros == sum(line.quantity * line.rate.unit_price_micros for line in made.lines)
    assert (made.subtotal_micros, made.tax_micros) == (made.total_micros, 0)
    for meter in Meter:
        units = sum(line.quantity for line in made.lines if line.rate.item == meter)
        assert units == sum(each.quantity for each in billed if each.meter is meter)
    assert len({line.rate for line in made.lines}) == len(made.lines)
    assert all(type(number) is int for line in made.lines for number in (line.quantity, line.amount_micros))


@given(EVENTS)
def test_a_month_comes_to_its_plans_minimum_at_least_and_to_no_more_by_it(events: list[UsageEvent]) -> None:
    made = invoice(events)
    accepted = [
        each
        for each in events
        if each.meter is Meter.JOB_ACCEPTED and NOVEMBER.start <= each.time < NOVEMBER.end
    ]
    added = amounts(made.lines).get(MINIMUM, 0)
    assert added >= 0
    if not accepted:
        assert {line.rate.item for line in made.lines}.isdisjoint(FEES)
        return
    last = max(accepted, key=lambda each: (each.time, each.event_id))
    minimum = PRICES.of_plan(last.plan, version=last.price_version).minimum_micros
    assert made.subtotal_micros >= minimum
    if added:
        assert made.subtotal_micros == minimum


@given(EVENTS, st.data())
def test_the_bytes_are_the_same_when_events_are_shuffled_and_tripled(
    events: list[UsageEvent], data: st.DataObject
) -> None:
    shuffled = invoice(data.draw(st.permutations(events * 3)))
    assert shuffled == invoice(events)
    assert wire(shuffled) == wire(invoice(events))


@given(EVENTS, st.data())
def test_the_first_time_counts_when_an_event_was_taken_in_twice(
    events: list[UsageEvent], data: st.DataObject
) -> None:
    cut_offs = CutOffs.of_invoice(NOVEMBER)
    later = [replace(each, late_at=each.ingested_at + timedelta(days=40)) for each in events]
    mixed = data.draw(st.permutations(events + later))
    assert wire(invoice(mixed, cut_offs=cut_offs)) == wire(invoice(events, cut_offs=cut_offs))


@given(EVENTS, MOMENTS)
def test_only_what_was_known_is_billed_when_it_is_drawn_up_within_the_month(
    events: list[UsageEvent], now: object
) -> None:
    cut_offs = CutOffs.of_draft(NOVEMBER, now=now)
    known = [each for each in events if each.time <= now and each.ingested_at <= now]
    assert invoice(events, cut_offs=cut_offs) == invoice(known, cut_offs=cut_offs)


@given(EVENTS)
def test_every_event_is_in_exactly_one_month(events: list[UsageEvent]) -> None:
    months = [Month.named(name) for name in ("2026-10", "2026-11", "2026-12")]
    units = [line.quantity for month in months for line in usage_lines(invoice(events, month=month))]
    assert sum(units) == sum(each.quantity for each in events)


def test_the_invoice_is_refused_when_one_id_has_two_contents() -> None:
    with pytest.raises(ContradictoryEvents, match=r"job_1:job\.accepted"):
        invoice([event(), event(2), event(quantity=2)])


def test_each_plan_and_price_version_has_a_line_when_they_change_within_the_month() -> None:
    before, after = event(1), event(2, plan=FREE, time=NOVEMBER.start + timedelta(days=1))
    repriced = event(3, price_version=NEW, time=NOVEMBER.start + timedelta(days=15))
    made = invoice([repriced, before, after])
    assert [(line.rate.plan, line.rate.price_version, line.amount_micros) for line in usage_lines(made)] == [
        ("free", OLD, 0),
        ("pro", OLD, 2_000),
        ("pro", NEW, 3_000),
    ]


def test_the_fee_is_of_the_plan_of_the_last_job_when_the_plan_changes() -> None:
    first, last = event(1, plan=FREE), event(2, time=NOVEMBER.end - TICK)
    fee, *_ = invoice([last, first]).lines
    assert (fee.rate.item, fee.rate.plan, fee.quantity) == (MONTHLY_FEE, "pro", 1)
    assert fee.amount_micros == 49_000_000
    other = [replace(last, plan=FREE), replace(first, plan="pro")]
    assert invoice(other).lines[0].amount_micros == 0


def test_an_empty_month_has_no_lines_and_comes_to_nothing() -> None:
    made = invoice([])
    assert (made.lines, made.total_micros, made.number) == ((), 0, f"{TENANT}-2026-11")
    assert b'"lines":[]' in wire(made)


def test_no_fee_is_due_when_no_job_was_accepted_in_the_month() -> None:
    confirmed = event(meter=Meter.JOB_CONFIRMED)
    assert [line.rate.item for line in invoice([confirmed]).lines] == ["job.confirmed"]


def test_a_month_is_owed_to_the_tenant_when_all_it_has_is_a_waiver() -> None:
    accepted = event(time=NOVEMBER.start - TICK)
    made = invoice([accepted, event(meter=Meter.JOB_WAIVED)])
    assert ([line.rate.item for line in made.lines], made.total_micros) == (["job.waived"], -2_000)
    october = invoice([accepted, event(meter=Meter.JOB_WAIVED)], month=Month.named("2026-10"))
    assert amounts(october.lines)["job.accepted"] + made.total_micros == 0
    assert b'"total_micros":"-2000"' in wire(made)


def test_what_is_missing_to_the_minimum_is_a_line_when_little_was_used() -> None:
    made = invoice([event(plan=MOST, price_version=NEW)])
    assert amounts(made.lines) == {MONTHLY_FEE: 10_000, "job.accepted": 3_000, MINIMUM: 87_000}
    enough = event(2, Meter.JOB_CONFIRMED, plan=MOST, price_version=NEW, quantity=100)
    assert MINIMUM not in amounts(invoice([event(plan=MOST, price_version=NEW), enough]).lines)


def test_the_cut_offs_are_in_the_invoice_so_that_anyone_can_recompute_it() -> None:
    cut_offs = CutOffs.of_invoice(NOVEMBER)
    assert invoice([event()], cut_offs=cut_offs).cut_offs == cut_offs
    assert b'"ingestion_time":"2026-12-04T00:00:00.000Z"' in wire(invoice([event()], cut_offs=cut_offs))
