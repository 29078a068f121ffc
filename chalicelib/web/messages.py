"""Between SQS events and our use cases: one bad message never takes its batch-mates with it."""

from collections.abc import Callable, Iterable
from typing import Any

from aws_lambda_powertools import Logger

from chalicelib.domain import wake_up
from chalicelib.domain.job import JobRef

logger = Logger(service="zama-jobs", child=True)

BatchResponse = dict[str, list[dict[str, str]]]


def for_each_job(event: dict[str, Any], handle: Callable[[JobRef], object]) -> BatchResponse:
    """Handles each message by itself; those that failed come again, the others are done with."""
    failed: list[str] = []
    for record in event["Records"]:
        try:
            for ref in wake_up.decode(record["body"]):
                logger.info("woken", job_id=ref.job_id, outcome=handle(ref))
        except Exception:
            logger.exception("message failed", message_id=record["messageId"])
            failed.append(record["messageId"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def all_jobs(event: dict[str, Any]) -> list[JobRef]:
    """Every job that the batch names; a message that is not ours is logged and dropped."""
    return [ref for record in event["Records"] for ref in _readable(record)]


def _readable(record: dict[str, Any]) -> Iterable[JobRef]:
    try:
        return wake_up.decode(record["body"])
    except ValueError:
        logger.exception("message dropped", message_id=record["messageId"])
        return ()
