"""Which job is next, in memory and in DynamoDB: tenants go round, and each gives its oldest."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.dynamodb_jobs import DynamoDbJobs
from chalicelib.adapters.memory import MemoryJobs
from chalicelib.domain import job as domain
from chalicelib.domain import lease
from chalicelib.domain.entitlements import Plan
from chalicelib.domain.errors import Superseded
from chalicelib.domain.failure import Failure, FailureCode
from chalicelib.domain.job import Checkpoint, Job, JobRef, Progress, Status
from chalicelib.ports import Change, Jobs
from tests.conformance.admissions import IDS, admission
from tests.conformance.real_ports import client, forget_ready, make_resources, tables
from tests.unit.world import START

PLAN = Plan(name="test", jobs_per_month=10_000, active_jobs=10_000, spend_cap_micros=10**12, currency="USD")
CHECKPOINT = Checkpoint(storage_key="c", progress=Progress(1, 2))
RESULT = domain.Result(storage_key="k", sha256="ab", salt="0x01", commitment="0x02", size_bytes=1)
FIRST, SECOND, THIRD = "a", "ab", "b"  # a tenant's id may begin with another's


@dataclass(frozen=True, slots=True)
class Store:
    """Jobs of which none is ready yet; the tenants' ids, which begin alike, are nobody else's."""

    jobs: Jobs
    alike: str = field(default_factory=lambda: IDS.new_id("ten_"))

    def admit(self, tenant: str, number: str) -> Job:
        """A queued job; the numbers sort by age."""
        ref = JobRef(self.alike + tenant, f"job_{number}")
        wanted = admission(ref.tenant_id, number, plan=PLAN)
        job, claim = replace(wanted.job, ref=ref), replace(wanted.claim, job_ref=ref)
        self.jobs.admit(replace(wanted, job=job, claim=claim), now=START)
        return job

    def move(self, job: Job, step: Callable[[Job], Job]) -> Job:
        """The job after one more commit."""
        after = step(job)
        self.jobs.save([Change(job, after)])
        return after

    def next_after(self, tenant: str) -> str | None:
        """The next job, by its tenant and number."""
        found = self.jobs.next_ready(after=tenant and self.alike + tenant)
        if found is None:
            return None
        return f"{found.ref.tenant_id.removeprefix(self.alike)} {found.ref.job_id.removeprefix('job_')}"


@pytest.fixture(params=["memory", "real"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return Store(MemoryJobs())
    endpoint = request.getfixturevalue("aws_endpoint")
    make_resources(endpoint)
    forget_ready(endpoint)
    return Store(DynamoDbJobs(tables(endpoint)))


def leased(job: Job) -> Job:
    return lease.lease(job, now=START)


def paused(job: Job) -> Job:
    return lease.pause(lease.got_on(job, CHECKPOINT), now=START)


def test_none_is_next_when_no_job_is_ready(store: Store) -> None:
    assert store.next_after("") is None
    store.move(store.admit(FIRST, "1"), leased)
    assert [store.next_after(tenant) for tenant in ("", FIRST, SECOND)] == [None] * 3


def test_the_job_is_read_whole_when_it_is_next(store: Store) -> None:
    job = store.admit(FIRST, "1")
    assert store.jobs.next_ready(after="") == job
    running = store.move(job, leased)
    waiting = store.move(running, paused)
    assert store.jobs.next_ready(after="") == waiting == store.jobs.get(job.ref)


def test_the_tenants_go_round_when_each_has_a_job(store: Store) -> None:
    for tenant in (THIRD, FIRST, SECOND):
        store.admit(tenant, "1")
    order = [f"{tenant} 1" for tenant in (FIRST, SECOND, THIRD)]
    assert [store.next_after(tenant) for tenant in ("", FIRST, SECOND, THIRD)] == [*order, order[0]]
    assert [store.next_after(gone) for gone in ("0", "aa", "abc", "z")] == [
        order[0],
        order[1],
        order[2],
        order[0],
    ]


def test_the_same_tenant_is_next_when_nobody_else_has_a_job(store: Store) -> None:
    store.admit(SECOND, "1")
    assert [store.next_after(tenant) for tenant in ("", FIRST, SECOND, THIRD)] == [f"{SECOND} 1"] * 4


def test_the_oldest_is_next_when_a_tenant_has_many(store: Store) -> None:
    for number in ("3", "1", "2"):
        store.admit(FIRST, number)
    for number in ("1", "2"):
        job = store.jobs.next_ready(after="")
        assert job is not None
        assert store.next_after(FIRST) == f"{FIRST} {number}"
        store.move(job, leased)
    assert store.next_after("") == f"{FIRST} 3"


def test_a_paused_job_is_next_before_those_that_came_later(store: Store) -> None:
    old = store.move(store.admit(FIRST, "1"), leased)
    store.admit(FIRST, "2")
    assert store.next_after("") == f"{FIRST} 2"
    store.move(old, paused)
    assert store.next_after("") == f"{FIRST} 1"


@pytest.mark.parametrize(
    "step",
    [
        lambda job: lease.renew(job, now=START + timedelta(hours=1)),
        lambda job: lease.retry_later(job, now=START, seconds=1.0),
        lambda job: domain.finish(job, now=START, result=RESULT),
        lambda job: domain.cancel(job, now=START),
        lambda job: domain.fail(job, now=START, failure=Failure(FailureCode.JOB_ERROR, "no")),
    ],
    ids=["held", "backing off", "confirming", "canceled", "failed"],
)
@pytest.mark.parametrize("before", [[leased], [leased, paused, leased]], ids=["begun", "gone on"])
def test_a_job_is_nobodys_when_it_is_held_or_has_moved_on(
    store: Store, before: list[Callable[[Job], Job]], step: Callable[[Job], Job]
) -> None:
    job = store.admit(FIRST, "1")
    for each in [*before, step]:
        job = store.move(job, each)
    assert store.next_after("") is None


@pytest.mark.parametrize(
    "decided",
    [
        lambda job: domain.cancel(job, now=START),
        lambda job: domain.postpone(job, now=START),
        lambda job: lease.retry_later(job, now=START, seconds=1.0),
    ],
    ids=["a cancel", "a sweep", "a retry"],
)
def test_what_was_decided_while_a_job_was_held_loses_when_it_was_paused_meanwhile(
    store: Store, decided: Callable[[Job], Job]
) -> None:
    held = store.move(store.admit(FIRST, "1"), leased)
    waiting = store.move(held, paused)
    with pytest.raises(Superseded):
        store.move(held, decided)
    assert store.jobs.next_ready(after="") == waiting
    ended = store.move(waiting, lambda job: domain.cancel(job, now=START))
    assert (ended.status, store.next_after("")) == (Status.CANCELED, None)


def test_what_a_worker_left_is_due_first_when_more_wait_than_are_looked_at(store: Store) -> None:
    long_ago = START - timedelta(days=1000)  # before all that other tests left in these tables

    def before(job: Job) -> Job:
        return replace(job, due_at=long_ago)

    for number in range(12):
        store.move(store.admit(FIRST, f"{number:02}"), before)
    left = store.move(store.move(store.admit(SECOND, "1"), leased), before)
    found = store.jobs.due(now=long_ago, limit=8)
    assert (found[0], len(found)) == (left, 8)
    released = store.move(left, lambda job: before(lease.release(job, now=START + lease.LEASE)))
    assert released in store.jobs.due(now=long_ago, limit=100)


def test_one_row_is_read_when_many_are_ready(aws_endpoint: str) -> None:
    make_resources(aws_endpoint)
    dynamodb = client("dynamodb", endpoint=aws_endpoint)
    jobs = DynamoDbJobs(Tables(dynamodb, backoff=lambda _: None))
    forget_ready(aws_endpoint)
    store = Store(jobs)
    for number in range(5):
        store.admit(FIRST, str(number))
    asked: list[int] = []
    dynamodb.meta.events.register(
        "provide-client-params.dynamodb.Query", lambda params, **_: asked.append(params["Limit"])
    )
    assert store.next_after("") == f"{FIRST} 0"
    assert set(asked) == {1}
