"""Jobs and the transaction that they stand in commit together, in memory and in DynamoDB."""

import pytest

from chalicelib.adapters.dynamodb_chain import DynamoDbChainTransactions
from chalicelib.adapters.dynamodb_jobs import DynamoDbJobs
from chalicelib.adapters.memory import MemoryJobs
from chalicelib.adapters.memory_transactions import MemoryChainTransactions
from chalicelib.adapters.system import RandomIds
from chalicelib.domain import job as domain
from chalicelib.domain.chain_transaction import JOBS_A_TRANSACTION, ChainTransaction
from chalicelib.domain.entitlements import Plan
from chalicelib.domain.errors import Superseded
from chalicelib.domain.job import Job
from chalicelib.domain.lease import lease as lease_job
from chalicelib.domain.transaction_id import Account, TransactionId
from chalicelib.ports import ChainTransactions, Change, Jobs
from tests.conformance.admissions import admission
from tests.conformance.real_ports import make_resources, tables
from tests.conformance.test_chain_transactions import transaction
from tests.unit.world import START

Ports = tuple[Jobs, ChainTransactions]
IDS = RandomIds()
RESULT = domain.Result(storage_key="k", sha256="ab", salt="0x01", commitment="0x02", size_bytes=1)


@pytest.fixture(params=["memory", "real"])
def ports(request: pytest.FixtureRequest) -> Ports:
    if request.param == "memory":
        jobs = MemoryJobs()
        return jobs, MemoryChainTransactions(jobs)
    endpoint = request.getfixturevalue("aws_endpoint")
    make_resources(endpoint)
    return DynamoDbJobs(tables(endpoint)), DynamoDbChainTransactions(tables(endpoint))


@pytest.fixture
def account() -> Account:
    return Account(IDS.new_id("0x"), "0x67")


def confirming(jobs: Jobs, count: int) -> list[Job]:
    """So many jobs of one tenant, which wait for the chain."""
    tenant = IDS.new_id("ten_")
    plan = Plan(name="test", jobs_per_month=count, active_jobs=count, spend_cap_micros=10**12, currency="USD")
    found = []
    for n in range(count):
        wanted = admission(tenant, f"k{n}", plan=plan)
        jobs.admit(wanted, now=START)
        leased = lease_job(wanted.job, now=START)
        finished = domain.finish(leased, now=START, result=RESULT)
        jobs.save([Change(wanted.job, leased)])
        jobs.save([Change(leased, finished)])
        found.append(finished)
    return found


def placed(jobs: list[Job], row: ChainTransaction) -> list[Change]:
    return [Change(job, domain.place(job, row.id)) for job in jobs]


def test_the_jobs_stand_in_their_row_when_as_many_as_fit_are_recorded(ports: Ports, account: Account) -> None:
    jobs, transactions = ports
    waiting = confirming(jobs, JOBS_A_TRANSACTION)
    row = transaction(account, 0, *(job.ref for job in waiting))
    lease = transactions.lease(account, now=START, until=START)
    lease = transactions.record(lease, row, placed(waiting, row))
    assert (lease.next_nonce, transactions.get(row.id)) == (1, row)
    stored = jobs.get_many([job.ref for job in waiting])
    assert stored == [domain.place(job, row.id) for job in waiting]


def test_nothing_is_written_when_one_of_the_jobs_has_moved(ports: Ports, account: Account) -> None:
    jobs, transactions = ports
    here, moved = confirming(jobs, 2)
    elsewhere = TransactionId(Account("0xother", "0x67"), 0)
    jobs.save([Change(moved, domain.place(moved, elsewhere))])
    row = transaction(account, 0, here.ref, moved.ref)
    lease = transactions.lease(account, now=START, until=START)
    with pytest.raises(Superseded):
        transactions.record(lease, row, placed([here, moved], row))
    assert transactions.get(row.id) is None
    assert jobs.get_many([here.ref, moved.ref]) == [here, domain.place(moved, elsewhere)]
    assert transactions.lease(account, now=START, until=START).next_nonce == 0


def test_no_job_is_placed_when_the_lease_was_taken_over(ports: Ports, account: Account) -> None:
    jobs, transactions = ports
    [job] = confirming(jobs, 1)
    old = transactions.lease(account, now=START, until=START)
    transactions.lease(account, now=START, until=START)
    row = transaction(account, 0, job.ref)
    with pytest.raises(Superseded):
        transactions.record(old, row, placed([job], row))
    assert jobs.get(job.ref) == job
