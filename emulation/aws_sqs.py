"""What of moto's SQS is replaced: its queues, its receive with its long poll, its clock."""

import threading
from collections.abc import Callable

from moto.sqs import models

from emulation.aws_patch import Patch, Untracked
from emulation.aws_queue import LOCK, ConstantTimeQueue
from emulation.clock import Clock, monotonic

# A message that is sent wakes a long poll at once. One that time makes visible, and a stop, nobody announces:
# so late they may be seen. It is short against the second that visibility timeouts are counted in, long
# against a look at the queue.
LOOK_AGAIN_SECONDS = 0.05

_moto_purge_queue = models.SQSBackend.purge_queue


def receive_message_until(stopping: threading.Event) -> Callable[..., list[models.Message]]:
    """The backend's receive, which no longer waits once `stopping` is set."""

    def receive_message(
        backend: models.SQSBackend,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[models.Message]:
        """Up to `count` messages as soon as there are any, or none after the wait, when the lock is free."""
        give_up_at = monotonic() + wait_seconds_timeout
        with LOCK:
            queue = _queue(backend, queue_name)
            while not (messages := queue.take(count, visibility_timeout)):
                left_seconds = give_up_at - monotonic()
                if left_seconds <= 0 or stopping.is_set():
                    return []
                queue.arrived.wait(min(left_seconds, LOOK_AGAIN_SECONDS))
            return [_with_attributes(message, message_attribute_names or []) for message in messages]

    return receive_message


def change_message_visibility(
    backend: models.SQSBackend, queue_name: str, receipt_handle: str, visibility_timeout: int
) -> None:
    """Hides the message that the handle holds for so long from now, and from no one else's hold."""
    with LOCK:
        _queue(backend, queue_name).change_visibility(receipt_handle, visibility_timeout)


def purge_queue(backend: models.SQSBackend, queue_name: str) -> None:
    """Empties the queue."""
    with LOCK:
        _moto_purge_queue(backend, queue_name)
        _queue(backend, queue_name).clear()


def _queue(backend: models.SQSBackend, queue_name: str) -> ConstantTimeQueue:
    queue = backend.get_queue(queue_name)
    assert isinstance(queue, ConstantTimeQueue), "a queue made before the patches"
    return queue


def _with_attributes(message: models.Message, names: list[str]) -> models.Message:
    """A copy showing only the message attributes asked for, made past moto's list of all messages."""
    shown = object.__new__(models.Message)
    shown.__dict__.update(message.__dict__)
    models._filter_message_attributes(shown, names)
    return shown


_ALWAYS = (
    Patch(
        owner=models,
        name="Queue",
        replacement=ConstantTimeQueue,
        reason="moto walks all messages to send one, and deletes by outdated receipt handles",
        test="test_message_stays_with_its_holder_when_an_outdated_handle_deletes_it",
    ),
    Patch(
        owner=models.SQSBackend,
        name="change_message_visibility",
        replacement=change_message_visibility,
        reason="moto lets an outdated handle change another receiver's hold",
        test="test_outdated_handle_changes_no_visibility_when_another_holds_the_message",
    ),
    Patch(
        owner=models.SQSBackend,
        name="purge_queue",
        replacement=purge_queue,
        reason="moto empties its own lists, which hold nothing any more",
        test="test_queue_is_empty_when_purged",
    ),
    Patch(
        owner=models.Message,
        name="instances_tracked",
        replacement=Untracked(),
        reason="moto remembers every message ever sent",
        test="test_nothing_is_remembered_of_items_and_messages_that_are_gone",
    ),
)


def patches(clock: Clock, stopping: threading.Event) -> tuple[Patch, ...]:
    """What of moto's SQS is replaced, and why; long polls end when `stopping` is set."""
    return (
        *_ALWAYS,
        Patch(
            owner=models.SQSBackend,
            name="receive_message",
            replacement=receive_message_until(stopping),
            reason="moto walks all messages to receive one, and would hold the lock through a long poll",
            test="test_hidden_message_is_received_again_when_its_visibility_timeout_has_passed",
        ),
        *_in_the_time_of(clock),
    )


def _in_the_time_of(clock: Clock) -> tuple[Patch, ...]:
    return (
        Patch(
            owner=ConstantTimeQueue,
            name="clock",
            replacement=clock,
            reason="our queues live in the stack's time",
            test="test_hidden_message_is_received_again_when_its_visibility_timeout_has_passed",
        ),
        Patch(
            owner=models,
            name="unix_time",
            replacement=lambda: clock.now(),
            reason="moto stamps queues by the machine's clock",
            test="test_queue_is_stamped_by_the_stacks_clock_when_created",
        ),
        Patch(
            owner=models,
            name="unix_time_millis",
            replacement=lambda: clock.now() * 1000,
            reason="moto stamps and delays messages by the machine's clock",
            test="test_delayed_message_is_received_when_its_delay_has_passed",
        ),
    )
