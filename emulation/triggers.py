"""What wakes functions besides the gateway: messages in queues, and schedules.

A mapping takes messages only while its function has a free place, so none waits here with its visibility
running out. A message is deleted once its function is done with it, and only then: at least once, as in
Lambda.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from emulation.clock import Clock, monotonic, pause, request_id
from emulation.functions import FunctionError, FunctionHost
from emulation.schedule import event_at, next_due, period_seconds
from emulation.sqs_event import Message, done_messages, event_of
from emulation.worker import Declared, QueueSource, Schedule

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

T = TypeVar("T")
Invoke = Callable[[str, object, float], Awaitable[object]]

LANES = 4
"""Invocations of a function at once where the app does not say: enough to overlap waiting on two cores."""
LONG_POLL_SECONDS = 1
"""Short, for a poll that has begun cannot be called back and a stop must not wait for it."""
SHORT_POLL_SECONDS = 0.1
TICK_SECONDS = 0.05
"""How late a schedule may fire, in real time; the clock that it follows may jump at any moment."""
TRIES_AGAIN_SECONDS = 1.0
LAMBDA_MAX_SECONDS = 900.0
"""No invocation lasts longer in Lambda, so its own limit decides."""
_RECEIVES_AT_MOST = 10
_LOG = logging.getLogger(__name__)


class QueueMapping:
    """Hands one queue's messages to its function, batch by batch, `lanes` batches at once."""

    def __init__(self, source: QueueSource, sqs: "SQSClient", invoke: Invoke, *, lanes: int) -> None:
        self._source = source
        self._sqs = sqs
        self._invoke = invoke
        self._lanes = asyncio.Semaphore(lanes)
        self._threads = ThreadPoolExecutor(lanes + 1, thread_name_prefix=f"poll-{source.queue}")
        self._url = self._arn = ""

    async def run(self) -> None:
        """Runs until cancelled; a queue that cannot be reached is tried again."""
        try:
            async with asyncio.TaskGroup() as batches:
                while True:
                    await self._lanes.acquire()
                    messages = await self._gather()
                    batches.create_task(self._process(messages))
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _gather(self) -> list[Message]:
        """A batch: full, or as much of it as came within its window; never empty."""
        batch: list[Message] = []
        while not batch:
            batch = await self._receive(self._source.batch_size, LONG_POLL_SECONDS)
        closes = monotonic() + self._source.window_seconds
        while len(batch) < self._source.batch_size and (left := closes - monotonic()) > 0:
            more = await self._receive(
                self._source.batch_size - len(batch), min(LONG_POLL_SECONDS, int(left))
            )
            batch += more
            if not more and left < 1:
                await pause(min(SHORT_POLL_SECONDS, left))
        return batch

    async def _process(self, messages: list[Message]) -> None:
        try:
            answer = await self._invoke(
                self._source.function, event_of(messages, self._arn), LAMBDA_MAX_SECONDS
            )
            await self._delete(done_messages(messages, answer))
        except FunctionError as error:
            _LOG.warning("%s: %s; %d messages come back", self._source.queue, error, len(messages))
        except (BotoCoreError, ClientError) as error:
            _LOG.warning("%s: not deleted, so delivered again: %s", self._source.queue, error)
        except Exception:  # outermost: no batch ends the others
            _LOG.exception("%s: %d messages come back", self._source.queue, len(messages))
        finally:
            self._lanes.release()

    async def _receive(self, count: int, wait_seconds: int) -> list[Message]:
        try:
            at_most = min(_RECEIVES_AT_MOST, count)
            return await self._in_thread(partial(self._receive_now, at_most, wait_seconds))
        except (BotoCoreError, ClientError) as error:
            _LOG.warning("%s: %s", self._source.queue, error)
            await pause(TRIES_AGAIN_SECONDS)
            return []

    def _receive_now(self, count: int, wait_seconds: int) -> list[Message]:
        if not self._url:
            self._url = self._sqs.get_queue_url(QueueName=self._source.queue)["QueueUrl"]
            asked = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
            self._arn = asked["Attributes"]["QueueArn"]
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=count,
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    async def _delete(self, messages: Sequence[Message]) -> None:
        for start in range(0, len(messages), _RECEIVES_AT_MOST):
            entries: Any = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages[start : start + _RECEIVES_AT_MOST])
            ]
            await self._in_thread(
                partial(self._sqs.delete_message_batch, QueueUrl=self._url, Entries=entries)
            )

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


async def run_schedule(schedule: Schedule, clock: Clock, invoke: Invoke) -> None:
    """Fires when the stack's clock says so, until cancelled; what a jump of the clock missed is one firing.

    A firing waits for the one before: a function that overruns its own period is not run twice at once.
    """
    period = period_seconds(schedule.expression)
    due = clock.now() + period
    while True:
        await pause(TICK_SECONDS)
        if (now := clock.now()) < due:
            continue
        due = next_due(due, now, period)
        try:
            await invoke(
                schedule.function, event_at(now, schedule.function, request_id()), LAMBDA_MAX_SECONDS
            )
        except FunctionError as error:
            _LOG.warning("%s fires again when it is due: %s", schedule.function, error)
        except Exception:  # outermost: no firing ends the next ones
            _LOG.exception("%s fires again when it is due", schedule.function)


def lanes_of(source: QueueSource, *, reserved: int | None) -> int:
    """How many batches of a queue run at once: what its mapping and its function both allow."""
    limits = [limit for limit in (source.maximum_concurrency, reserved) if limit]
    return min(limits, default=LANES)


async def run_triggers(declared: Declared, sqs: "SQSClient", clock: Clock, host: FunctionHost) -> None:
    """Runs all that the app declared, until cancelled."""
    async with asyncio.TaskGroup() as running:
        for source in declared.queues:
            lanes = lanes_of(source, reserved=host.concurrency(source.function))
            running.create_task(QueueMapping(source, sqs, host.invoke, lanes=lanes).run())
        for schedule in declared.schedules:
            running.create_task(run_schedule(schedule, clock, host.invoke))
        await asyncio.Event().wait()
