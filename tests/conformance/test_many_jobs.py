"""Jobs that are read many at a time, in memory and in DynamoDB, also when its answer is a part."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.dynamodb_jobs import DynamoDbJobs
from chalicelib.adapters.memory import MemoryJobs
from chalicelib.adapters.system import RandomIds
from chalicelib.domain.entitlements import Plan
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.job import Job, JobRef
from chalicelib.ports import Jobs
from tests.conformance.admissions import admission
from tests.conformance.real_ports import client, make_resources
from tests.unit.world import START

IDS = RandomIds()
MOST = 100
PLAN = Plan(name="test", jobs_per_month=MOST, active_jobs=MOST, spend_cap_micros=10**12, currency="USD")


@pytest.fixture(params=["memory", "real"])
def jobs(request: pytest.FixtureRequest) -> Jobs:
    if request.param == "memory":
        return MemoryJobs()
    return request.getfixturevalue("open_real")(lambda _: None)


@pytest.fixture
def open_real(aws_endpoint: str) -> Callable[[Callable[[Any], None]], Jobs]:
    """The real port, whose answers of BatchGetItem go through what is given."""
    make_resources(aws_endpoint)

    def opened(change: Callable[[Any], None]) -> Jobs:
        dynamodb = client("dynamodb", endpoint=aws_endpoint)
        heard = "after-call.dynamodb.BatchGetItem"
        dynamodb.meta.events.register(heard, lambda parsed, **_: change(parsed))
        return DynamoDbJobs(Tables(dynamodb, backoff=lambda _: None))

    return opened


def admitted(jobs: Jobs, count: int) -> list[Job]:
    tenant = IDS.new_id("ten_")
    wanted = [admission(tenant, f"k{n}", plan=PLAN) for n in range(count)]
    for each in wanted:
        jobs.admit(each, now=START)
    return [each.job for each in wanted]


def test_jobs_come_in_the_order_asked_when_some_are_absent(jobs: Jobs) -> None:
    first, second, third = admitted(jobs, 3)
    nobody, of_another = JobRef(first.ref.tenant_id, "job_none"), JobRef("ten_other", first.ref.job_id)
    asked = [third.ref, nobody, first.ref, of_another, second.ref]
    assert jobs.get_many(asked) == [third, None, first, None, second]


def test_a_hundred_come_when_a_hundred_are_asked_for(jobs: Jobs) -> None:
    found = admitted(jobs, MOST)[::-1]
    assert jobs.get_many([job.ref for job in found]) == found


def test_nothing_is_found_when_nothing_is_asked_for(jobs: Jobs) -> None:
    assert jobs.get_many([]) == []


def test_the_rest_is_asked_for_again_when_an_answer_holds_a_part(
    open_real: Callable[[Callable[[Any], None]], Jobs],
) -> None:
    answers: list[int] = []

    def keep_two(parsed: Any) -> None:
        """As DynamoDB does when an answer would exceed 16 MB."""
        items = parsed["Responses"]["jobs"]
        answers.append(len(items))
        if items[2:]:
            keys = [{name: item[name] for name in ("tenant_id", "job_id")} for item in items[2:]]
            parsed["UnprocessedKeys"] = {"jobs": {"Keys": keys, "ConsistentRead": True}}
            del items[2:]

    jobs = open_real(keep_two)
    found = admitted(jobs, 5)
    assert jobs.get_many([job.ref for job in found]) == found
    assert answers == [5, 3, 1]


def test_the_tables_are_unavailable_when_an_answer_never_holds_anything(
    open_real: Callable[[Callable[[Any], None]], Jobs],
) -> None:
    def keep_none(parsed: Any) -> None:
        keys = [
            {name: item[name] for name in ("tenant_id", "job_id")} for item in parsed["Responses"]["jobs"]
        ]
        parsed["UnprocessedKeys"] = {"jobs": {"Keys": keys, "ConsistentRead": True}}
        parsed["Responses"]["jobs"] = []

    jobs = open_real(keep_none)
    [job] = admitted(jobs, 1)
    with pytest.raises(Unavailable):
        jobs.get_many([job.ref])
