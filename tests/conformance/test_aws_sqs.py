"""An SQS message is held by one receiver at a time, for as long as the stack's clock says."""

import json
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulation.clock import ManualClock
from tests.conformance import racing
from tests.conformance.in_process import connect
from tests.conformance.messages import VISIBILITY_TIMEOUT_SECONDS, bodies, counts, receive


def test_each_message_has_one_holder_when_many_receive(
    racers: ProcessPoolExecutor, aws_endpoint: str, name: str
) -> None:
    sqs = connect("sqs", aws_endpoint)
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    for batch in range(40):
        entries = [{"Id": str(n), "MessageBody": str(batch * 10 + n)} for n in range(10)]
        sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)

    received = racing.race(racers, racing.receive_until_empty, aws_endpoint, queue_url)

    assert Counter(received) == Counter(str(number) for number in range(400))
    assert counts(sqs, queue_url) == (0, 200, 0)


def test_hidden_message_is_received_again_when_its_visibility_timeout_has_passed(
    sqs: Any, queue_url: str, clock: ManualClock
) -> None:
    sqs.send_message(QueueUrl=queue_url, MessageBody="a")
    first = receive(sqs, queue_url)
    clock.advance(VISIBILITY_TIMEOUT_SECONDS - 0.001)
    hidden = receive(sqs, queue_url)
    clock.advance(0.001)
    second = receive(sqs, queue_url)

    assert (bodies(first), bodies(hidden), bodies(second)) == (["a"], [], ["a"])
    assert second[0]["Attributes"]["ApproximateReceiveCount"] == "2"


def test_message_stays_with_its_holder_when_an_outdated_handle_deletes_it(
    sqs: Any, queue_url: str, clock: ManualClock
) -> None:
    sqs.send_message(QueueUrl=queue_url, MessageBody="a")
    outdated = receive(sqs, queue_url)[0]["ReceiptHandle"]
    clock.advance(VISIBILITY_TIMEOUT_SECONDS)
    held = receive(sqs, queue_url)[0]["ReceiptHandle"]

    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=outdated)
    assert counts(sqs, queue_url) == (0, 1, 0)
    for _ in range(2):  # deleting again succeeds
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=held)
    assert counts(sqs, queue_url) == (0, 0, 0)


def test_message_is_deleted_when_its_last_holder_is_late_and_nobody_else_has_it(
    sqs: Any, queue_url: str, clock: ManualClock
) -> None:
    sqs.send_message(QueueUrl=queue_url, MessageBody="a")
    handle = receive(sqs, queue_url)[0]["ReceiptHandle"]
    clock.advance(VISIBILITY_TIMEOUT_SECONDS)

    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=handle)

    assert receive(sqs, queue_url) == []


def test_outdated_handle_changes_no_visibility_when_another_holds_the_message(
    sqs: Any, queue_url: str, clock: ManualClock
) -> None:
    sqs.send_message(QueueUrl=queue_url, MessageBody="a")
    outdated = receive(sqs, queue_url)[0]["ReceiptHandle"]
    clock.advance(VISIBILITY_TIMEOUT_SECONDS)
    receive(sqs, queue_url)

    with pytest.raises(sqs.exceptions.MessageNotInflight):
        sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=outdated, VisibilityTimeout=0)

    assert counts(sqs, queue_url) == (0, 1, 0)


@pytest.mark.parametrize("handle", ["nonsense", ""])
def test_handle_is_refused_when_it_is_of_no_message(sqs: Any, queue_url: str, handle: str) -> None:
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=handle)


def test_hold_is_prolonged_when_its_holder_changes_the_visibility(
    sqs: Any, queue_url: str, clock: ManualClock
) -> None:
    sqs.send_message(QueueUrl=queue_url, MessageBody="a")
    handle = receive(sqs, queue_url)[0]["ReceiptHandle"]
    clock.advance(20)
    sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=handle, VisibilityTimeout=20)
    clock.advance(19)
    assert receive(sqs, queue_url) == []
    sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=handle, VisibilityTimeout=0)
    assert bodies(receive(sqs, queue_url)) == ["a"]


def test_hold_may_last_12_hours_when_the_message_was_received_days_before(
    sqs: Any, queue_url: str, clock: ManualClock
) -> None:
    sqs.send_message(QueueUrl=queue_url, MessageBody="a")
    receive(sqs, queue_url)
    clock.advance(2 * 86_400)
    handle = receive(sqs, queue_url)[0]["ReceiptHandle"]
    hold = {"QueueUrl": queue_url, "ReceiptHandle": handle, "VisibilityTimeout": 12 * 3600}
    sqs.change_message_visibility(**hold)
    clock.advance(1)

    with pytest.raises(ClientError, match="beyond the limit"):
        sqs.change_message_visibility(**hold)


def test_delayed_message_is_received_when_its_delay_has_passed(
    sqs: Any, queue_url: str, clock: ManualClock
) -> None:
    sqs.send_message(QueueUrl=queue_url, MessageBody="late", DelaySeconds=60)
    sqs.send_message(QueueUrl=queue_url, MessageBody="now")
    assert counts(sqs, queue_url) == (1, 0, 1)
    assert bodies(receive(sqs, queue_url, VisibilityTimeout=900)) == ["now"]
    clock.advance(60)
    assert bodies(receive(sqs, queue_url)) == ["late"]


def test_message_moves_to_the_dead_letter_queue_when_received_too_often(
    sqs: Any, queue_url: str, name: str, clock: ManualClock
) -> None:
    dead_url = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    dead = sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 3})
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"RedrivePolicy": policy})
    sqs.send_message(QueueUrl=queue_url, MessageBody="poison")
    for _ in range(3):
        last = receive(sqs, queue_url)
        assert bodies(last) == ["poison"]
        clock.advance(VISIBILITY_TIMEOUT_SECONDS)
    sqs.send_message(QueueUrl=queue_url, MessageBody="sound")

    assert bodies(receive(sqs, queue_url)) == ["sound"]
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=last[0]["ReceiptHandle"])  # too late
    (buried,) = receive(sqs, dead_url)
    assert (buried["Body"], buried["MessageId"]) == ("poison", last[0]["MessageId"])


def test_message_is_forgotten_when_its_retention_has_passed(
    sqs: Any, queue_url: str, clock: ManualClock
) -> None:
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"MessageRetentionPeriod": "60"})
    sqs.send_message(QueueUrl=queue_url, MessageBody="old")
    clock.advance(59)
    sqs.send_message(QueueUrl=queue_url, MessageBody="young")
    clock.advance(1)

    assert counts(sqs, queue_url) == (1, 0, 0)
    assert bodies(receive(sqs, queue_url)) == ["young"]


def test_queue_is_stamped_by_the_stacks_clock_when_created(
    sqs: Any, queue_url: str, clock: ManualClock
) -> None:
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["CreatedTimestamp"])[
        "Attributes"
    ]

    assert float(attributes["CreatedTimestamp"]) == clock.now()


def test_queue_is_empty_when_purged(sqs: Any, queue_url: str) -> None:
    for body in ("a", "b"):
        sqs.send_message(QueueUrl=queue_url, MessageBody=body)
    receive(sqs, queue_url, 1)

    sqs.purge_queue(QueueUrl=queue_url)

    assert counts(sqs, queue_url) == (0, 0, 0)


def test_duplicate_is_dropped_when_a_fifo_queue_took_its_like_within_five_minutes(
    sqs: Any, name: str, clock: ManualClock
) -> None:
    queue_url = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    received = []
    for body, wait_seconds in (("a", 299), ("duplicate", 1), ("b", 0)):
        sqs.send_message(
            QueueUrl=queue_url, MessageBody=body, MessageGroupId="g", MessageDeduplicationId="same"
        )
        for message in receive(sqs, queue_url):
            received.append(message["Body"])
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        clock.advance(wait_seconds)
    assert received == ["a", "b"]


def test_dead_letter_arrives_when_its_queue_has_just_taken_a_message_of_the_same_deduplication_id(
    sqs: Any, name: str
) -> None:
    fifo = {"FifoQueue": "true"}
    dead_url = sqs.create_queue(QueueName=f"{name}-dead.fifo", Attributes=fifo)["QueueUrl"]
    dead = sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 1})
    queue_url = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={**fifo, "RedrivePolicy": policy})[
        "QueueUrl"
    ]
    for url, body in ((dead_url, "other"), (queue_url, "poison")):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="g", MessageDeduplicationId="same")
    assert bodies(receive(sqs, queue_url, VisibilityTimeout=0)) == ["poison"]

    assert receive(sqs, queue_url) == []
    assert bodies(receive(sqs, dead_url)) == ["other", "poison"]


def test_group_of_a_fifo_queue_waits_when_someone_works_on_it(sqs: Any, name: str) -> None:
    queue_url = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for body in ("a1", "a2", "b1"):
        sqs.send_message(
            QueueUrl=queue_url, MessageBody=body, MessageGroupId=body[0], MessageDeduplicationId=body
        )

    (first,) = receive(sqs, queue_url, 1)
    assert (first["Body"], bodies(receive(sqs, queue_url))) == ("a1", ["b1"])
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=first["ReceiptHandle"])
    assert bodies(receive(sqs, queue_url)) == ["a2"]
