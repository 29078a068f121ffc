"""The `Usage` port reads what `Jobs` has committed, in memory and in the real store."""

import threading
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
from chalicelib.domain.entitlements import period_of
from chalicelib.domain.errors import Superseded
from chalicelib.domain.job import Job
from chalicelib.domain.lease import lease
from chalicelib.domain.metering import ContradictoryEvents, UsageEvent, events_of, metered
from chalicelib.domain.on_chain import Confirmation
from chalicelib.domain.prices import Meter
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
    """The job succeeds, with the event of its confirmation."""
    confirmation = Confirmation(
        chain_id=31337,
        registry="0xaa",
        job_key="0x1",
        transaction_hash="0x2",
        block_number=7,
        gas_used=2**60,
        gas_price_wei=2**70,
    )
    result = domain.Result(storage_key="k", sha256="ab", salt="0x01", commitment="0x02")
    ran = domain.finish(lease(job, now=now), now=now, result=result)
    after = domain.succeed(ran, now=now, confirmation=confirmation)
    [confirmed] = events_of(after, PRICES)
    event = replace(confirmed, **changes)
    ports.jobs.save([Change(job, after, (event,))])
    return event


def stored(ports: Ports, tenant: str) -> dict[str, UsageEvent]:
    return {event.event_id: event for event in ports.usage.events(tenant, START.date())}


def late(job: Job, *, at: datetime = START, **changes: object) -> UsageEvent:
    """An event of the job that was not committed with its fact."""
    [accepted] = events_of(job, PRICES)
    fields: dict[str, Any] = {"meter": Meter.COMPUTE_USED, "unit": "unit", "late_at": at, **changes}
    return replace(accepted, **fields)


def test_every_field_of_an_event_reads_back_when_it_was_committed(ports: Ports, tenant: str) -> None:
    job = ports.admit(tenant)
    confirmed = confirm(ports, job, now=START + timedelta(microseconds=1), quantity=2**70)
    found = stored(ports, tenant)
    assert found == {event.event_id: event for event in (*events_of(job, PRICES), confirmed)}
    assert confirmed.plan == job.plan == "test"
    read = found[confirmed.event_id]
    assert (read.gas_used, read.gas_price_wei, read.late_at) == (2**60, 2**70, None)
    assert read.meter is Meter.JOB_CONFIRMED_COMPACT


def test_what_the_row_bears_out_is_what_was_committed_when_both_are_read_back(
    ports: Ports, tenant: str
) -> None:
    """To the microsecond: else every event would be a contradiction to its own row."""
    moment = START + timedelta(microseconds=123_456)
    job = ports.admit(tenant, now=moment)
    confirm(ports, job, now=moment + timedelta(microseconds=1))
    read = ports.jobs.get(job.ref)
    assert read is not None
    assert {event.event_id: event for event in metered(read, PRICES)} == stored(ports, tenant)


def test_an_event_is_found_on_its_own_day_when_days_meet(ports: Ports, tenant: str) -> None:
    job = ports.admit(tenant, now=MIDNIGHT - timedelta(microseconds=1))
    confirm(ports, job, now=MIDNIGHT)
    days = [MIDNIGHT.date() + timedelta(days=n) for n in (-2, -1, 0, 1)]
    found = [[event.meter for event in ports.usage.events(tenant, day)] for day in days]
    assert found == [[], ["job.accepted"], ["job.confirmed_compact"], []]


def test_no_event_is_missed_and_all_are_in_order_when_a_day_has_more_than_one_page(
    ports: Ports, tenant: str
) -> None:
    """The real store answers with a megabyte at once."""
    jobs = [ports.admit(tenant) for _ in range(3)]
    for job in reversed(jobs):
        confirm(ports, job, now=START, unit="x" * 380_000)
    found = [event.event_id for event in ports.usage.events(tenant, START.date())]
    assert found == sorted(found)
    assert len({*found}) == len(found) == 2 * len(jobs)


def test_nothing_of_another_tenant_is_read_when_it_has_used_something(ports: Ports, tenant: str) -> None:
    ports.admit(IDS.new_id("ten_"))
    ports.admit(f"{tenant}#2026-11-23")
    assert stored(ports, tenant) == {}
    assert ports.usage.counts(tenant, period=period_of(START)) == EntitlementCounts(
        jobs_admitted=0, active_jobs=0
    )


def test_what_was_admitted_stays_counted_when_a_job_has_ended(ports: Ports, tenant: str) -> None:
    ended, *_ = [ports.admit(tenant) for _ in range(3)]
    ports.jobs.save([Change(ended, domain.cancel(ended, now=START))])
    assert ports.usage.counts(tenant, period="2026-11") == EntitlementCounts(jobs_admitted=3, active_jobs=2)
    ports.admit(tenant, now=MIDNIGHT)
    assert ports.usage.counts(tenant, period="2026-12") == EntitlementCounts(jobs_admitted=1, active_jobs=3)


def test_an_event_that_is_late_reads_back_with_when_it_was_taken_in(ports: Ports, tenant: str) -> None:
    at = MIDNIGHT + timedelta(days=40, microseconds=1)
    event = late(ports.admit(tenant), at=at)
    assert ports.usage.take_in(event)
    read = stored(ports, tenant)[event.event_id]
    assert (read, read.late_at, read.ingested_at) == (event, at, at)


def test_what_is_known_stays_when_the_same_event_is_taken_in_again(ports: Ports, tenant: str) -> None:
    job = ports.admit(tenant)
    event = late(job)
    later = replace(event, late_at=MIDNIGHT)
    assert [ports.usage.take_in(each) for each in (event, event, later)] == [True, False, False]
    assert stored(ports, tenant)[event.event_id].late_at == START
    [accepted] = events_of(job, PRICES)
    assert not ports.usage.take_in(replace(accepted, late_at=MIDNIGHT))
    assert stored(ports, tenant)[accepted.event_id].late_at is None


@pytest.mark.parametrize("changes", [{"quantity": 2}, {"plan": "other"}, {"gas_price_wei": 1}])
def test_the_first_content_stays_when_the_same_id_comes_with_another(
    ports: Ports, tenant: str, changes: dict[str, object]
) -> None:
    event = late(ports.admit(tenant))
    ports.usage.take_in(event)
    before = stored(ports, tenant)
    with pytest.raises(ContradictoryEvents, match=event.event_id):
        ports.usage.take_in(replace(event, **changes))
    assert stored(ports, tenant) == before


def test_one_of_two_contents_is_stored_when_they_are_taken_in_at_once(ports: Ports, tenant: str) -> None:
    job = ports.admit(tenant)
    wanted = [late(job, quantity=1 + number % 2) for number in range(16)]
    together = threading.Barrier(len(wanted))

    def take_in(event: UsageEvent) -> bool | None:
        together.wait(timeout=30)
        try:
            return ports.usage.take_in(event)
        except ContradictoryEvents:
            return None

    with ThreadPoolExecutor(len(wanted)) as pool:
        found = list(pool.map(take_in, wanted))
    assert [found.count(each) for each in (True, False, None)] == [1, 7, 8]
    [first] = [event for event, is_new in zip(wanted, found, strict=True) if is_new]
    assert stored(ports, tenant)[first.event_id] == first


def test_a_jobs_own_event_cannot_be_written_a_second_time(ports: Ports, tenant: str) -> None:
    """One that was taken in first, and then commits with its fact, would be in the store twice."""
    job = ports.admit(tenant)
    canceled = domain.cancel(job, now=START)
    event = late(job)
    ports.usage.take_in(event)
    with pytest.raises(Superseded):
        ports.jobs.save([Change(job, canceled, (replace(event, late_at=None),))])
    assert ports.jobs.get(job.ref) == job


def test_each_is_found_in_the_order_asked_when_some_are_not_there(ports: Ports, tenant: str) -> None:
    jobs = [ports.admit(tenant) for _ in range(3)]
    events = [events_of(job, PRICES)[0] for job in jobs]
    missing = [late(job) for job in jobs]
    asked = [each for pair in zip(missing, reversed(events), strict=True) for each in pair]
    expected = [None if each in missing else each for each in asked]
    assert list(ports.usage.find(asked)) == expected
    assert list(ports.usage.find([])) == []
