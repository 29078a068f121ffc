"""What Lambda makes of SQS messages, and of a function's answer about them; pure.

Imitates "Using Lambda with Amazon SQS" in Lambda's developer guide, partial batch responses included.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from emulation.worker import REGION

Message = Mapping[str, Any]
"""A message as boto3's `receive_message` gives it."""


def event_of(messages: Sequence[Message], queue_arn: str) -> dict[str, Any]:
    """The event that a function gets for these messages."""
    return {"Records": [_record(message, queue_arn) for message in messages]}


def _record(message: Message, queue_arn: str) -> dict[str, Any]:
    attributes = message.get("MessageAttributes", {})
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {name: _attribute(value) for name, value in attributes.items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        given["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        given["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return given


def done_messages(messages: Sequence[Message], answer: object) -> list[Message]:
    """Those that the function is done with, to be deleted; the others come back in time.

    An answer that cannot be understood, or that names a message nobody sent, is about all of them: none is
    done.

    >>> batch = [{"MessageId": "a"}, {"MessageId": "b"}]
    >>> done_messages(batch, None) == done_messages(batch, {"batchItemFailures": []}) == batch
    True
    >>> done_messages(batch, {"batchItemFailures": [{"itemIdentifier": "a"}]})
    [{'MessageId': 'b'}]
    >>> done_messages(batch, {"batchItemFailures": [{"itemIdentifier": ""}]})
    []
    >>> done_messages(batch, {"batchItemFailures": [{"itemIdentifier": ["a"]}]})
    []
    """
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not failures:
        return list(messages)
    if not isinstance(failures, list) or not all(isinstance(each, dict) for each in failures):
        return []
    failed = [each.get("itemIdentifier") for each in failures]
    sent = [message["MessageId"] for message in messages]
    if not all(each in sent for each in failed):
        return []
    return [message for message in messages if message["MessageId"] not in failed]
