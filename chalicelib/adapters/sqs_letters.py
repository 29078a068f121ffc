"""Dead letters on SQS: a look receives them, which hides them from others, and puts nothing at risk."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from chalicelib.adapters.dynamodb import translated
from chalicelib.adapters.sqs import CONFIRM_DEAD_QUEUE, CONFIRM_QUEUE, RUN_DEAD_QUEUE, RUN_QUEUE
from chalicelib.domain import wake_up
from chalicelib.domain.dead_letter import DeadLetter, DeadQueue
from chalicelib.domain.job import JobRef
from chalicelib.ports.administration import HIDDEN_FOR

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# What SQS gives at once at most.
A_LOOK = 10
# Each queue of dead letters, and the one that its messages came from.
QUEUES: Mapping[DeadQueue, tuple[str, str]] = MappingProxyType(
    {
        DeadQueue.RUN: (RUN_DEAD_QUEUE, RUN_QUEUE),
        DeadQueue.CONFIRM: (CONFIRM_DEAD_QUEUE, CONFIRM_QUEUE),
    }
)


class SqsDeadLetters:
    """The `DeadLetters` port. To be received often does no harm: a letter's queue has no dead letters."""

    def __init__(self, client: "SQSClient") -> None:
        self._client = client
        self._urls: dict[str, str] = {}

    def look(self, queue: DeadQueue) -> Sequence[DeadLetter]:
        """See `ports.DeadLetters.look`."""
        dead, _ = QUEUES[queue]
        with translated():
            found = self._client.receive_message(
                QueueUrl=self._url(dead),
                MaxNumberOfMessages=A_LOOK,
                VisibilityTimeout=int(HIDDEN_FOR.total_seconds()),
                MessageAttributeNames=["traceparent"],
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            )
        return [_letter(queue, message) for message in found.get("Messages", ())]

    def put_back(self, letters: Sequence[DeadLetter]) -> None:
        """See `ports.DeadLetters.put_back`."""
        for letter in letters:
            with translated():
                self._client.change_message_visibility_batch(
                    QueueUrl=self._url(QUEUES[letter.queue][0]),
                    Entries=[{"Id": "letter", "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}],
                )

    def send_again(self, letter: DeadLetter) -> None:
        """See `ports.DeadLetters.send_again`."""
        _, origin = QUEUES[letter.queue]
        with translated():
            self._client.send_message(
                QueueUrl=self._url(origin),
                MessageBody=letter.body,
                MessageAttributes={"traceparent": {"DataType": "String", "StringValue": letter.traceparent}}
                if letter.traceparent
                else {},
            )

    def remove(self, letter: DeadLetter) -> None:
        """See `ports.DeadLetters.remove`."""
        dead, _ = QUEUES[letter.queue]
        with translated():
            self._client.delete_message(QueueUrl=self._url(dead), ReceiptHandle=letter.receipt)

    def _url(self, name: str) -> str:
        if name not in self._urls:
            self._urls[name] = self._client.get_queue_url(QueueName=name)["QueueUrl"]
        return self._urls[name]


def _letter(queue: DeadQueue, message: "MessageTypeDef") -> DeadLetter:
    system = message["Attributes"]
    carried = message.get("MessageAttributes")  # none but what was asked for
    return DeadLetter(
        queue=queue,
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        traceparent=carried["traceparent"]["StringValue"] if carried else None,
        refs=_named(message["Body"]),
        sent_at=datetime.fromtimestamp(int(system["SentTimestamp"]) / 1000, UTC),
        received=int(system["ApproximateReceiveCount"]),
    )


def _named(body: str) -> tuple[JobRef, ...]:
    try:
        return wake_up.decode(body)
    except ValueError:
        return ()
