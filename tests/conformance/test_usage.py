"""The `Usage` port reads what `Jobs` has committed, in memory and in the real store."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from chalicelib.adapters.dynamodb_jobs import DynamoDbJobs
from chalicelib.adapters.dynamodb_usage import DynamoDbUsage
from chalicelib.adapters.memory import MemoryJobs
from chalicelib.adapters.memory_usage import MemoryUsage
from chalicelib.domain import job as domain
from chalicelib.domain.entitlements import period_of
from chalicelib.domain.job import Job
from chalicelib.domain.lease import lease
from chalicelib.domain.metering import UsageEvent, events_of
from chalicelib.domain.usage import EntitlementCounts
from chalicelib.ports import Change, Jobs, Usage
from tests.conformance.admissions import IDS, admission
from tests.conformance.real_ports import make_resources, tables
from tests.unit.world import PRICES, START

MIDNIGHT = datetime(2026, 12, 1, tzinfo=START.tzinfo)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where jobs are written, and their usage is read."""

    jobs: Jobs
    usage: Usage

    def admit(self, tenant: str, *, now: datetime = START) -> Job:
        wanted = admission(tenant, IDS.new_id("key_"), now=now)
        self.jobs.admit(wanted, now=now)
        return wanted.job


@pytest.fixture(params=["memory", "real"])
def ports(request: pytest.FixtureRequest) -> Ports:
    if request.param == "memory":
        jobs = MemoryJobs()
        return Ports(jobs, MemoryUsage(jobs))
    endpoint = request.getfixturevalue("aws_endpoint")
    make_resources(endpoint)
    return Ports(DynamoDbJobs(tables(endpoint)), DynamoDbUsage(tables(endpoint)))


@pytest.fixture
def tenant() -> str:
    return IDS.new_id("ten_")


def confirm(ports: Ports, job: Job, *, now: datetime, **changes: object) -> UsageEvent:
    """The job succeeds, with the event of it."""
    confirmation = domain.Confirmation(
        chain_id=31337, registry="0xaa", job_key="0x1", transaction_hash="0x2", block_number=7, gas_used=2**60
    )
    result = domain.Result(storage_key="k", sha256="ab", salt="0x01", commitment="0x02")
    ran = domain.finish(lease(job, now=now), now=now, result=result)
    after = domain.succeed(ran, now=now, confirmation=confirmation)
    [confirmed] = events_of(after, PRICES)
    event = replace(confirmed, **changes)
    ports.jobs.save([Change(job, after, (event,))])
    return event


def test_every_field_of_an_event_reads_back_when_it_was_committed(ports: Ports, tenant: str) -> None:
    job = ports.admit(tenant)
    confirmed = confirm(ports, job, now=START + timedelta(microseconds=1), quantity=2**70)
    found = {event.event_id: event for event in ports.usage.events(tenant, START.date())}
    assert found == {event.event_id: event for event in (*events_of(job, PRICES), confirmed)}
    assert confirmed.plan == job.plan == "test"


def test_an_event_is_found_on_its_own_day_when_days_meet(ports: Ports, tenant: str) -> None:
    job = ports.admit(tenant, now=MIDNIGHT - timedelta(microseconds=1))
    confirm(ports, job, now=MIDNIGHT)
    days = [MIDNIGHT.date() + timedelta(days=n) for n in (-2, -1, 0, 1)]
    found = [[event.meter for event in ports.usage.events(tenant, day)] for day in days]
    assert found == [[], ["job.accepted"], ["job.confirmed"], []]


def test_no_event_is_missed_when_a_day_has_more_than_one_page(ports: Ports, tenant: str) -> None:
    """The real store answers with a megabyte at once."""
    jobs = [ports.admit(tenant) for _ in range(3)]
    for job in jobs:
        confirm(ports, job, now=START, unit="x" * 380_000)
    assert len(ports.usage.events(tenant, START.date())) == 2 * len(jobs)


def test_nothing_of_another_tenant_is_read_when_it_has_used_something(ports: Ports, tenant: str) -> None:
    ports.admit(IDS.new_id("ten_"))
    ports.admit(f"{tenant}#2026-11-23")
    assert ports.usage.events(tenant, START.date()) == []
    assert ports.usage.counts(tenant, period=period_of(START)) == EntitlementCounts(
        jobs_admitted=0, active_jobs=0
    )


def test_what_was_admitted_stays_counted_when_a_job_has_ended(ports: Ports, tenant: str) -> None:
    ended, *_ = [ports.admit(tenant) for _ in range(3)]
    ports.jobs.save([Change(ended, domain.cancel(ended, now=START))])
    assert ports.usage.counts(tenant, period="2026-11") == EntitlementCounts(jobs_admitted=3, active_jobs=2)
    ports.admit(tenant, now=MIDNIGHT)
    assert ports.usage.counts(tenant, period="2026-12") == EntitlementCounts(jobs_admitted=1, active_jobs=3)
