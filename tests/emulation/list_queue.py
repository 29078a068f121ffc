"""A queue that is a list, behind as much of an SQS client as an event source mapping uses."""

import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class ListQueue:
    """As much of an SQS client as a mapping uses, over one queue whose messages are received once."""

    waiting: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:  # noqa: N803
        return {"QueueUrl": QueueName}

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        return {"Attributes": {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:jobs"}}

    def receive_message(self, *, MaxNumberOfMessages: int, WaitTimeSeconds: int, **_: Any) -> dict[str, Any]:  # noqa: N803
        with self.changed:
            self.changed.wait_for(lambda: self.waiting, timeout=WaitTimeSeconds)
            taken, self.waiting = self.waiting[:MaxNumberOfMessages], self.waiting[MaxNumberOfMessages:]
        return {"Messages": [message(body) for body in taken]}

    def delete_message_batch(self, *, Entries: list[dict[str, str]], **_: Any) -> None:  # noqa: N803
        assert len(Entries) <= 10
        with self.changed:
            self.deleted += [entry["ReceiptHandle"].removeprefix("receipt of ") for entry in Entries]

    def send(self, *bodies: str) -> None:
        with self.changed:
            self.waiting += bodies
            self.changed.notify_all()


@dataclass(slots=True)
class HeldQueue(ListQueue):
    """A queue whose receives, once begun, end when the test says so."""

    polled: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def receive_message(self, **_: Any) -> dict[str, Any]:
        self.polled.set()
        self.released.wait()
        return {}


def message(body: str) -> dict[str, Any]:
    return {
        "MessageId": f"id of {body}",
        "ReceiptHandle": f"receipt of {body}",
        "Body": body,
        "MD5OfBody": "",
        "Attributes": {"ApproximateReceiveCount": "1"},
    }
