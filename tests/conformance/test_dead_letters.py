"""One suite for the messages that no function could deal with: in memory, and on SQS."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.adapters.memory_letters import MemoryDeadLetters
from chalicelib.adapters.sqs_letters import QUEUES, SqsDeadLetters
from chalicelib.domain import tracing, wake_up
from chalicelib.domain.dead_letter import DeadLetter, DeadQueue
from chalicelib.domain.job import JobRef
from chalicelib.ports import DeadLetters
from chalicelib.ports.administration import HIDDEN_FOR
from emulation.aws import Aws
from emulation.clock import ManualClock
from tests.conformance.in_process import connect_in_process
from tests.conformance.messages import bodies, receive
from tests.unit.world import ACME

REFS = tuple(JobRef(ACME, f"job_{n}") for n in range(12))
TRACEPARENT = tracing.traceparent(tracing.new_trace_id("r"), step="run")
EACH_QUEUE = pytest.mark.parametrize("queue", DeadQueue)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The letters, what buries one, and the bodies of what each function gets."""

    letters: DeadLetters
    bury: Callable[..., None]
    heard: Callable[[DeadQueue], Sequence[str]]


@pytest.fixture(params=["memory", "real"])
def office(request: pytest.FixtureRequest, aws: Aws, clock: ManualClock) -> Office:
    if request.param == "memory":
        letters = MemoryDeadLetters(now=lambda: datetime.fromtimestamp(clock.now(), UTC))
        return Office(
            letters=letters,
            bury=letters.bury,
            heard=lambda queue: [body for sent, body, _ in letters.sent if sent is queue],
        )
    return on_sqs(connect_in_process(aws, "sqs"), clock)


def on_sqs(sqs: Any, clock: ManualClock) -> Office:
    """On queues in which nothing is left of another test."""
    clock.advance(HIDDEN_FOR.total_seconds() + 1)
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for names in QUEUES.values() for name in names}
    for url in urls.values():
        while found := receive(sqs, url):
            for message in found:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def bury(queue: DeadQueue, refs: Sequence[JobRef], *, traceparent: str | None = None) -> None:
        carried = {"traceparent": {"DataType": "String", "StringValue": traceparent}} if traceparent else {}
        url = urls[QUEUES[queue][0]]
        sqs.send_message(QueueUrl=url, MessageBody=wake_up.encode(refs), MessageAttributes=carried)

    return Office(
        letters=SqsDeadLetters(sqs),
        bury=bury,
        heard=lambda queue: bodies(receive(sqs, urls[QUEUES[queue][1]])),
    )


def seen(office: Office, queue: DeadQueue = DeadQueue.RUN) -> list[DeadLetter]:
    """Every letter of the queue, by as many looks as that takes."""
    found: list[DeadLetter] = []
    while look := office.letters.look(queue):
        found += look
    return found


@EACH_QUEUE
def test_a_letter_is_shown_with_its_jobs_and_its_trace_when_it_is_looked_at(
    office: Office, clock: ManualClock, queue: DeadQueue
) -> None:
    office.bury(queue, REFS[:2], traceparent=TRACEPARENT)
    office.bury(queue, [])
    first, second = seen(office, queue)
    assert (first.queue, first.refs, first.traceparent) == (queue, REFS[:2], TRACEPARENT)
    assert (second.refs, second.traceparent, second.received) == ((), None, 1)
    assert abs(first.sent_at.timestamp() - clock.now()) < 1
    assert {len(seen(office, other)) for other in DeadQueue} == {0}


def test_each_letter_is_shown_once_when_they_are_more_than_a_look_finds(office: Office) -> None:
    for ref in REFS:
        office.bury(DeadQueue.RUN, [ref])
    found = seen(office)
    assert {ref for letter in found for ref in letter.refs} == set(REFS)
    assert len({letter.message_id for letter in found}) == len(REFS)


def test_nobody_else_finds_a_letter_until_it_is_put_back(office: Office) -> None:
    office.bury(DeadQueue.RUN, REFS[:1])
    mine = seen(office)
    assert seen(office) == []
    office.letters.put_back(mine)
    (again,) = seen(office)
    assert (again.message_id, again.received) == (mine[0].message_id, 2)


def test_a_letter_is_found_again_when_who_looked_at_it_was_cut_off(
    office: Office, clock: ManualClock
) -> None:
    office.bury(DeadQueue.RUN, REFS[:1])
    (mine,) = seen(office)
    clock.advance(HIDDEN_FOR.total_seconds() + 1)
    (other,) = seen(office)
    assert other.message_id == mine.message_id


@EACH_QUEUE
def test_the_function_gets_the_message_and_the_letter_stays_when_it_is_sent_again(
    office: Office, queue: DeadQueue
) -> None:
    office.bury(queue, REFS[:2], traceparent=TRACEPARENT)
    (letter,) = seen(office, queue)
    office.letters.send_again(letter)
    assert office.heard(queue) == [letter.body]
    office.letters.put_back([letter])
    assert len(seen(office, queue)) == 1


def test_a_letter_is_gone_when_it_is_removed_however_often(office: Office) -> None:
    for ref in REFS[:2]:
        office.bury(DeadQueue.RUN, [ref])
    first, second = seen(office)
    for _ in range(2):
        office.letters.remove(first)
    office.letters.put_back([first, second])
    assert [letter.message_id for letter in seen(office)] == [second.message_id]


def test_nothing_is_lost_when_one_removes_and_another_puts_back_what_both_have_seen(
    office: Office, clock: ManualClock
) -> None:
    office.bury(DeadQueue.RUN, REFS[:1])
    mine = seen(office)
    clock.advance(HIDDEN_FOR.total_seconds() + 1)
    theirs = seen(office)
    office.letters.remove(theirs[0])
    office.letters.put_back(mine)
    assert seen(office) == []


def test_a_message_that_is_not_ours_names_no_job(aws: Aws, clock: ManualClock) -> None:
    sqs = connect_in_process(aws, "sqs")
    office = on_sqs(sqs, clock)
    url = sqs.get_queue_url(QueueName=QUEUES[DeadQueue.RUN][0])["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="nonsense")
    (letter,) = seen(office)
    assert (letter.refs, letter.body) == ((), "nonsense")
