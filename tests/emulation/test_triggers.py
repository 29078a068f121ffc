"""What Lambda's event source mappings and EventBridge's schedules promise, with a queue that is a list."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from emulation.clock import ManualClock
from emulation.functions import FunctionFailed
from emulation.sqs_event import event_of
from emulation.triggers import LANES, QueueMapping, lanes_of, run_schedule
from emulation.worker import QueueSource, Schedule
from tests.emulation.list_queue import HeldQueue, ListQueue, message

START = 1_795_000_000.0
PATIENCE = 20.0


@dataclass(slots=True)
class Function:
    """Takes invocations, and gives each the answer that the test chose."""

    answer: Callable[[list[str]], object] = lambda bodies: None
    events: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)

    async def invoke(self, name: str, event: Any, timeout_seconds: float) -> object:
        self.events.put_nowait(event)
        return self.answer([record["body"] for record in event.get("Records", [])])

    async def next_event(self) -> Any:
        return await asyncio.wait_for(self.events.get(), PATIENCE)

    async def next_bodies(self) -> list[str]:
        return [record["body"] for record in (await self.next_event())["Records"]]


@asynccontextmanager
async def mapped(
    queue: ListQueue, invoke: Any, *, batch_size: int = 1, window_seconds: int = 0, lanes: int = 1
) -> AsyncIterator[None]:
    source = QueueSource(
        function="work",
        queue="jobs",
        batch_size=batch_size,
        window_seconds=window_seconds,
        maximum_concurrency=None,
    )
    sqs: Any = queue
    mapping = QueueMapping(source, sqs, invoke, lanes=lanes)
    async with cancelled_at_the_end(mapping.run()):
        yield


@asynccontextmanager
async def cancelled_at_the_end(running: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(running)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, timeout=2)


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await scenario()

    asyncio.run(whole())


def failing(bodies: list[str]) -> object:
    raise FunctionFailed("work", "ValueError", "not today")


def broken(bodies: list[str]) -> object:
    raise RuntimeError("nobody thought of this")


@pytest.mark.parametrize(
    ("answer", "deleted"),
    [
        (lambda bodies: None, ["a", "b", "c"]),
        (lambda bodies: "done", ["a", "b", "c"]),
        (lambda bodies: {"batchItemFailures": []}, ["a", "b", "c"]),
        (lambda bodies: {"batchItemFailures": [{"itemIdentifier": "id of b"}]}, ["a", "c"]),
        (lambda bodies: {"batchItemFailures": [{"itemIdentifier": None}]}, []),
        (lambda bodies: {"batchItemFailures": [{"id": "id of b"}]}, []),
        (lambda bodies: {"batchItemFailures": [{"itemIdentifier": "of another batch"}]}, []),
        (lambda bodies: {"batchItemFailures": [{"itemIdentifier": []}]}, []),
        (lambda bodies: {"batchItemFailures": "id of b"}, []),
        (failing, []),
        (broken, []),
    ],
    ids=[
        *("nothing", "text", "no failures", "one failed"),
        *("null", "no id", "unknown id", "odd id", "no list", "raised", "bug"),
    ],
)
def test_done_messages_are_deleted_when_a_batch_ends(
    answer: Callable[[list[str]], object], deleted: list[str]
) -> None:
    async def scenario() -> None:
        queue, function = ListQueue(), Function(lambda bodies: answer(bodies) if bodies != ["last"] else None)
        async with mapped(queue, function.invoke, batch_size=3):
            queue.send("a", "b", "c")
            assert await function.next_bodies() == ["a", "b", "c"]
            queue.send("last")
            assert await function.next_bodies() == ["last"]  # the only lane was free, so the batch had ended
            assert [body for body in queue.deleted if body != "last"] == deleted

    play(scenario)


def test_batch_is_larger_than_a_receive_when_its_size_and_window_allow() -> None:
    async def scenario() -> None:
        queue, function = ListQueue(), Function()
        bodies = [str(number) for number in range(50)]
        queue.send(*bodies)
        async with mapped(queue, function.invoke, batch_size=25, window_seconds=5):
            assert await function.next_bodies() == bodies[:25]
            assert await function.next_bodies() == bodies[25:]
            assert queue.deleted[:25] == bodies[:25]

    play(scenario)


def test_part_of_a_batch_goes_on_when_its_window_ends() -> None:
    async def scenario() -> None:
        queue, function = ListQueue(), Function()
        async with mapped(queue, function.invoke, batch_size=25, window_seconds=1):
            queue.send("alone")
            assert await function.next_bodies() == ["alone"]

    play(scenario)


def test_messages_stay_in_the_queue_when_all_lanes_are_busy() -> None:
    async def scenario() -> None:
        queue, function, done = ListQueue(["a", "b", "c"]), Function(), asyncio.Event()

        async def invoke(name: str, event: Any, timeout_seconds: float) -> None:
            await function.invoke(name, event, timeout_seconds)
            await done.wait()

        async with mapped(queue, invoke, lanes=2):
            assert {*await function.next_bodies(), *await function.next_bodies()} == {"a", "b"}
            assert queue.waiting == ["c"]
            done.set()
            assert await function.next_bodies() == ["c"]

    play(scenario)


def test_mapping_ends_at_once_when_it_is_cancelled_in_a_long_poll() -> None:
    async def scenario() -> None:
        queue = HeldQueue()
        try:
            async with mapped(queue, Function().invoke):
                assert await asyncio.to_thread(queue.polled.wait, PATIENCE)
        finally:
            queue.released.set()

    play(scenario)


@pytest.mark.parametrize(
    ("maximum", "reserved", "lanes"), [(None, None, LANES), (7, None, 7), (None, 6, 6), (9, 2, 2), (3, 8, 3)]
)
def test_lanes_are_what_both_limits_allow_when_a_mapping_begins(
    maximum: int | None, reserved: int | None, lanes: int
) -> None:
    source = QueueSource(
        function="work", queue="jobs", batch_size=1, window_seconds=0, maximum_concurrency=maximum
    )
    assert lanes_of(source, reserved=reserved) == lanes


def test_one_firing_makes_up_for_all_missed_when_the_clock_jumps() -> None:
    async def scenario() -> None:
        clock, function = ManualClock(START), Function()
        schedule = Schedule(function="sweep", expression="rate(1 minute)")
        async with cancelled_at_the_end(run_schedule(schedule, clock, function.invoke)):
            await asyncio.to_thread(lambda: None)  # the schedule has begun
            clock.advance(3600)
            first = await function.next_event()
            clock.advance(60)
            second = await function.next_event()
        assert function.events.empty()
        assert (first["time"], second["time"]) == ("2026-11-18T12:06:40Z", "2026-11-18T12:07:40Z")
        assert (first["source"], first["detail-type"]) == ("aws.events", "Scheduled Event")

    play(scenario)


@pytest.mark.parametrize("answer", [failing, broken])
def test_schedule_fires_again_when_its_function_failed(answer: Callable[[list[str]], object]) -> None:
    async def scenario() -> None:
        clock, function = ManualClock(START), Function(answer)
        schedule = Schedule(function="sweep", expression="rate(5 minutes)")
        async with cancelled_at_the_end(run_schedule(schedule, clock, function.invoke)):
            await asyncio.to_thread(lambda: None)
            for _ in range(2):
                clock.advance(300)
                await function.next_event()

    play(scenario)


def test_event_has_lambdas_shape_when_a_message_has_attributes() -> None:
    attributes = {
        "trace": {"DataType": "String", "StringValue": "abc"},
        "digest": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    received = {**message("hello"), "MessageAttributes": attributes}
    (record,) = event_of([received], "arn:aws:sqs:us-east-1:123456789012:jobs")["Records"]
    assert record == {
        "messageId": "id of hello",
        "receiptHandle": "receipt of hello",
        "body": "hello",
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {
            "trace": {
                "stringValue": "abc",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            },
            "digest": {
                "binaryValue": "AP8=",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "Binary",
            },
        },
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:jobs",
        "awsRegion": "us-east-1",
    }
