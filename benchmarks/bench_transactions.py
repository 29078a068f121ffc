"""What a transaction and a queue operation cost as tables and queues grow: moto as it comes, beside ours.

    python -m benchmarks.bench_transactions

Requests go to the server application without a network, so that the cost is the emulator's. Each side runs in
a process of its own, for our patches change moto for good. moto as it comes stops at 10,000: at 100,000 a
transaction takes it seconds, and a receive most of a minute.
"""

import json
import multiprocessing
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sqs.models import Message, sqs_backends

from emulation import aws
from emulation.clock import SystemClock
from emulation.http import Request, Response

SIZES = (1_000, 10_000, 100_000)
MOST_FOR_STOCK = 10_000
ACCOUNT, REGION = "123456789012", "us-east-1"
TARGETS = {"dynamodb": "DynamoDB_20120810", "sqs": "AmazonSQS"}
# Enough for a median; few for moto as it comes, whose operations take up to seconds.
REPEATS = {"ours": 50, "stock": 3}

Handle = Callable[[Request], Response]
Row = dict[str, float]  # operation: median milliseconds


def main() -> None:
    rows = {
        (side, size): _in_own_process(side, size) for side in REPEATS for size in SIZES if _is_run(side, size)
    }
    print(f"{'median ms':<22}{'size':>9}{'stock moto':>12}{'ours':>8}{'ratio':>8}")
    for operation in rows["ours", SIZES[0]]:
        for size in SIZES:
            ours = rows["ours", size][operation]
            stock = rows["stock", size][operation] if ("stock", size) in rows else None
            then, ratio = (f"{stock:.1f}", f"{stock / ours:.0f}") if stock else ("-", "-")
            print(f"{operation:<22}{size:>9,}{then:>12}{ours:>8.2f}{ratio:>8}")


def _is_run(side: str, size: int) -> bool:
    return side == "ours" or size <= MOST_FOR_STOCK


def _in_own_process(side: str, size: int) -> Row:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (side, size))


def measure(side: str, size: int) -> Row:
    """The median cost of each operation on a table and a queue of this size."""
    handle = aws.Aws(SystemClock()).handle if side == "ours" else _stock()
    repeats = REPEATS[side]
    _fill_table(handle, size)
    queue_url = _fill_queue(handle, size)
    send = {"QueueUrl": queue_url, "MessageBody": "m"}
    receive = {"QueueUrl": queue_url, "MaxNumberOfMessages": 10}
    return {
        "transaction of 2": _time(
            repeats, lambda n: _call(handle, "dynamodb.TransactWriteItems", _transaction(n))
        ),
        "query of a partition": _time(repeats, lambda n: _call(handle, "dynamodb.Query", _query(n))),
        "first of an index": _time(repeats, lambda n: _call(handle, "dynamodb.Query", _index_query(n))),
        "SQS send": _time(repeats, lambda n: _call(handle, "sqs.SendMessage", send)),
        "SQS receive of 10": _time(repeats, lambda n: _call(handle, "sqs.ReceiveMessage", receive)),
    }


def _time(repeats: int, operation: Callable[[int], object]) -> float:
    """Median milliseconds, after one call that warms up."""
    operation(-1)
    taken = []
    for number in range(repeats):
        started = perf_counter()
        operation(number)
        taken.append(perf_counter() - started)
    return 1000 * median(taken)


def _stock() -> Handle:
    dispatcher = DomainDispatcherApplication(create_backend_app)

    def handle(request: Request) -> Response:
        return aws.run_wsgi(dispatcher, aws.wsgi_environ(request))

    return handle


def _call(handle: Handle, operation: str, body: dict[str, Any]) -> dict[str, Any]:
    service, _, action = operation.partition(".")
    headers = (
        ("Host", "127.0.0.1:4566"),
        ("Authorization", f"AWS4-HMAC-SHA256 Credential=test/20261123/{REGION}/{service}/aws4_request"),
        ("Content-Type", "application/x-amz-json-1.0"),
        ("X-Amz-Target", f"{TARGETS[service]}.{action}"),
    )
    response = handle(Request("POST", "/", "", headers, json.dumps(body).encode(), "127.0.0.1"))
    assert response.status == 200, response.body
    answer: dict[str, Any] = json.loads(response.body or b"{}")
    return answer


def _item(pk: str) -> dict[str, Any]:
    """An item of the table, and of the one partition of its index."""
    state = {"state": {"S": "queued"}, "version": {"N": "1"}}
    return {"pk": {"S": pk}, "sk": {"S": "-"}, **state, "ready": {"S": "-"}, "ready_key": {"S": pk}}


def _fill_table(handle: Handle, size: int) -> None:
    index = {"IndexName": "ready", "KeySchema": _keys("ready", "ready_key")}
    names = ("pk", "sk", "ready", "ready_key")
    schema = {
        "KeySchema": _keys("pk", "sk"),
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in names],
        "GlobalSecondaryIndexes": [{**index, "Projection": {"ProjectionType": "ALL"}}],
    }
    _call(handle, "dynamodb.CreateTable", {"TableName": "t", "BillingMode": "PAY_PER_REQUEST", **schema})
    backend = dynamodb_backends[ACCOUNT][REGION]
    for number in range(size):
        backend.put_item("t", _item(f"seed-{number}"))


def _keys(hash_name: str, range_name: str) -> list[dict[str, str]]:
    kinds = ((hash_name, "HASH"), (range_name, "RANGE"))
    return [{"AttributeName": name, "KeyType": kind} for name, kind in kinds]


def _fill_queue(handle: Handle, size: int) -> str:
    queue_url = str(_call(handle, "sqs.CreateQueue", {"QueueName": "q"})["QueueUrl"])
    queue = sqs_backends[ACCOUNT][REGION].queues["q"]
    for number in range(size):
        message = Message(str(number), "m")
        message.mark_sent()
        queue.add_message(message)
    return queue_url


def _transaction(number: int) -> dict[str, Any]:
    puts = [{"Put": {"TableName": "t", "Item": _item(f"{side}-{number}")}} for side in ("left", "right")]
    return {"TransactItems": puts}


def _query(number: int) -> dict[str, Any]:
    return {
        "TableName": "t",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": f"seed-{number}"}},
    }


def _index_query(number: int) -> dict[str, Any]:
    return {
        "TableName": "t",
        "IndexName": "ready",
        "KeyConditionExpression": "ready = :ready AND ready_key > :after",
        "ExpressionAttributeValues": {":ready": {"S": "-"}, ":after": {"S": f"seed-{number}"}},
        "Limit": 1,
    }


if __name__ == "__main__":
    main()
