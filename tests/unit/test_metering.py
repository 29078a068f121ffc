"""Usage events: what one is, when two are the same, and what a job's bytes count as."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.job import JobRef, cancel, new_job
from chalicelib.domain.metering import (
    CONFIRMED,
    METERED,
    UNITS,
    ContradictoryEvents,
    Ending,
    UsageEvent,
    distinct,
    kibibytes,
    metered,
)
from chalicelib.domain.prices import Meter
from chalicelib.domain.transaction_id import ConfirmationPath
from tests.unit.billing import EVENTS, PRICES, PRO, event
from tests.unit.world import START


@given(EVENTS, st.data())
def test_the_same_events_are_found_in_whatever_order_and_however_often_they_come(
    events: list[UsageEvent], data: st.DataObject
) -> None:
    found = distinct(data.draw(st.permutations(events + events)))
    assert found == distinct(events)
    assert sorted(each.event_id for each in found) == sorted(each.event_id for each in events)
    assert distinct(found) == found


@given(EVENTS, st.data())
def test_the_earlier_time_of_being_taken_in_is_kept_in_whatever_order_they_come(
    events: list[UsageEvent], data: st.DataObject
) -> None:
    later = [replace(each, late_at=each.ingested_at + timedelta(seconds=1)) for each in events]
    found = distinct(data.draw(st.permutations(events + later)))
    assert {each.event_id: each.ingested_at for each in found} == {
        each.event_id: each.ingested_at for each in events
    }


CHANGES: dict[str, object] = {
    "ref": JobRef("ten_other", "job_1"),
    "time": START,
    "quantity": 2,
    "unit": "byte",
    "plan": "free",
    "price_version": "2026-12",
    "outcome": "failed",
    "gas_used": 1,
    "gas_price_wei": 1,
}


@pytest.mark.parametrize("name", CHANGES)
def test_two_contents_of_one_id_are_a_contradiction_whatever_differs(name: str) -> None:
    other = replace(event(), **{name: CHANGES[name]})
    assert other.event_id == event().event_id
    with pytest.raises(ContradictoryEvents) as found:
        distinct([event(), event(2), other])
    assert event().event_id in str(found.value)


def test_only_when_it_was_taken_in_may_differ_between_two_of_one_event() -> None:
    fields = {*UsageEvent.__dataclass_fields__}
    assert fields - CHANGES.keys() == {"meter", "late_at"}  # a meter is part of the id
    assert event() == event(late_at=START)
    assert event(late_at=START).ingested_at == START
    assert event().ingested_at == event().time


def test_every_meter_has_a_unit_and_is_charged_for_by_some_ending() -> None:
    assert {*UNITS} == {*Meter} == {meter for meters in METERED.values() for meter in meters}
    assert {*METERED} == {*Ending}
    assert {*CONFIRMED} == {*ConfirmationPath}


@given(st.integers(0, 2**60))
def test_kibibytes_are_those_begun(size_bytes: int) -> None:
    assert 0 <= kibibytes(size_bytes) * 1024 - size_bytes < 1024


@pytest.mark.parametrize(("size_bytes", "stored"), [(0, 0), (1, 1), (1024, 1), (1025, 2)])
def test_a_canceled_jobs_input_is_charged_for_unless_it_has_none(size_bytes: int, stored: int) -> None:
    job = new_job(
        JobRef("ten_1", "job_1"),
        job_type="t",
        plan=PRO,
        now=START,
        trace_id="",
        request_id="",
        inline_bytes=size_bytes,
    )
    found = {each.meter: each.quantity for each in metered(cancel(job, now=START), PRICES)}
    assert found == {Meter.JOB_ACCEPTED: 1, **({Meter.PAYLOAD_STORED: stored} if stored else {})}
