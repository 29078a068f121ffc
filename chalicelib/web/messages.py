"""What the messages of an SQS event ask for. An error that leaves a handler brings its whole batch back."""

from collections.abc import Iterable
from typing import Any

from aws_lambda_powertools import Logger

from chalicelib.domain import wake_up
from chalicelib.domain.job import JobRef

logger = Logger(service="zama-jobs", child=True)


def jobs_of(event: dict[str, Any]) -> list[JobRef]:
    """Every job that the batch names; a message that is not ours is logged and dropped."""
    return [ref for record in event["Records"] for ref in _readable(record)]


def _readable(record: dict[str, Any]) -> Iterable[JobRef]:
    try:
        return wake_up.decode(record["body"])
    except ValueError:
        logger.exception("message dropped", message_id=record["messageId"])
        return ()
