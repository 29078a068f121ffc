"""A long poll waits without holding anybody up, and ends as soon as there is a message."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from emulation.aws import Aws
from emulation.clock import ManualClock
from tests.conformance.in_process import connect_in_process
from tests.conformance.long_polls import SOON_SECONDS, Waiters
from tests.conformance.messages import VISIBILITY_TIMEOUT_SECONDS, bodies, receive


@pytest.fixture
def poller() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


@pytest.fixture
def stoppable(clock: ManualClock) -> Iterator[Aws]:
    """The services once more, for whoever stops waiting in them; then the others' as before."""
    yield Aws(clock)
    Aws(clock)


def start_long_polls(
    pool: ThreadPoolExecutor, sqs: Any, queue_url: str, count: int = 1, *, looks_again: bool
) -> list[Future[list[dict[str, Any]]]]:
    """Starts polls of 20 s for one message each, and returns when they wait."""
    waiters = Waiters(queue_url, expected=count, looks_again=looks_again)
    polls = [pool.submit(receive, sqs, queue_url, 1, WaitTimeSeconds=20) for _ in range(count)]
    waiters.all_wait()
    return polls


def test_long_poll_wakes_at_once_when_a_message_arrives(
    sqs: Any, queue_url: str, poller: ThreadPoolExecutor
) -> None:
    (poll,) = start_long_polls(poller, sqs, queue_url, looks_again=False)

    sqs.send_message(QueueUrl=queue_url, MessageBody="a")

    assert bodies(poll.result(SOON_SECONDS)) == ["a"]


def test_each_long_poll_gets_a_message_when_two_wait(
    sqs: Any, queue_url: str, poller: ThreadPoolExecutor
) -> None:
    polls = start_long_polls(poller, sqs, queue_url, 2, looks_again=False)

    for body in ("a", "b"):
        sqs.send_message(QueueUrl=queue_url, MessageBody=body)

    assert sorted(body for poll in polls for body in bodies(poll.result(SOON_SECONDS))) == ["a", "b"]


def test_long_poll_wakes_when_the_clock_makes_a_message_visible(
    sqs: Any, queue_url: str, poller: ThreadPoolExecutor, clock: ManualClock
) -> None:
    sqs.send_message(QueueUrl=queue_url, MessageBody="a")
    receive(sqs, queue_url)
    (poll,) = start_long_polls(poller, sqs, queue_url, looks_again=True)

    clock.advance(VISIBILITY_TIMEOUT_SECONDS)

    assert bodies(poll.result(SOON_SECONDS)) == ["a"]


def test_long_poll_ends_empty_when_the_services_stop_waiting(
    stoppable: Aws, queue_url: str, poller: ThreadPoolExecutor
) -> None:
    sqs = connect_in_process(stoppable, "sqs")
    (poll,) = start_long_polls(poller, sqs, queue_url, looks_again=True)

    stoppable.stop_waiting()

    assert poll.result(SOON_SECONDS) == []
    assert receive(sqs, queue_url, WaitTimeSeconds=20) == []
