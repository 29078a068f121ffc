"""One suite for what waits: on its implementation in memory, and on SQS and DynamoDB."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

import boto3
import pytest
from botocore.config import Config

from chalicelib.adapters.aws_backlogs import AwsBacklogs
from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.dynamodb_items import ENTITLEMENTS
from chalicelib.adapters.memory import ManualClock, MemoryQueue
from chalicelib.adapters.memory_backlogs import MemoryBacklogs
from chalicelib.adapters.sqs import RUN_QUEUE, SqsQueue
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.job import JobRef, new_job
from chalicelib.domain.polling import CONFIRMED_A_SECOND, WORKERS
from chalicelib.ports import Backlogs, Queue
from chalicelib.use_cases.estimate_wait import EstimateWait
from tests.conformance.real_ports import client, make_resources, tables
from tests.unit.world import ACME, GLOBEX, START

REF = JobRef(ACME, "job_1")
QUEUED = new_job(REF, job_type="t", plan="test", now=START, trace_id="t", request_id="r")
_days = count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A queue of runs with nothing in it, what counts it, and who empties it."""

    queue: Queue
    backlogs: Backlogs
    clock: ManualClock
    drain: Callable[[], None]

    def add(self, messages: int) -> None:
        for _ in range(messages):
            self.queue.wake_runner(REF, trace_id="")

    def retry_after(self) -> int | None:
        return EstimateWait(backlogs=self.backlogs, clock=self.clock)(QUEUED)


@pytest.fixture
def now() -> datetime:
    """A day that no other test counts in."""
    return START + timedelta(days=next(_days))


@pytest.fixture(params=["memory", "real"])
def waiting(request: pytest.FixtureRequest, now: datetime) -> Waiting:
    clock = ManualClock(now)
    if request.param == "memory":
        queue = MemoryQueue()
        return Waiting(queue=queue, backlogs=MemoryBacklogs(queue, clock), clock=clock, drain=queue.run.clear)
    endpoint = request.getfixturevalue("aws_endpoint")
    make_resources(endpoint)
    sqs = client("sqs", endpoint=endpoint)
    url = sqs.get_queue_url(QueueName=RUN_QUEUE)["QueueUrl"]

    def drain() -> None:
        while taken := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in taken:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    drain()
    real = SqsQueue(sqs)
    # As if each of the tenant's messages were of an active job.
    counter = {"tenant_id": ACME, "counter": "active", "jobs": 1_000}
    tables(endpoint).put(ENTITLEMENTS, counter)
    return Waiting(queue=real, backlogs=AwsBacklogs(tables(endpoint), real, clock), clock=clock, drain=drain)


def test_the_depth_is_the_queues_when_messages_come_and_go(waiting: Waiting) -> None:
    depths = [waiting.backlogs.of_runs(ACME).waiting]
    waiting.add(13)
    depths.append(waiting.backlogs.of_runs(ACME).waiting)
    waiting.drain()
    depths.append(waiting.backlogs.of_runs(ACME).waiting)
    assert depths == [0, 13, 0]


def test_other_tenants_jobs_do_not_count_when_they_fill_the_queue(waiting: Waiting) -> None:
    for _ in range(20):
        waiting.queue.wake_runner(JobRef(GLOBEX, "job_2"), trace_id="")
    seen = waiting.backlogs.of_runs("ten_quiet").waiting
    waiting.drain()
    assert seen == 0


def test_a_deeper_queue_means_a_longer_wait_when_it_fills_and_drains(waiting: Waiting) -> None:
    seen = [waiting.retry_after()]
    for added in (20, 40):
        waiting.add(added)
        seen.append(waiting.retry_after())
    waiting.drain()
    seen.append(waiting.retry_after())
    assert seen == [1, 5, 15, 1]


def test_slower_runs_mean_a_longer_wait_when_the_queue_is_as_deep(waiting: Waiting) -> None:
    waiting.add(6)
    before = waiting.retry_after()
    waiting.backlogs.add_run(2.0)
    waiting.backlogs.add_run(6.0)
    assert (before, waiting.retry_after()) == (2, 6)
    waiting.drain()


def test_this_minute_and_the_last_are_what_counts_when_runs_are_older(waiting: Waiting) -> None:
    waiting.backlogs.add_run(8.0)
    rates = []
    for _ in range(3):
        rates.append(waiting.backlogs.of_runs(ACME).drained_per_second)
        waiting.clock.advance(timedelta(minutes=1))
    assert rates == [0.5, 0.5, WORKERS]


def test_confirmations_drain_at_the_senders_pace_when_some_wait(waiting: Waiting) -> None:
    before = waiting.backlogs.of_confirmations().waiting
    waiting.queue.wake_confirmer([REF])
    after = waiting.backlogs.of_confirmations()
    assert (after.waiting, after.drained_per_second) == (before + 1, CONFIRMED_A_SECOND)


def test_a_message_that_a_worker_is_at_counts_when_it_is_invisible(aws_endpoint: str, now: datetime) -> None:
    make_resources(aws_endpoint)
    sqs = client("sqs", endpoint=aws_endpoint)
    queue = SqsQueue(sqs)
    before = queue.depth(RUN_QUEUE)
    queue.wake_runner(REF, trace_id="")
    url = sqs.get_queue_url(QueueName=RUN_QUEUE)["QueueUrl"]
    [taken] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)["Messages"]
    assert queue.depth(RUN_QUEUE) == before + 1
    sqs.delete_message(QueueUrl=url, ReceiptHandle=taken["ReceiptHandle"])


def test_it_is_unavailable_when_nobody_answers(now: datetime) -> None:
    config = Config(connect_timeout=0.1, retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    # Nothing listens on a port of TCP's own.
    nobody = {"endpoint_url": "http://127.0.0.1:1", "config": config, **keys}
    gone = AwsBacklogs(
        Tables(boto3.client("dynamodb", **nobody), backoff=lambda _: None),
        SqsQueue(boto3.client("sqs", **nobody)),
        ManualClock(now),
    )
    for ask in (lambda: gone.of_runs(ACME), gone.of_confirmations, lambda: gone.add_run(1.0)):
        with pytest.raises(Unavailable):
            ask()
