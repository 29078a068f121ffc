"""The quota's specification: windows of the UTC calendar, and what is left in them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.gateway.quota import (
    Consumption,
    DayUsage,
    History,
    Period,
    Quota,
    current,
    day_of,
    set_remaining,
    spend,
    window_end,
    window_of,
    window_start,
)
from emulation.gateway.token_bucket import Decision
from tests.gateway.specification import cites

ADMITTED, DENIED = Decision.ADMITTED, Decision.DENIED
DAY, WEEK, MONTH = Period.DAY, Period.WEEK, Period.MONTH


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@cites("quota.day", "quota.week", "quota.month", "quota.offset")
@pytest.mark.parametrize(
    ("period", "offset", "now", "start"),
    [
        (DAY, 0, "2026-11-22T23:59:59.999", "2026-11-22"),  # DAY starts at 00:00 UTC
        (DAY, 0, "2026-11-23T00:00:00", "2026-11-23"),
        (WEEK, 0, "2026-11-23T05:00:00", "2026-11-22"),  # our choice: a WEEK starts on a Sunday
        (WEEK, 0, "2026-11-21T05:00:00", "2026-11-15"),
        (WEEK, 1, "2026-11-22T05:00:00", "2026-11-16"),  # our choice: an offset is the day it starts
        (WEEK, 6, "2026-11-23T05:00:00", "2026-11-21"),
        (MONTH, 0, "2026-11-30T23:59:59", "2026-11-01"),  # MONTH starts on the 1st
        (MONTH, 0, "2026-12-01T00:00:00", "2026-12-01"),
        (MONTH, 27, "2026-03-27T00:00:00", "2026-02-28"),
        (MONTH, 27, "2026-03-28T00:00:00", "2026-03-28"),
        (MONTH, 14, "2026-01-01T00:00:00", "2025-12-15"),
    ],
)
def test_windows_start_as_the_table_says(period: Period, offset: int, now: str, start: str) -> None:
    day = day_of(moment(now))
    assert window_start(Quota(1, period, offset), day) == date.fromisoformat(start)


def decisions(*requests: tuple[Quota, date]) -> list[Decision]:
    """What a request on each of the days is told, under the quota that the plan has by then."""
    state: Consumption | None = None
    history = History()
    found = []
    for quota, day in requests:
        state, decision = spend(current(state, quota, day, history), 1)
        if decision is ADMITTED:
            history.days[state.day] = DayUsage(history.used_on(state.day) + 1, state.remaining)
        found.append(decision)
    return found


MONDAY = date(2026, 11, 23)
YEAR = timedelta(days=365)
TUESDAY, SUNDAY, NEXT_SUNDAY = (MONDAY + timedelta(days=days) for days in (1, -1, 6))


@cites("quota.clock-back")
@pytest.mark.parametrize(
    ("quota", "days", "expected"),
    [
        (Quota(2, DAY), [MONDAY] * 3, [ADMITTED, ADMITTED, DENIED]),
        (Quota(1, DAY), [MONDAY, MONDAY, TUESDAY, TUESDAY], [ADMITTED, DENIED, ADMITTED, DENIED]),
        (Quota(1, WEEK), [SUNDAY, MONDAY, NEXT_SUNDAY], [ADMITTED, DENIED, ADMITTED]),
        (Quota(1, MONTH), [MONDAY, NEXT_SUNDAY, date(2026, 12, 1)], [ADMITTED, DENIED, ADMITTED]),
        (Quota(0, DAY), [MONDAY], [DENIED]),
        # a clock that steps back hands out no quota twice: each window has its own, and only its own
        (Quota(1, DAY), [TUESDAY, MONDAY, TUESDAY, MONDAY], [ADMITTED, ADMITTED, DENIED, DENIED]),
        (Quota(1, MONTH), [TUESDAY, MONDAY], [ADMITTED, DENIED]),
        # one that was a year ahead locks nobody out
        (Quota(1, DAY), [MONDAY + YEAR, MONDAY, TUESDAY], [ADMITTED, ADMITTED, ADMITTED]),
    ],
)
def test_requests_are_counted_as_the_table_says(
    quota: Quota, days: list[date], expected: list[Decision]
) -> None:
    assert decisions(*((quota, day) for day in days)) == expected


@cites("quota.edited-counts")
@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        # a period edited, and edited back
        (
            [(Quota(1, MONTH), MONDAY), (Quota(1, DAY), MONDAY), (Quota(1, MONTH), MONDAY)],
            [ADMITTED, DENIED, DENIED],
        ),
        # a month sums up its days, those under a daily quota too
        (
            [(Quota(1, DAY), MONDAY), (Quota(2, MONTH), TUESDAY), (Quota(2, MONTH), TUESDAY)],
            [ADMITTED, ADMITTED, DENIED],
        ),
        # an offset moves the window that is under way, forth and back
        (
            [(Quota(1, MONTH), SUNDAY), (Quota(1, MONTH, 22), MONDAY), (Quota(2, MONTH), MONDAY)],
            [ADMITTED, ADMITTED, DENIED],
        ),
        # a smaller limit, and a larger one
        (
            [(Quota(2, DAY), MONDAY), (Quota(1, DAY), MONDAY), (Quota(2, DAY), MONDAY)],
            [ADMITTED, DENIED, ADMITTED],
        ),
    ],
)
def test_what_was_used_is_not_handed_out_again_when_the_quota_is_edited(
    requests: list[tuple[Quota, date]], expected: list[Decision]
) -> None:
    assert decisions(*requests) == expected


def test_what_remains_is_what_was_set_when_it_is_above_the_limit() -> None:
    state, _ = spend(current(None, Quota(2, DAY), MONDAY, History()), 1)
    state = set_remaining(state, 10)
    assert (state.used, state.remaining) == (1, 10)


def test_the_grant_is_its_windows_alone() -> None:
    daily, monthly = Quota(2, DAY), Quota(2, MONTH)
    history = History(granted={window_of(daily, MONDAY): 8})
    quotas_on = [(daily, MONDAY), (monthly, MONDAY), (daily, TUESDAY), (daily, MONDAY)]
    assert [current(None, *each, history).remaining for each in quotas_on] == [10, 2, 2, 10]


days = st.lists(st.integers(0, 400).map(lambda each: date(2026, 1, 1) + timedelta(days=each)), max_size=80)
quotas = st.one_of(
    st.builds(Quota, limit=st.integers(0, 5), period=st.just(DAY)),
    st.builds(Quota, limit=st.integers(0, 5), period=st.just(WEEK), offset=st.integers(0, 6)),
    st.builds(Quota, limit=st.integers(0, 5), period=st.just(MONTH), offset=st.integers(0, 27)),
)


@given(quotas, days)
def test_no_window_admits_more_than_the_limit_whatever_the_clock_does(quota: Quota, days: list[date]) -> None:
    admitted: dict[date, int] = {}
    for day, decision in zip(days, decisions(*((quota, day) for day in days)), strict=True):
        if decision is ADMITTED:
            start = window_start(quota, day)
            admitted[start] = admitted.get(start, 0) + 1
    assert all(count <= quota.limit for count in admitted.values())


@given(quotas, days)
def test_decisions_equal_a_count_a_window_when_time_only_goes_forward(quota: Quota, days: list[date]) -> None:
    counts: dict[date, int] = {}
    expected = []
    for day in sorted(days):
        start = window_start(quota, day)
        expected.append(ADMITTED if counts.get(start, 0) < quota.limit else DENIED)
        counts[start] = counts.get(start, 0) + (expected[-1] is ADMITTED)
    assert decisions(*((quota, day) for day in sorted(days))) == expected


@given(quotas, days)
def test_every_window_admits_up_to_the_limit_whatever_the_clock_does(quota: Quota, days: list[date]) -> None:
    found = decisions(*((quota, day) for day in days))
    for day, decision in zip(days, found, strict=True):
        start = window_start(quota, day)
        asked = sum(window_start(quota, each) == start for each in days)
        if decision is DENIED:
            assert asked > quota.limit


@given(quotas, st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_window_holds_the_day_it_was_asked_for_and_starts_with_itself(quota: Quota, day: date) -> None:
    start = window_start(quota, day)
    assert start <= day < window_end(quota, day)
    assert window_start(quota, start) == start
    assert window_start(quota, window_end(quota, day)) == window_end(quota, day)
