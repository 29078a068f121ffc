"""The bucket's specification: what is admitted when, and the bound that holds whatever happens."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.gateway.token_bucket import (
    STEP_BACK_SECONDS,
    Bucket,
    Decision,
    Limit,
    seconds_until,
    take,
)
from tests.gateway.specification import cites

ADMITTED, DENIED = Decision.ADMITTED, Decision.DENIED
YEAR = 365 * 86_400


def decisions(limit: Limit, moments: list[float]) -> list[Decision]:
    """One request at each moment."""
    bucket: Bucket | None = None
    found = []
    for now in moments:
        bucket, decision = take(bucket, limit, cost=1, now=now)
        found.append(decision)
    return found


@cites("throttle.burst", "throttle.rate", "throttle.clock-back")
@pytest.mark.parametrize(
    ("rate", "burst", "moments", "expected"),
    [
        # a bucket nobody used is full, and is empty after its burst
        (1.0, 3, [0, 0, 0, 0], [ADMITTED, ADMITTED, ADMITTED, DENIED]),
        # it refills at the rate, continuously
        (2.0, 1, [0, 0.49, 0.5], [ADMITTED, DENIED, ADMITTED]),
        (10.0, 1, [1_795_410_000.0, 1_795_410_000.1], [ADMITTED, ADMITTED]),
        # a fraction of a token is kept, and a denied request spends nothing
        (1.0, 1, [0, 0.4, 0.8, 1.0], [ADMITTED, DENIED, DENIED, ADMITTED]),
        # it never holds more than the burst
        (1.0, 2, [0, 0, 1000, 1000, 1000], [ADMITTED, ADMITTED, ADMITTED, ADMITTED, DENIED]),
        # slow rates: one token in ten seconds, earned in three parts
        (0.1, 1, [0, 3.3, 6.7, 10.0], [ADMITTED, DENIED, DENIED, ADMITTED]),
        # a limit of 0/0 rejects everything, a rate of 0 everything after the burst
        (0.0, 0, [0, 1000], [DENIED, DENIED]),
        (0.0, 1, [0, 1000], [ADMITTED, DENIED]),
        # a clock that steps back refills nothing, and what it goes through again is not earned twice
        (1.0, 1, [10, 5, 10, 11], [ADMITTED, DENIED, DENIED, ADMITTED]),
        # one that was a year ahead is not waited for: the refill goes on from where it is set
        (1.0, 1, [YEAR, 10, 11, 11], [ADMITTED, DENIED, ADMITTED, DENIED]),
        # one that jumps a year ahead finds a full bucket, and no more
        (1.0, 2, [0, 0, YEAR, YEAR, YEAR], [ADMITTED, ADMITTED, ADMITTED, ADMITTED, DENIED]),
    ],
)
def test_requests_are_admitted_as_the_table_says(
    rate: float, burst: int, moments: list[float], expected: list[Decision]
) -> None:
    assert decisions(Limit(rate, burst), moments) == expected


@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        (Limit(1.0, 1), [ADMITTED, DENIED]),  # a smaller bucket loses what no longer fits
        (Limit(1.0, 10), [ADMITTED, ADMITTED, ADMITTED, DENIED]),  # a larger one gains nothing at once
        (Limit(0.0, 0), [DENIED]),
    ],
)
def test_the_edited_limit_holds_at_once_when_a_bucket_is_in_use(
    edited: Limit, expected: list[Decision]
) -> None:
    bucket, _ = take(None, Limit(1.0, 4), cost=1, now=0.0)
    found = []
    for _ in expected:
        bucket, decision = take(bucket, edited, cost=1, now=0.0)
        found.append(decision)
    assert found == expected


seconds = st.integers(0, 5_000_000).map(lambda microseconds: microseconds / 1_000_000)
limits = st.builds(
    Limit, rate=st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0, 7.3, 100.0]), burst=st.integers(0, 20)
)


@cites("throttle.burst", "throttle.rate")
@given(limits, st.lists(seconds, max_size=60))
def test_no_interval_admits_more_than_rate_times_t_plus_burst(limit: Limit, gaps: list[float]) -> None:
    moments, now = [], Fraction(0)
    for gap in gaps:
        now += Fraction(round(gap * 1_000_000), 1_000_000)
        moments.append(now)
    found = decisions(limit, [float(each) for each in moments])
    admitted = [moment for moment, decision in zip(moments, found, strict=True) if decision is ADMITTED]
    rate = Fraction(round(limit.rate * 1_000_000), 1_000_000)
    for first, start in enumerate(admitted):
        for last, end in enumerate(admitted[first:], start=first):
            assert last - first + 1 <= rate * (end - start) + limit.burst


@given(limits, st.lists(st.integers(-5_000_000, 5_000_000), max_size=12))
def test_a_clock_that_steps_back_admits_no_more_than_one_that_waited(limit: Limit, steps: list[int]) -> None:
    moments, highest, now = [], [], 0
    for step in steps:
        now += step
        moments.append(now / 1_000_000)
        highest.append(max(0, *(round(each * 1_000_000) for each in moments)) / 1_000_000)
    assert max(highest, default=0) - min(moments, default=0) <= STEP_BACK_SECONDS
    start = [0.0]  # both begin at the same moment
    assert decisions(limit, start + moments) == decisions(limit, start + highest)


@given(limits, st.lists(st.integers(-3 * YEAR, 3 * YEAR), max_size=60))
def test_no_more_is_admitted_than_the_time_gone_forward_earns_wherever_the_clock_is_set(
    limit: Limit, steps: list[int]
) -> None:
    moments = [sum(steps[: index + 1]) for index in range(len(steps))]
    gone_forward = sum(max(0, step) for step in steps[1:])
    rate = Fraction(round(limit.rate * 1_000_000), 1_000_000)
    admitted = decisions(limit, [float(each) for each in moments]).count(ADMITTED)
    assert admitted <= rate * gone_forward + limit.burst


@given(limits, st.lists(seconds, max_size=20))
def test_a_request_passes_when_the_seconds_it_was_told_to_wait_are_over_and_not_a_microsecond_before(
    limit: Limit, gaps: list[float]
) -> None:
    bucket, now = None, 0.0
    for gap in gaps:
        now = round(now + gap, 6)
        bucket, decision = take(bucket, limit, cost=1, now=now)
        wait = seconds_until(bucket, limit, 1, now=now)
        if decision is DENIED and math.isfinite(wait):
            assert take(bucket, limit, cost=1, now=round(now + wait, 6))[1] is ADMITTED
            assert take(bucket, limit, cost=1, now=round(now + wait - 1e-6, 6))[1] is DENIED
        if decision is DENIED and math.isinf(wait):
            assert take(bucket, limit, cost=1, now=now + YEAR)[1] is DENIED


@given(limits, seconds)
def test_a_look_takes_nothing(limit: Limit, gap: float) -> None:
    used, _ = take(None, limit, cost=1, now=0.0)
    looked, _ = take(used, limit, cost=0, now=gap)
    assert take(looked, limit, cost=1, now=5.0) == take(used, limit, cost=1, now=5.0)


@given(limits, st.lists(seconds, max_size=40))
def test_decisions_equal_those_of_an_exact_model(limit: Limit, gaps: list[float]) -> None:
    tokens, now, model, moments = Fraction(limit.burst), 0, [], []
    rate = Fraction(round(limit.rate * 1_000_000), 1_000_000)
    for index, gap in enumerate(gaps):
        elapsed = round(gap * 1_000_000)
        now += elapsed
        moments.append(now / 1_000_000)
        if index > 0:
            tokens = min(Fraction(limit.burst), tokens + rate * elapsed / 1_000_000)
        model.append(ADMITTED if tokens >= 1 else DENIED)
        tokens -= 1 if tokens >= 1 else 0
    assert decisions(limit, moments) == model
