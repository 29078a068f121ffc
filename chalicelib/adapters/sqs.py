"""The wake-up queues on SQS. A message names jobs; it carries nothing that the tables do not hold."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from chalicelib.adapters.dynamodb import translated
from chalicelib.domain import tracing, wake_up
from chalicelib.domain.job import JobRef

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

RUN_QUEUE = "jobs-run"
CONFIRM_QUEUE = "jobs-confirm"
RUN_DEAD_QUEUE = "jobs-run-dead"
CONFIRM_DEAD_QUEUE = "jobs-confirm-dead"


class SqsQueue:
    """The `Queue` port."""

    def __init__(self, client: "SQSClient") -> None:
        self._client = client
        self._urls: dict[str, str] = {}

    def wake_runner(self, ref: JobRef, *, trace_id: str, delay_seconds: int = 0) -> None:
        """See `ports.Queue.wake_runner`."""
        self._send(RUN_QUEUE, [ref], trace_id, delay_seconds=delay_seconds)

    def bury_run(self, ref: JobRef, *, trace_id: str) -> None:
        """See `ports.Queue.bury_run`."""
        self._send(RUN_DEAD_QUEUE, [ref], trace_id)

    def dead_letters(self) -> Mapping[str, int]:
        """See `ports.Queue.dead_letters`."""
        return {queue: self.depth(queue) for queue in (RUN_DEAD_QUEUE, CONFIRM_DEAD_QUEUE)}

    def wake_confirmer(self, refs: Sequence[JobRef], *, trace_id: str = "") -> None:
        """See `ports.Queue.wake_confirmer`."""
        self._send(CONFIRM_QUEUE, refs, trace_id)

    def depth(self, queue: str) -> int:
        """About how many messages there are, those that a function is at included."""
        with translated():
            counts = self._client.get_queue_attributes(
                QueueUrl=self._url(queue),
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )
        return sum(int(count) for count in counts["Attributes"].values())

    def _send(self, queue: str, refs: Sequence[JobRef], trace_id: str, *, delay_seconds: int = 0) -> None:
        traceparent = tracing.traceparent(trace_id, step=queue)
        with translated():
            self._client.send_message(
                QueueUrl=self._url(queue),
                MessageBody=wake_up.encode(refs),
                DelaySeconds=delay_seconds,
                MessageAttributes={"traceparent": {"DataType": "String", "StringValue": traceparent}}
                if trace_id
                else {},
            )

    def _url(self, queue: str) -> str:
        if queue not in self._urls:
            self._urls[queue] = self._client.get_queue_url(QueueName=queue)["QueueUrl"]
        return self._urls[queue]
