"""A long poll waits without holding anybody up, and ends as soon as there is a message."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from moto.sqs.models import sqs_backends

from emulation.aws_queue import LOCK
from emulation.clock import ManualClock
from tests.conformance.in_process import ACCOUNT, REGION
from tests.conformance.messages import VISIBILITY_TIMEOUT_SECONDS, bodies, receive

SOON_SECONDS = 5  # of real time: far more than a wake-up takes, far less than the 20 s of a long poll


@pytest.fixture
def poller() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def start_long_poll(pool: ThreadPoolExecutor, sqs: Any, queue_url: str) -> Future[list[dict[str, Any]]]:
    """Starts a poll of 20 s for one message, and returns when it waits."""
    waiting = threading.Event()

    class AnnouncedCondition(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            waiting.set()
            return super().wait(timeout)

    queue: Any = sqs_backends[ACCOUNT][REGION].queues[queue_url.rpartition("/")[2]]
    queue.arrived = AnnouncedCondition(LOCK)
    poll = pool.submit(receive, sqs, queue_url, 1, WaitTimeSeconds=20)
    assert waiting.wait(SOON_SECONDS), "the poll does not wait"
    return poll


def test_long_poll_wakes_when_a_message_arrives(sqs: Any, queue_url: str, poller: ThreadPoolExecutor) -> None:
    poll = start_long_poll(poller, sqs, queue_url)

    sqs.send_message(QueueUrl=queue_url, MessageBody="a")

    assert bodies(poll.result(SOON_SECONDS)) == ["a"]


def test_long_poll_wakes_when_the_clock_makes_a_message_visible(
    sqs: Any, queue_url: str, poller: ThreadPoolExecutor, clock: ManualClock
) -> None:
    sqs.send_message(QueueUrl=queue_url, MessageBody="a")
    receive(sqs, queue_url)
    poll = start_long_poll(poller, sqs, queue_url)

    clock.advance(VISIBILITY_TIMEOUT_SECONDS)

    assert bodies(poll.result(SOON_SECONDS)) == ["a"]


def test_each_long_poll_gets_a_message_when_two_wait(
    sqs: Any, queue_url: str, poller: ThreadPoolExecutor
) -> None:
    polls = [start_long_poll(poller, sqs, queue_url) for _ in range(2)]

    for body in ("a", "b"):
        sqs.send_message(QueueUrl=queue_url, MessageBody=body)

    assert sorted(body for poll in polls for body in bodies(poll.result(SOON_SECONDS))) == ["a", "b"]
