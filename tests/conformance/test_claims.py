"""Claims in the real store at the worst moments: a claim is seen to be over, and somebody else is quicker."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.dynamodb_items import IDEMPOTENCY, JOBS
from chalicelib.adapters.dynamodb_jobs import DynamoDbJobs
from chalicelib.adapters.memory import MemoryJobs
from chalicelib.adapters.system import RandomIds
from chalicelib.domain import job as domain
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.idempotency import FORGOTTEN_AFTER, KEPT_FOR, Claim
from chalicelib.domain.job import Job
from chalicelib.ports import Admission, Change, Jobs
from tests.conformance.admissions import IDS, admission
from tests.conformance.real_ports import client, make_resources, tables
from tests.crash.failpoints import Failing, Failpoint
from tests.unit.submits import BODY, OTHER, post
from tests.unit.world import START, World

OVER = START + KEPT_FOR


class Meeting(Tables):
    """Tables on which both of two submits have read the old claim's job before either goes on."""

    both = threading.Barrier(2)

    def get(self, table: str, key: Any) -> Any:
        found = super().get(table, key)
        if table == JOBS:
            self.both.wait(timeout=20)
        return found


class AtOnce:
    """A store that lets nobody in before all have come; each has been validated by then."""

    def __init__(self, jobs: Jobs, clients: int) -> None:
        self._jobs = jobs
        self._all = threading.Barrier(clients)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._jobs, name)

    def admit(self, admission: Admission, *, now: datetime) -> Claim:
        self._all.wait(timeout=30)
        return self._jobs.admit(admission, now=now)


@pytest.fixture
def endpoint(aws_endpoint: str) -> str:
    make_resources(aws_endpoint)
    return aws_endpoint


@pytest.fixture
def tenant() -> str:
    return IDS.new_id("ten_")


@pytest.fixture(params=["memory", "real"])
def jobs(request: pytest.FixtureRequest) -> Jobs:
    if request.param == "memory":
        return MemoryJobs()
    return DynamoDbJobs(tables(request.getfixturevalue("endpoint")))


def ended_job(endpoint: str, tenant: str) -> Job:
    """A job that has ended, and whose claim is still there."""
    jobs, wanted = DynamoDbJobs(tables(endpoint)), admission(tenant)
    jobs.admit(wanted, now=START)
    jobs.save([Change(wanted.job, domain.cancel(wanted.job, now=START))])
    return wanted.job


def row_of(endpoint: str, wanted: Admission) -> dict[str, Any]:
    claim = wanted.claim
    found = tables(endpoint).get(IDEMPOTENCY, {"tenant_id": claim.tenant_id, "key": claim.storage_key})
    assert found is not None
    return found


@pytest.mark.parametrize("clients", [2, 50])
def test_all_get_the_one_job_and_no_409_when_first_submits_meet(
    jobs: Jobs, tenant: str, clients: int
) -> None:
    world = World(jobs=AtOnce(jobs, clients), ids=RandomIds(), tenant=tenant)
    with ThreadPoolExecutor(clients) as pool:
        answers = list(pool.map(lambda _: post(world, "k", tenant=tenant), range(clients)))
    assert {answer.status for answer in answers} == {202}
    assert len({(answer.body, answer.headers["Location"]) for answer in answers}) == 1
    replayed = [answer.headers.get("Idempotent-Replayed") for answer in answers]
    assert sorted(replayed, key=str) == [None] + ["true"] * (clients - 1)
    assert len(world.queue.run) == 1


def test_each_gets_its_due_when_different_requests_meet_on_one_key(jobs: Jobs, tenant: str) -> None:
    world = World(jobs=AtOnce(jobs, 10), ids=RandomIds(), tenant=tenant)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda body: post(world, "k", body=body, tenant=tenant), [BODY, OTHER] * 5))
    by_body = [answers[0::2], answers[1::2]]
    statuses = [{answer.status for answer in same} for same in by_body]
    assert sorted(statuses, key=max) == [{202}, {422}]
    assert len({answer.body for answer in answers if answer.status == 202}) == 1
    assert len(world.queue.run) == 1


def test_one_job_is_made_when_two_submits_have_seen_that_the_claim_is_over(
    endpoint: str, tenant: str
) -> None:
    ended_job(endpoint, tenant)
    jobs = DynamoDbJobs(Meeting(client("dynamodb", endpoint=endpoint), backoff=lambda _: None))
    wanted = [admission(tenant, now=OVER) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda each: jobs.admit(each, now=OVER), wanted)
    assert first == second
    reader = DynamoDbJobs(tables(endpoint))
    assert [reader.get(each.job.ref) is not None for each in wanted].count(True) == 1


def unavailable() -> None:
    raise Unavailable("no answer")


@pytest.mark.parametrize(("when", "outcome"), [("before", "retry"), ("after", "accepted")])
def test_the_table_decides_when_the_answer_to_the_replacement_is_lost(
    endpoint: str, tenant: str, when: str, outcome: str
) -> None:
    ended_job(endpoint, tenant)
    lossy: Any = Failing(tables(endpoint), Failpoint("tables", "transact", when, nth=2), unavailable)
    wanted = admission(tenant, now=OVER)
    if outcome == "accepted":
        assert DynamoDbJobs(lossy).admit(wanted, now=OVER) == wanted.claim
    else:
        with pytest.raises(Unavailable):
            DynamoDbJobs(lossy).admit(wanted, now=OVER)
        assert DynamoDbJobs(tables(endpoint)).admit(wanted, now=OVER) == wanted.claim


def test_the_claim_is_free_when_its_row_and_its_job_are_gone(endpoint: str, tenant: str) -> None:
    old = admission(tenant)
    DynamoDbJobs(tables(endpoint)).admit(old, now=START)
    key = {"tenant_id": {"S": tenant}, "job_id": {"S": old.job.ref.job_id}}
    client("dynamodb", endpoint=endpoint).delete_item(TableName=JOBS, Key=key)
    wanted = admission(tenant, now=OVER)
    assert DynamoDbJobs(tables(endpoint)).admit(wanted, now=OVER) == wanted.claim


@pytest.mark.parametrize("moment", [START, START.replace(microsecond=999_999)])
def test_a_claim_is_deleted_long_after_it_expires_when_the_store_tidies_up(
    endpoint: str, tenant: str, moment: datetime
) -> None:
    wanted = admission(tenant, now=moment)
    DynamoDbJobs(tables(endpoint)).admit(wanted, now=moment)
    found = row_of(endpoint, wanted)
    assert found["delete_at"] == int((wanted.claim.expires_at + FORGOTTEN_AFTER).timestamp())
    described = client("dynamodb", endpoint=endpoint).describe_time_to_live(TableName=IDEMPOTENCY)
    assert described["TimeToLiveDescription"]["AttributeName"] == "delete_at"
