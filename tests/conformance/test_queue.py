"""One suite for the messages that wake functions: on the queue in memory, and on SQS."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from chalicelib.adapters.memory import MemoryQueue
from chalicelib.adapters.sqs import CONFIRM_QUEUE, RUN_DEAD_QUEUE, RUN_QUEUE, SqsQueue
from chalicelib.domain import tracing
from chalicelib.domain.job import JobRef
from chalicelib.ports import Queue
from chalicelib.web import messages
from emulation.sqs_event import event_of
from tests.conformance.real_ports import client, make_resources
from tests.unit.world import ACME

REF, OTHER = JobRef(ACME, "job_1"), JobRef(ACME, "job_2")
TRACE = tracing.new_trace_id("r")

Message = tuple[Sequence[JobRef], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A queue, and the last message to each function or kept as a dead letter: its jobs and trace ids.

    `delay` is how long the last message to a worker waits, in seconds.
    """

    queue: Queue
    run: Callable[[], Message]
    confirm: Callable[[], Message]
    dead: Callable[[], Message]
    delay: Callable[[], int]


@pytest.fixture(params=["memory", "real"])
def heard(request: pytest.FixtureRequest) -> Heard:
    if request.param == "memory":
        queue = MemoryQueue()

        def carried() -> list[str]:
            return [each for each in queue.trace_ids[-1:] if each]

        return Heard(
            queue=queue,
            run=lambda: (queue.run[-1:], carried()),
            confirm=lambda: (queue.confirm[-1], carried()),
            dead=lambda: (queue.dead[-1:], carried()),
            delay=lambda: queue.delays[-1],
        )
    endpoint = request.getfixturevalue("aws_endpoint")
    make_resources(endpoint)
    sqs = client("sqs", endpoint=endpoint)
    for name in (RUN_QUEUE, CONFIRM_QUEUE, RUN_DEAD_QUEUE):
        _take(sqs, name)
    delays: list[int] = []
    sqs.meta.events.register(
        "provide-client-params.sqs.SendMessage", lambda params, **_: delays.append(params["DelaySeconds"])
    )
    return Heard(
        queue=SqsQueue(sqs),
        run=lambda: _take(sqs, RUN_QUEUE),
        confirm=lambda: _take(sqs, CONFIRM_QUEUE),
        dead=lambda: _take(sqs, RUN_DEAD_QUEUE),
        delay=lambda: delays[-1],
    )


def _take(sqs: object, name: str) -> Message:
    """The jobs and the traces of all that waits, which is taken, as our functions find them."""
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]  # type: ignore[attr-defined]
    ask = {"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
    jobs: list[JobRef] = []
    traces: list[str] = []
    while found := sqs.receive_message(**ask).get("Messages"):  # type: ignore[attr-defined]
        event = event_of(found, f"arn:aws:sqs:us-east-1:123456789012:{name}")
        jobs += messages.jobs_of(event)
        traces += messages.trace_ids_of(event)
        for each in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])  # type: ignore[attr-defined]
    return jobs, traces


def test_a_message_carries_the_jobs_trace_when_it_names_one_job(heard: Heard) -> None:
    heard.queue.wake_runner(REF, trace_id=TRACE)
    run = heard.run()
    heard.queue.wake_confirmer([REF], trace_id=TRACE)
    confirm = heard.confirm()
    assert (list(run[0]), run[1]) == ([REF], [TRACE])
    assert (list(confirm[0]), confirm[1]) == ([REF], [TRACE])


def test_a_message_carries_no_trace_when_it_names_many_jobs_or_none(heard: Heard) -> None:
    for refs in ([REF, OTHER], []):
        heard.queue.wake_confirmer(refs)
        jobs, traces = heard.confirm()
        assert (list(jobs), traces) == (refs, [])


@pytest.mark.parametrize("seconds", [0, 900])
def test_a_message_waits_as_long_as_it_is_told_when_a_worker_is_to_look_later(
    heard: Heard, seconds: int
) -> None:
    heard.queue.wake_runner(REF, trace_id=TRACE, delay_seconds=seconds)
    assert heard.delay() == seconds


def test_a_dead_letter_names_its_job_and_is_counted_when_it_is_kept(heard: Heard) -> None:
    assert heard.queue.dead_letters()[RUN_DEAD_QUEUE] == 0
    heard.queue.bury_run(REF, trace_id=TRACE)
    assert heard.queue.dead_letters()[RUN_DEAD_QUEUE] == 1
    jobs, traces = heard.dead()
    assert (list(jobs), traces) == ([REF], [TRACE])
