"""A refusal says which limit it is, how much it allows and has left, and when it resets."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.memory_uploads import MemoryUploads
from chalicelib.adapters.memory_usage import MemoryUsage
from chalicelib.domain.entitlements import Plan
from chalicelib.domain.errors import DomainError
from chalicelib.domain.limits import Limit, LimitName, refusal
from chalicelib.domain.payload import UploadedInput
from chalicelib.domain.prices import Meter, PriceBook, PriceVersion
from chalicelib.domain.usage import EntitlementCounts
from tests.unit.billing import TICK, plan_prices
from tests.unit.submits import post
from tests.unit.test_payloads import uploaded
from tests.unit.world import ACME, START, World

PLAN = Plan(name="pro", jobs_per_month=500, active_jobs=7, spend_cap_micros=1_500_000, currency="USD")
NOW = datetime(2026, 11, 30, 23, 59, 30, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def refused(
    now: datetime, *, needed_micros: int = 0, admitted: int = 0, active: int = 0
) -> DomainError | None:
    """What becomes of a submit, with so much of each limit used."""
    counts = EntitlementCounts(jobs_admitted=admitted, active_jobs=active, spent_micros=1_400_001)
    return refusal(PLAN, counts, needed_micros=needed_micros, now=now)


def refusals(now: datetime) -> list[DomainError]:
    """Those that a month's end resolves."""
    found = [refused(now, admitted=500), refused(now, needed_micros=99_999_999)]
    return [each for each in found if each is not None]


def test_there_is_no_refusal_when_the_last_of_everything_is_left() -> None:
    assert refused(NOW, admitted=499, active=6, needed_micros=99_999) is None
    assert refused(NOW, admitted=499, active=6, needed_micros=100_000) is not None


def test_each_refusal_names_its_limit_in_facts_and_in_words() -> None:
    active = refused(NOW, active=7)
    quota, spend = refusals(NOW)
    assert [each.facts["limit"] for each in (active, quota, spend)] == [
        Limit(name=LimitName.ACTIVE_JOBS, allowed=7, used=7),
        Limit(name=LimitName.JOBS_PER_MONTH, allowed=500, used=500, resets_at=DECEMBER),
        Limit(
            name=LimitName.SPEND_CAP,
            allowed=1_500_000,
            used=1_400_001,
            needed=99_999_999,
            resets_at=DECEMBER,
        ),
    ]
    assert "pro allows 7 active jobs at once, and 7 are" in active.detail
    assert "pro allows 500 jobs a month, until 2026-12-01T00:00:00Z, and 500 were accepted" in quota.detail
    for words in ("until 2026-12-01T00:00:00Z, at 1.50 USD.", "1.400001 are spent", "could cost 99.999999"):
        assert words in spend.detail


@pytest.mark.parametrize(
    ("before", "seconds"),
    [
        (TICK, 1),
        (timedelta(seconds=1), 1),
        (timedelta(seconds=1) + TICK, 2),
        (timedelta(seconds=30), 30),
        (timedelta(days=30), 30 * 86_400),
    ],
)
def test_the_wait_ends_with_the_month_and_not_a_second_later(before: timedelta, seconds: int) -> None:
    assert [each.facts["retry_after"] for each in refusals(DECEMBER - before)] == [seconds] * 2


@given(st.datetimes(datetime(2000, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC)))
def test_who_waits_as_long_as_told_comes_in_another_month(now: datetime) -> None:
    for each in refusals(now):
        wait = each.facts["retry_after"]
        assert type(wait) is int
        then = now + timedelta(seconds=wait)
        assert (then.year, then.month) != (now.year, now.month)
        assert then - each.facts["limit"].resets_at < timedelta(seconds=1)


@given(st.integers(0, 9), st.integers(0, 501), st.integers(0, 10**6))
def test_there_is_room_exactly_when_one_more_exceeds_no_limit(
    active: int, admitted: int, needed_micros: int
) -> None:
    found = refused(NOW, admitted=admitted, active=active, needed_micros=needed_micros)
    fits = active < 7 and admitted < 500 and 1_400_001 + needed_micros <= 1_500_000
    assert (found is None) is fits
    if found is not None:
        limit = found.facts["limit"]
        assert limit.used + limit.needed > limit.allowed


PRICE = 7
PRICES = PriceBook(
    currency="USD",
    versions=(
        PriceVersion(
            name="v",
            applies_from=START.date(),
            plans={"test": plan_prices(0, {Meter.JOB_ACCEPTED: PRICE})},
        ),
    ),
)
ROOMY = Plan(name="test", jobs_per_month=100, active_jobs=100, spend_cap_micros=100 * PRICE, currency="USD")
LIMITED: dict[str, tuple[dict[str, int], int]] = {
    "active_jobs": ({"active_jobs": 2}, 429),
    "jobs_per_month": ({"jobs_per_month": 2}, 429),
    "spend_cap_micros": ({"spend_cap_micros": 3 * PRICE - 1}, 402),
}


@pytest.mark.parametrize("name", LIMITED)
def test_the_answer_says_which_limit_how_much_and_when_to_come_again(name: str) -> None:
    limits, status = LIMITED[name]
    world = World(prices=PRICES, plan=replace(ROOMY, **limits))
    accepted = [post(world, key) for key in ("k1", "k2")]
    before = MemoryUsage(world.jobs).counts(ACME, period="2026-11")
    refusal = post(world, "k3")
    problem = json.loads(refusal.body)
    assert ([answer.status for answer in accepted], refusal.status) == ([202, 202], status)
    cost = PRICE if status == 402 else 1
    limit = problem["limit"]
    assert (limit["name"], limit["allowed"]) == (name, str(limits[name]))
    assert (limit["used"], limit["needed"]) == (str(2 * cost), str(cost))
    assert int(refusal.headers["Retry-After"]) >= 1
    if name == "active_jobs":
        assert limit.get("resets_at") is None
    else:
        assert limit["resets_at"] == "2026-12-01T00:00:00.000Z"
        wait = timedelta(seconds=int(refusal.headers["Retry-After"]))
        assert world.clock.now() + wait == datetime(2026, 12, 1, tzinfo=UTC)
    # Neither the refusal nor a replay of what was accepted costs anything.
    assert [post(world, key).body for key in ("k1", "k2")] == [answer.body for answer in accepted]
    assert MemoryUsage(world.jobs).counts(ACME, period="2026-11") == before
    assert len(world.jobs.events()) == 2


@pytest.mark.parametrize("name", ["jobs_per_month", "spend_cap_micros"])
def test_a_job_is_admitted_when_the_wait_that_was_told_is_over(name: str) -> None:
    limits, _ = LIMITED[name]
    world = World(prices=PRICES, plan=replace(ROOMY, **limits))
    for key in ("k1", "k2"):
        post(world, key)
    wait = int(post(world, "k3").headers["Retry-After"])
    world.clock.advance(timedelta(seconds=wait) - TICK)
    assert post(world, "k3").status == LIMITED[name][1]
    world.clock.advance(TICK)
    assert post(world, "k3").status == 202


@pytest.mark.parametrize("name", LIMITED)
def test_no_copy_of_an_upload_is_kept_when_its_submit_is_refused(name: str) -> None:
    limits, _ = LIMITED[name]
    world = World(prices=PRICES, plan=replace(ROOMY, **limits))
    for key in ("k1", "k2"):
        post(world, key)
    before = MemoryUsage(world.jobs).counts(ACME, period="2026-11")
    upload_id = uploaded(world, b"{}")
    with pytest.raises(DomainError) as refused:
        world.submit("k3", upload=upload_id)
    assert refused.value.facts["limit"].name == name
    assert world.uploads.kept(ACME, upload_id) is None
    assert MemoryUsage(world.jobs).counts(ACME, period="2026-11") == before


@pytest.mark.parametrize("name", LIMITED)
def test_the_twin_of_an_accepted_submit_is_its_replay_when_both_found_no_copy_of_their_upload(
    name: str,
) -> None:
    class Twins(MemoryUploads):
        """Whoever has looked for a copy is overtaken once."""

        overtake: Callable[[], object] = staticmethod(lambda: None)

        def kept(self, tenant_id: str, upload_id: str) -> UploadedInput | None:
            found = super().kept(tenant_id, upload_id)
            overtake, self.overtake = self.overtake, lambda: None
            overtake()
            return found

    limits, _ = LIMITED[name]
    uploads = Twins()
    world = World(prices=PRICES, plan=replace(ROOMY, **limits), uploads=uploads)
    post(world, "k1")
    upload_id = uploaded(world, b"{}")
    uploads.overtake = lambda: world.submit("k2", upload=upload_id)
    assert world.submit("k2", upload=upload_id).is_replay
