"""Entitlements are exact: as many are admitted as a plan allows, whoever submits at once, and none more."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.adapters.dynamodb_jobs import DynamoDbJobs
from chalicelib.adapters.dynamodb_usage import DynamoDbUsage
from chalicelib.adapters.memory import MemoryJobs
from chalicelib.adapters.memory_usage import MemoryUsage
from chalicelib.domain import job as domain
from chalicelib.domain.entitlements import Plan, period_of
from chalicelib.domain.errors import ActiveJobsExceeded, DomainError, JobQuotaExceeded, SpendCapExceeded
from chalicelib.domain.job import Job
from chalicelib.domain.limits import Limit, LimitName
from chalicelib.domain.metering import events_of
from chalicelib.domain.prices import Meter
from chalicelib.domain.usage import EntitlementCounts
from chalicelib.ports import Change, Jobs, Usage
from chalicelib.use_cases.closing import JOBS_A_CLOSE
from tests.conformance.admissions import IDS, admission
from tests.conformance.real_ports import make_resources, tables
from tests.unit.world import PRICES, START

SUBMITS = 64
COST = 700
ROOMY = Plan(name="test", jobs_per_month=10**6, active_jobs=10**6, spend_cap_micros=10**12, currency="USD")
DECEMBER = datetime(2026, 12, 1, tzinfo=START.tzinfo)
LAST = DECEMBER - timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a tenant's jobs are admitted, and counted."""

    jobs: Jobs
    usage: Usage
    tenant: str

    def admit(self, plan: Plan = ROOMY, *, key: str = "", cost: int = COST, now: datetime = START) -> Job:
        wanted = admission(self.tenant, key or IDS.new_id("key_"), plan=plan, now=now)
        job = replace(wanted.job, reserved_micros=cost)
        self.jobs.admit(replace(wanted, job=job), now=now)
        return job

    def end(self, job: Job, *, released: int = 0, now: datetime = START) -> None:
        self.jobs.save([Change(job, domain.cancel(job, now=now), (), released)])

    def counts(self, now: datetime = START) -> EntitlementCounts:
        return self.usage.counts(self.tenant, period=period_of(now))


@pytest.fixture(params=["memory", "real"])
def ports(request: pytest.FixtureRequest) -> Ports:
    tenant = IDS.new_id("ten_")
    if request.param == "memory":
        jobs = MemoryJobs()
        return Ports(jobs, MemoryUsage(jobs), tenant)
    endpoint = request.getfixturevalue("aws_endpoint")
    make_resources(endpoint)
    return Ports(DynamoDbJobs(tables(endpoint)), DynamoDbUsage(tables(endpoint)), tenant)


def refused(submit: Callable[[], object]) -> DomainError | None:
    """The refusal, if it is one."""
    try:
        submit()
    except (ActiveJobsExceeded, JobQuotaExceeded, SpendCapExceeded) as refusal:
        return refusal
    return None


def counted(jobs: int, *, micros: int | None = None, active: int | None = None) -> EntitlementCounts:
    return EntitlementCounts(
        jobs_admitted=jobs,
        active_jobs=jobs if active is None else active,
        spent_micros=jobs * COST if micros is None else micros,
    )


# The plan, what the refusal is, and its limit; five are admitted by each.
LIMITS: dict[str, tuple[dict[str, int], type[DomainError], Limit]] = {
    "active jobs": (
        {"active_jobs": 5},
        ActiveJobsExceeded,
        Limit(name=LimitName.ACTIVE_JOBS, allowed=5, used=5),
    ),
    "jobs a month": (
        {"jobs_per_month": 5},
        JobQuotaExceeded,
        Limit(name=LimitName.JOBS_PER_MONTH, allowed=5, used=5, resets_at=DECEMBER),
    ),
    "spend cap": (
        {"spend_cap_micros": 6 * COST - 1},
        SpendCapExceeded,
        Limit(
            name=LimitName.SPEND_CAP,
            allowed=6 * COST - 1,
            used=5 * COST,
            needed=COST,
            resets_at=DECEMBER,
        ),
    ),
}
EACH_LIMIT = pytest.mark.parametrize(("limits", "kind", "limit"), LIMITS.values(), ids=LIMITS)


@EACH_LIMIT
def test_exactly_as_many_are_admitted_as_each_limit_allows_when_all_submit_at_once(
    ports: Ports, limits: dict[str, int], kind: type[DomainError], limit: Limit
) -> None:
    plan = replace(ROOMY, **limits)
    all_of_them = threading.Barrier(SUBMITS)

    def submit(_: int) -> DomainError | None:
        all_of_them.wait(timeout=30)
        return refused(lambda: ports.admit(plan))

    with ThreadPoolExecutor(SUBMITS) as pool:
        found = list(pool.map(submit, range(SUBMITS)))
    refusals = [each for each in found if each is not None]
    assert len(refusals) == SUBMITS - 5
    assert {type(each) for each in refusals} == {kind}
    assert {each.facts["limit"] for each in refusals} == {limit}
    assert ports.counts() == counted(5)


@EACH_LIMIT
def test_a_refusal_says_which_limit_how_much_and_until_when(
    ports: Ports, limits: dict[str, int], kind: type[DomainError], limit: Limit
) -> None:
    plan = replace(ROOMY, **limits)
    for _ in range(5):
        ports.admit(plan)
    refusal = refused(lambda: ports.admit(plan))
    assert type(refusal) is kind
    assert refusal.facts["limit"] == limit
    assert "Your plan test" in refusal.detail
    assert ("2026-12-01T00:00:00Z" in refusal.detail) is (limit.resets_at is not None)
    if limit.resets_at:
        assert START + timedelta(seconds=refusal.facts["retry_after"]) == limit.resets_at


@EACH_LIMIT
def test_nothing_is_counted_when_a_submit_is_refused_or_is_a_replay(
    ports: Ports, limits: dict[str, int], kind: type[DomainError], limit: Limit
) -> None:
    """All three counters stay, whichever of them refused, and so do the events."""
    plan = replace(ROOMY, **limits)
    for number in range(5):
        ports.admit(plan, key=f"k{number}")
    events = list(ports.usage.events(ports.tenant, START.date()))
    for number in range(5):
        ports.admit(plan, key=f"k{number}", cost=10**9)
        assert type(refused(lambda: ports.admit(plan))) is kind
    assert ports.counts() == counted(5)
    assert list(ports.usage.events(ports.tenant, START.date())) == events
    assert len(events) == 5


def test_replays_at_once_are_counted_once(ports: Ports) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: ports.admit(key="k"), range(16)))
    assert ports.counts() == counted(1)


@EACH_LIMIT
def test_each_month_has_its_own_count_when_jobs_come_at_its_last_moment_and_the_nexts_first(
    ports: Ports, limits: dict[str, int], kind: type[DomainError], limit: Limit
) -> None:
    plan = replace(ROOMY, **limits)
    for _ in range(5):
        ports.admit(plan, now=LAST)
    refusal = refused(lambda: ports.admit(plan, now=LAST))
    assert type(refusal) is kind
    if kind is ActiveJobsExceeded:  # it is of no month
        assert refused(lambda: ports.admit(plan, now=DECEMBER)) is not None
        assert (ports.counts(LAST), ports.counts(DECEMBER)) == (counted(5), counted(0, active=5))
        return
    assert refusal.facts["retry_after"] == 1
    for _ in range(5):
        ports.admit(plan, now=DECEMBER)
    assert type(refused(lambda: ports.admit(plan, now=DECEMBER))) is kind
    assert (ports.counts(LAST), ports.counts(DECEMBER)) == (counted(5, active=10), counted(5, active=10))


def test_a_job_gives_back_to_the_month_of_its_acceptance_when_it_ends_in_the_next(ports: Ports) -> None:
    plan = replace(ROOMY, spend_cap_micros=COST)
    job = ports.admit(plan, now=LAST)
    ports.admit(plan, now=DECEMBER)
    ports.end(job, released=300, now=DECEMBER)
    assert ports.counts(LAST) == counted(1, micros=COST - 300, active=1)
    assert ports.counts(DECEMBER) == counted(1)
    assert type(refused(lambda: ports.admit(plan, cost=1, now=DECEMBER))) is SpendCapExceeded


def test_there_is_room_again_when_a_job_has_ended_and_cost_less_than_it_could(ports: Ports) -> None:
    plan = replace(ROOMY, spend_cap_micros=2 * COST)
    first = ports.admit(plan)
    ports.admit(plan)
    assert refused(lambda: ports.admit(plan, cost=1)) is not None
    ports.end(first, released=COST - 1)
    assert refused(lambda: ports.admit(plan, cost=COST)) is not None
    ports.admit(plan, cost=COST - 1)
    assert ports.counts() == counted(3, micros=2 * COST, active=2)


def test_the_cap_holds_when_jobs_end_and_others_come_at_once(ports: Ports) -> None:
    """The sum of what is reserved and spent is the sum over the jobs, whatever met."""
    plan = replace(ROOMY, spend_cap_micros=8 * COST)
    before = [ports.admit(plan) for _ in range(8)]
    meeting = threading.Barrier(16)

    def act(number: int) -> DomainError | None:
        meeting.wait(timeout=30)
        if number < 8:
            ports.end(before[number], released=COST)
            return None
        return refused(lambda: ports.admit(plan))

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(act, range(16)))
    came = 8 - sum(each is not None for each in found)
    assert ports.counts() == counted(8 + came, micros=came * COST, active=came)
    assert {each.facts["limit"].name for each in found if each} <= {LimitName.SPEND_CAP}


@pytest.mark.parametrize("already", [0, 1])
def test_a_job_is_refused_when_it_could_cost_more_than_the_whole_cap(ports: Ports, already: int) -> None:
    plan = replace(ROOMY, spend_cap_micros=COST)
    for _ in range(already):
        ports.admit(plan, cost=1)
    refusal = refused(lambda: ports.admit(plan, cost=COST + 1))
    assert type(refusal) is SpendCapExceeded
    assert refusal.facts["limit"] == Limit(
        name=LimitName.SPEND_CAP, allowed=COST, used=already, needed=COST + 1, resets_at=DECEMBER
    )
    assert ports.counts() == counted(already, micros=already)
    ports.admit(plan, cost=COST - already)
    assert ports.counts().spent_micros == COST


def test_a_job_without_a_price_is_admitted_when_nothing_may_be_spent(ports: Ports) -> None:
    plan = replace(ROOMY, spend_cap_micros=0)
    for _ in range(2):
        ports.admit(plan, cost=0)
        assert type(refused(lambda: ports.admit(plan, cost=1))) is SpendCapExceeded
    assert ports.counts() == counted(2, micros=0)


def test_a_large_amount_is_counted_to_the_micro(ports: Ports) -> None:
    plan = replace(ROOMY, spend_cap_micros=10**30)
    job = ports.admit(plan, cost=10**30 - 1)
    assert refused(lambda: ports.admit(plan, cost=2)) is not None
    ports.admit(plan, cost=1)
    ports.end(job, released=10**30 - 2)
    assert ports.counts() == counted(2, micros=2, active=1)


def test_what_ends_together_is_given_back_together(ports: Ports) -> None:
    """One transaction touches a counter once, of however many months the jobs are."""
    jobs = [ports.admit(now=now) for now in (LAST, LAST, DECEMBER)]
    changes: list[Any] = [
        Change(job, domain.cancel(job, now=DECEMBER), (), number) for number, job in enumerate(jobs, start=1)
    ]
    ports.jobs.save(changes)
    assert ports.counts(LAST) == counted(2, micros=2 * COST - 3, active=0)
    assert ports.counts(DECEMBER) == counted(1, micros=COST - 3, active=0)


def test_another_tenants_limits_are_its_own(ports: Ports) -> None:
    plan = replace(ROOMY, jobs_per_month=1)
    ports.admit(plan)
    assert refused(lambda: ports.admit(plan)) is not None
    other = replace(ports, tenant=IDS.new_id("ten_"))
    other.admit(plan)
    assert (ports.counts(), other.counts()) == (counted(1), counted(1))


def test_as_many_as_a_transaction_may_hold_end_together_when_each_is_another_tenants(ports: Ports) -> None:
    """Four actions a job: the row, its event and two counters."""
    tenants = [replace(ports, tenant=IDS.new_id("ten_")) for _ in range(JOBS_A_CLOSE)]
    changes = []
    for each in tenants:
        job = each.admit()
        [accepted] = events_of(job, PRICES)
        event = replace(accepted, meter=Meter.JOB_WAIVED)
        changes.append(Change(job, domain.cancel(job, now=START), (event,), COST))
    ports.jobs.save(changes)
    assert {each.counts() for each in tenants} == {counted(1, micros=0, active=0)}
