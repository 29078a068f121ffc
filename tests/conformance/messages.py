"""What the tests of SQS ask of a queue."""

from typing import Any

VISIBILITY_TIMEOUT_SECONDS = 30  # of the queues that the tests make


def receive(sqs: Any, queue_url: str, count: int = 10, **more: Any) -> list[dict[str, Any]]:
    answer = sqs.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=count, MessageSystemAttributeNames=["All"], **more
    )
    return list(answer.get("Messages", []))


def bodies(messages: list[dict[str, Any]]) -> list[str]:
    return [message["Body"] for message in messages]


def counts(sqs: Any, queue_url: str) -> tuple[int, int, int]:
    """Visible, in flight, delayed."""
    names = ("", "NotVisible", "Delayed")
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    visible, in_flight, delayed = (int(attributes[f"ApproximateNumberOfMessages{name}"]) for name in names)
    return visible, in_flight, delayed
