"""One SQS queue, constant in its length and honest about who holds a message.

moto walks every message on each send, receive and delete, and lets an outdated receipt handle delete a
message that someone else now holds. Here a queue keeps its messages in a `Mailbox`.

Invariant: whoever touches a queue holds `LOCK`, for moto's other services send to queues from their threads.
Deliberately absent: moto's Lambda event source mappings, for the stack has its own triggers.
"""

import base64
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from moto.sqs import models
from moto.sqs.exceptions import InvalidParameterValue, ReceiptHandleIsInvalid, SQSException

from emulation.aws_mailbox import Mailbox, Place
from emulation.clock import Clock, SystemClock

LOCK = threading.RLock()

# SQS lets a message be held for 12 hours from the receive, however often its visibility is changed.
LONGEST_HOLD_MS = 12 * 3600 * 1000


class MessageNotInflight(ReceiptHandleIsInvalid):
    """The receipt handle holds no message: it is visible again, gone, or held by another receiver."""

    def __init__(self) -> None:
        SQSException.__init__(
            self, "MessageNotInflight", "No message is in flight under this receipt handle."
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receive of one message; its handle says it all, so nothing is remembered of receives gone by."""

    queue_arn: str
    message_id: str
    receive_count: int
    received_ms: int

    @property
    def handle(self) -> str:
        fields = f"{self.queue_arn} {self.message_id} {self.receive_count} {self.received_ms}"
        return base64.urlsafe_b64encode(fields.encode()).decode()

    @classmethod
    def read(cls, handle: str) -> "Receipt":
        """The receipt of a handle, or raises `ReceiptHandleIsInvalid`."""
        try:
            arn, message_id, receive_count, received_ms = base64.urlsafe_b64decode(handle).decode().split(" ")
            return cls(arn, message_id, int(receive_count), int(received_ms))
        except ValueError as error:
            raise ReceiptHandleIsInvalid from error


class ConstantTimeQueue(models.Queue):
    """A queue whose send, receive, delete and counts cost the same at any length."""

    message_retention_period: int  # seconds; moto sets it from the queue's attributes
    redrive_policy: dict[str, Any] | None
    clock: ClassVar[Clock] = SystemClock()

    def __init__(self, name: str, region: str, account_id: str, **attributes: Any) -> None:
        super().__init__(name, region, account_id, **attributes)
        self.arrived = threading.Condition(LOCK)
        self._mailbox: Mailbox[models.Message] = Mailbox()
        self._sent_at_ms: dict[str, float] = {}  # by deduplication id, FIFO queues only

    def add_message(self, message: models.Message) -> None:
        """Adds a message and wakes one long poll; a FIFO queue takes no duplicate within five minutes."""
        with LOCK:
            if self.fifo_queue and message.deduplication_id and self._is_duplicate(message.deduplication_id):
                return
            self._put(message)

    def _put(self, message: models.Message) -> None:
        self._mailbox.put(message, due_ms=message.delayed_until)
        self.arrived.notify()

    def take(self, count: int, visibility_timeout_seconds: int) -> list[models.Message]:
        """Up to `count` ready messages, each now held under a new receipt handle.

        Those received too often go to the dead-letter queue instead, when they would be received, as on AWS.
        """
        now_ms = self._now_ms()
        self._forget_expired(now_ms)
        messages = list(self._deliverable(count, now_ms))
        for message in messages:
            message.approximate_receive_count += 1
            if message.approximate_receive_count == 1:
                message.approximate_first_receive_timestamp = int(now_ms)
            receipt = Receipt(self.queue_arn, message.id, message.approximate_receive_count, int(now_ms))
            message.receipt_handle = receipt.handle
            self._mailbox.hold(message.id, due_ms=now_ms + visibility_timeout_seconds * 1000)
        return messages

    def delete_message(self, receipt_handle: str) -> None:
        """Deletes what the handle holds; an outdated handle succeeds and deletes nothing, as on AWS."""
        with LOCK:
            if message := self._held_under(Receipt.read(receipt_handle)):
                self._mailbox.remove(message.id)

    def change_visibility(self, receipt_handle: str, visibility_timeout_seconds: int) -> None:
        """Hides the message that the handle holds from now on for so long, or raises `MessageNotInflight`."""
        now_ms = self._now_ms()
        receipt = Receipt.read(receipt_handle)
        message = self._held_under(receipt)
        if message is None or self._mailbox.place(message.id, now_ms=now_ms) is not Place.IN_FLIGHT:
            raise MessageNotInflight
        due_ms = now_ms + visibility_timeout_seconds * 1000
        if due_ms - receipt.received_ms > LONGEST_HOLD_MS:
            raise InvalidParameterValue(
                f"Value {visibility_timeout_seconds} for parameter VisibilityTimeout is invalid. "
                "Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"
            )
        self._mailbox.hold(message.id, due_ms=due_ms)

    def _now_ms(self) -> float:
        return self.clock.now() * 1000

    def clear(self) -> None:
        """Forgets every message."""
        self._mailbox = Mailbox()

    @property
    def messages(self) -> list[models.Message]:
        self._forget_expired(self._now_ms())
        return self._mailbox.at(Place.READY, now_ms=self._now_ms())

    @property
    def approximate_number_of_messages(self) -> int:
        return self._count(Place.READY)

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        return self._count(Place.DELAYED)

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        return self._count(Place.IN_FLIGHT)

    def _count(self, place: Place) -> int:
        now_ms = self._now_ms()
        with LOCK:
            self._forget_expired(now_ms)
            return self._mailbox.count(place, now_ms=now_ms)

    def _deliverable(self, count: int, now_ms: float) -> Iterator[models.Message]:
        busy = self._busy_groups(now_ms)
        passed_over = []
        while count and (message := self._mailbox.pop(now_ms=now_ms)):
            if message.group_id in busy:
                passed_over.append(message.id)
            elif self._is_spent(message):
                self._bury(message)
            else:
                count -= 1
                yield message
        for message_id in passed_over:
            self._mailbox.release(message_id)

    def _busy_groups(self, now_ms: float) -> set[str | None]:
        """The groups of a FIFO queue that someone is working on, at a cost of all its messages."""
        if not self.fifo_queue:
            return set()
        return {message.group_id for message in self._mailbox.at(Place.IN_FLIGHT, now_ms=now_ms)}

    def _is_spent(self, message: models.Message) -> bool:
        if self.dead_letter_queue is None or not self.redrive_policy:
            return False
        return message.approximate_receive_count >= int(self.redrive_policy["maxReceiveCount"])

    def _bury(self, message: models.Message) -> None:
        """Moves the message past deduplication, for it is no copy of what the other queue took before."""
        self._mailbox.remove(message.id)
        assert isinstance(self.dead_letter_queue, ConstantTimeQueue)
        self.dead_letter_queue._put(message)

    def _forget_expired(self, now_ms: float) -> None:
        sent_before_ms = now_ms - self.message_retention_period * 1000
        while (oldest := self._mailbox.oldest()) and (oldest.sent_timestamp or 0) <= sent_before_ms:
            self._mailbox.remove(oldest.id)

    def _held_under(self, receipt: Receipt) -> models.Message | None:
        if receipt.queue_arn != self.queue_arn:
            raise ReceiptHandleIsInvalid
        message = self._mailbox.get(receipt.message_id)
        return message if message and message.approximate_receive_count == receipt.receive_count else None

    def _is_duplicate(self, deduplication_id: str) -> bool:
        now_ms = self._now_ms()
        forget_before_ms = now_ms - models.DEDUPLICATION_TIME_IN_SECONDS * 1000
        while self._sent_at_ms and next(iter(self._sent_at_ms.values())) <= forget_before_ms:
            del self._sent_at_ms[next(iter(self._sent_at_ms))]
        if deduplication_id in self._sent_at_ms:
            return True
        self._sent_at_ms[deduplication_id] = now_ms
        return False
