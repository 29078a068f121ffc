"""What the messages of an SQS event ask for. An error that leaves a handler brings its whole batch back."""

from collections.abc import Iterable
from typing import Any

from chalicelib.domain import tracing, wake_up
from chalicelib.domain.job import JobRef
from chalicelib.web.logs import logger


def jobs_of(event: dict[str, Any]) -> list[JobRef]:
    """Every job that the batch names; a message that is not ours is logged and dropped."""
    return [ref for record in event["Records"] for ref in _readable(record)]


def trace_ids_of(event: dict[str, Any]) -> list[str]:
    """The trace ids that the messages carry: only a hint, for the jobs' rows have them."""
    found = (record.get("messageAttributes", {}).get("traceparent", {}) for record in event["Records"])
    trace_ids = (tracing.parse(str(attribute.get("stringValue", ""))) for attribute in found)
    return [each for each in trace_ids if each is not None]


def _readable(record: dict[str, Any]) -> Iterable[JobRef]:
    try:
        return wake_up.decode(record["body"])
    except ValueError:
        logger.exception("message dropped", message_id=record["messageId"])
        return ()
