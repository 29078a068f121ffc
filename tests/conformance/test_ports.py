"""One suite for what stores jobs, in memory and in DynamoDB."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.adapters.dynamodb_jobs import DynamoDbJobs
from chalicelib.adapters.memory import MemoryJobs
from chalicelib.domain import job as domain
from chalicelib.domain import lease
from chalicelib.domain.chain_call import Inclusion
from chalicelib.domain.errors import ActiveJobsExceeded, JobQuotaExceeded, Superseded
from chalicelib.domain.failure import Failure, FailureCode
from chalicelib.domain.idempotency import KEPT_FOR, Claim
from chalicelib.domain.job import Checkpoint, JobRef, Progress, Status
from chalicelib.domain.metering import events_of
from chalicelib.domain.payload import UploadedInput
from chalicelib.domain.transaction_id import Account, TransactionId
from chalicelib.ports import Admission, Change, Jobs
from tests.conformance.admissions import IDS, PLAN, accepted, admission, admitted
from tests.conformance.real_ports import make_resources, tables
from tests.unit.world import PRICES, START


@pytest.fixture(params=["memory", "real"])
def jobs(request: pytest.FixtureRequest) -> Jobs:
    if request.param == "memory":
        return MemoryJobs()
    endpoint = request.getfixturevalue("aws_endpoint")
    make_resources(endpoint)
    return DynamoDbJobs(tables(endpoint))


@pytest.fixture
def tenant() -> str:
    return IDS.new_id("ten_")


def test_a_job_reads_back_whole_when_it_was_admitted(jobs: Jobs, tenant: str) -> None:
    wanted = admission(tenant)
    assert jobs.admit(wanted, now=START) == wanted.claim
    assert jobs.get(wanted.job.ref) == wanted.job
    assert jobs.input_of(wanted.job.ref) == wanted.input
    assert jobs.get(JobRef(tenant, "job_none")) is None


def test_an_uploaded_input_reads_back_when_the_job_was_admitted_with_one(jobs: Jobs, tenant: str) -> None:
    wanted = admission(tenant)
    uploaded = UploadedInput(storage_key=f"{tenant}/upl_1", size_bytes=2**40, sha256="ab")
    wanted = replace(wanted, job=replace(wanted.job, uploaded_input=uploaded), input=None)
    jobs.admit(wanted, now=START)
    assert jobs.get(wanted.job.ref) == wanted.job


def test_the_older_claim_is_given_when_the_key_is_held(jobs: Jobs, tenant: str) -> None:
    older, newer = admission(tenant), admission(tenant, body=b"other")
    jobs.admit(older, now=START)
    assert jobs.admit(newer, now=START) == older.claim
    assert jobs.get(newer.job.ref) is None


def test_the_older_claim_outranks_a_spent_limit_when_both_refuse(jobs: Jobs, tenant: str) -> None:
    older = admission(tenant, plan=replace(PLAN, active_jobs=1))
    jobs.admit(older, now=START)
    assert jobs.admit(admission(tenant, plan=replace(PLAN, active_jobs=1)), now=START) == older.claim


def test_a_key_is_fresh_when_another_tenant_holds_it(jobs: Jobs, tenant: str) -> None:
    jobs.admit(admission(IDS.new_id("ten_")), now=START)
    mine = admission(tenant)
    assert jobs.admit(mine, now=START) == mine.claim


def test_an_expired_claim_counts_as_absent_when_its_job_has_ended(jobs: Jobs, tenant: str) -> None:
    ended = admitted(jobs, tenant)
    jobs.save([Change(ended, domain.cancel(ended, now=START))])
    almost = START + KEPT_FOR - timedelta(microseconds=1)
    assert jobs.admit(admission(tenant), now=almost).job_ref == ended.ref
    later = admission(tenant)
    assert jobs.admit(later, now=START + KEPT_FOR) == later.claim


def test_an_expired_claim_holds_its_key_when_its_job_has_not_ended(jobs: Jobs, tenant: str) -> None:
    older, newer = admission(tenant), admission(tenant)
    jobs.admit(older, now=START)
    assert jobs.admit(newer, now=START + 3 * KEPT_FOR) == older.claim
    assert jobs.get(newer.job.ref) is None


def test_an_expired_claim_has_one_heir_when_threads_race_for_it(jobs: Jobs, tenant: str) -> None:
    ended = admitted(jobs, tenant)
    jobs.save([Change(ended, domain.cancel(ended, now=START))])
    now = START + KEPT_FOR
    wanted = [admission(tenant, now=now) for _ in range(8)]
    barrier = threading.Barrier(len(wanted))

    def submit(each: Admission) -> Claim:
        barrier.wait()
        return jobs.admit(each, now=now)

    with ThreadPoolExecutor(len(wanted)) as pool:
        holders = list(pool.map(submit, wanted))
    assert len({holder.job_ref for holder in holders}) == 1
    assert sum(jobs.get(each.job.ref) is not None for each in wanted) == 1


def test_nothing_is_written_when_too_many_jobs_are_active(jobs: Jobs, tenant: str) -> None:
    for n in range(PLAN.active_jobs):
        admitted(jobs, tenant, f"k{n}")
    refused = admission(tenant, "more")
    with pytest.raises(ActiveJobsExceeded):
        jobs.admit(refused, now=START)
    assert jobs.get(refused.job.ref) is None


def test_a_month_takes_exactly_its_jobs_when_all_end_at_once(jobs: Jobs, tenant: str) -> None:
    for n in range(PLAN.jobs_per_month):
        job = admitted(jobs, tenant, f"k{n}")
        jobs.save([Change(job, domain.cancel(job, now=START))])
    with pytest.raises(JobQuotaExceeded):
        jobs.admit(admission(tenant, "more"), now=START)
    jobs.admit(admission(tenant, "more"), now=START + timedelta(days=10))


def test_exactly_the_limit_is_admitted_when_threads_race(jobs: Jobs, tenant: str) -> None:
    outcomes: list[bool] = []
    barrier = threading.Barrier(12)

    def submit(n: int) -> None:
        wanted = admission(tenant, f"k{n}")
        barrier.wait()
        try:
            jobs.admit(wanted, now=START)
            outcomes.append(True)
        except ActiveJobsExceeded:
            outcomes.append(False)

    threads = [threading.Thread(target=submit, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count(True), len(outcomes)) == (PLAN.active_jobs, 12)


def test_every_field_reads_back_when_a_job_goes_all_the_way(jobs: Jobs, tenant: str) -> None:
    job = admitted(jobs, tenant)
    result = domain.Result(storage_key="k", sha256="ab", salt="0x01", commitment="0x02", size_bytes=2**40)
    confirmation = domain.Confirmation(
        chain_id=31337,
        registry="0xaa",
        job_key="0x1",
        transaction_hash="0x2",
        block_number=7,
        depth=3,
        gas_used=2**60,
        gas_price_wei=2**70,
        inclusion=Inclusion(word=2**224 - 1, bit=97, mask=2**98 - 1, root="0x3", proof=("0x4", "0x5")),
    )
    transaction_id = TransactionId(Account("0x51", "0x67"), 2**40)
    checkpoint = Checkpoint(storage_key="c", progress=Progress(2**40, 2**50))
    steps = [
        lambda j: domain.postpone(j, now=START + timedelta(microseconds=1)),
        lambda j: lease.lease(j, now=START),
        lambda j: lease.of_version(replace(j, cost_units=2**60), 2**40),
        lambda j: lease.renew(replace(j, progress=Progress(3, 2**50)), now=START),
        lambda j: lease.got_on(j, checkpoint),
        lambda j: lease.pause(j, now=START),
        lambda j: lease.lease(j, now=START),
        lambda j: lease.retry_later(j, now=START, seconds=0.3),
        lambda j: lease.lease(j, now=START + lease.LEASE),
        lambda j: domain.finish(j, now=START, result=result),
        lambda j: domain.place(j, transaction_id),
        lambda j: domain.succeed(j, now=START, confirmation=confirmation),
    ]
    for step in steps:
        after = step(job)
        events = events_of(after, PRICES) if after.status is Status.SUCCEEDED else ()
        jobs.save([Change(job, after, events)])
        assert jobs.get(job.ref) == after
        job = after


def test_a_failure_reads_back_when_a_job_failed(jobs: Jobs, tenant: str) -> None:
    job = admitted(jobs, tenant)
    failed = domain.fail(job, now=START, failure=Failure(FailureCode.JOB_ERROR, "no"))
    jobs.save([Change(job, failed)])
    assert jobs.get(job.ref) == failed


def test_a_stale_change_loses_when_the_row_has_moved(jobs: Jobs, tenant: str) -> None:
    job = admitted(jobs, tenant)
    leased = lease.lease(job, now=START)
    jobs.save([Change(job, leased)])
    for stale in (lease.lease(job, now=START), domain.cancel(job, now=START)):
        with pytest.raises(Superseded):
            jobs.save([Change(job, stale)])
    assert jobs.get(job.ref) == leased


def test_an_older_epochs_write_loses_when_the_lease_was_taken_over(jobs: Jobs, tenant: str) -> None:
    job = admitted(jobs, tenant)
    first = lease.lease(job, now=START)
    jobs.save([Change(job, first)])
    second = lease.lease(first, now=START + lease.LEASE)
    jobs.save([Change(first, second)])
    with pytest.raises(Superseded):
        jobs.save([Change(first, lease.renew(first, now=START + timedelta(seconds=1)))])


def test_no_change_is_written_when_one_of_many_is_stale(jobs: Jobs, tenant: str) -> None:
    stale, fresh = admitted(jobs, tenant, "k0"), admitted(jobs, tenant, "k1")
    jobs.save([Change(stale, lease.lease(stale, now=START))])
    changes = [Change(job, domain.cancel(job, now=START)) for job in (fresh, stale)]
    with pytest.raises(Superseded):
        jobs.save(changes)
    assert jobs.get(fresh.ref) == fresh


def test_the_entitlement_is_released_once_when_many_end_together(jobs: Jobs, tenant: str) -> None:
    ended = [admitted(jobs, tenant, f"k{n}") for n in range(PLAN.active_jobs)]
    jobs.save([Change(job, domain.cancel(job, now=START)) for job in ended])
    for n in range(PLAN.jobs_per_month - PLAN.active_jobs):
        admitted(jobs, tenant, f"more{n}")


def test_a_job_is_due_when_its_time_has_come_and_it_has_not_ended(jobs: Jobs, tenant: str) -> None:
    plan = replace(PLAN, jobs_per_month=40, active_jobs=40)  # enough to fall into every shard of the index
    wanted = [admission(tenant, f"k{n}", plan=plan) for n in range(40)]
    for each in wanted:
        jobs.admit(each, now=START)
    ended = wanted.pop().job
    jobs.save([Change(ended, domain.cancel(ended, now=START))])

    def mine(now: Any) -> set[JobRef]:
        return {found.ref for found in jobs.due(now=now, limit=1000) if found.ref.tenant_id == tenant}

    assert mine(START) == set()
    assert mine(START + domain.UNSENT_AFTER) == {each.job.ref for each in wanted}


def test_an_event_is_written_once_when_it_comes_twice(jobs: Jobs, tenant: str) -> None:
    job = admitted(jobs, tenant)
    with pytest.raises(Superseded):
        jobs.save([Change(job, domain.cancel(job, now=START), (accepted(job),))])
    assert jobs.get(job.ref) == job


def test_a_heartbeat_is_kept_when_a_postponement_was_decided_before_it(jobs: Jobs, tenant: str) -> None:
    job = admitted(jobs, tenant)
    leased = lease.lease(job, now=START)
    jobs.save([Change(job, leased)])
    renewed = lease.renew(replace(leased, progress=Progress(1, 2)), now=START + timedelta(seconds=9))
    jobs.save([Change(leased, renewed)])
    jobs.save([Change(leased, domain.postpone(leased, now=START))])
    found = jobs.get(job.ref)
    assert found is not None
    assert (found.progress, found.lease_until) == (renewed.progress, renewed.lease_until)
