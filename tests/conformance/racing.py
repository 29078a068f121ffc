"""Competing clients: a few processes of a few threads each, over plain HTTP, for boto3 is slow itself."""

import http.client
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import chain
from multiprocessing.context import SpawnContext
from multiprocessing.synchronize import Barrier
from typing import Any, TypeVar
from urllib.parse import urlsplit

# Enough clients, on 2 cores, for a missing lock to show within seconds.
PROCESSES = 3
THREADS = 6

T = TypeVar("T")
Call = Callable[[str, dict[str, Any]], dict[str, Any]]

_all_clients: Barrier  # of this process, set when it starts

TARGETS = {"dynamodb": "DynamoDB_20120810", "sqs": "AmazonSQS"}


def start_racers(context: SpawnContext) -> ProcessPoolExecutor:
    """Processes whose threads can wait for one another."""
    barrier = context.Barrier(PROCESSES * THREADS, timeout=30)
    return ProcessPoolExecutor(PROCESSES, context, initializer=_share, initargs=(barrier,))


def _share(barrier: Barrier) -> None:
    global _all_clients
    _all_clients = barrier


def race(
    racers: ProcessPoolExecutor, part: Callable[..., Iterable[T]], endpoint: str, *arguments: object
) -> list[T]:
    """Runs `part(call, me, *arguments)` in every thread of every process at once; all that they yield."""
    started = [racers.submit(_in_threads, part, endpoint, process, arguments) for process in range(PROCESSES)]
    return list(chain.from_iterable(future.result(timeout=60) for future in started))


def _in_threads(
    part: Callable[..., Iterable[T]], endpoint: str, process: int, arguments: tuple[object, ...]
) -> list[T]:
    def run(thread: int) -> list[T]:
        call = connect_raw(endpoint)
        _all_clients.wait()
        return list(part(call, process * THREADS + thread, *arguments))

    with ThreadPoolExecutor(THREADS) as pool:
        return list(chain.from_iterable(pool.map(run, range(THREADS))))


def connect_raw(endpoint: str) -> Call:
    """A client of `service.Operation`s on one connection; errors come back as answers with a `__type`."""
    connection = http.client.HTTPConnection(str(urlsplit(endpoint).netloc), timeout=30)

    def call(operation: str, body: dict[str, Any]) -> dict[str, Any]:
        service, _, action = operation.partition(".")
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/{service}/aws4_request",
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"{TARGETS[service]}.{action}",
        }
        connection.request("POST", "/", json.dumps(body), headers)
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read() or b"{}") if response.status < 500 else {}
        assert response.status < 500, f"{operation} answered {response.status}"
        return answer

    return call


def failed(answer: dict[str, Any], error: str) -> bool:
    """Whether the answer is this error; any other error fails the test."""
    kind = str(answer.get("__type", "")).rpartition("#")[2]
    assert kind in {"", error}, answer
    return kind == error


def put_each_key_if_absent(call: Call, me: int, table: str, keys: int) -> Iterable[tuple[int, int]]:
    """Yields (key, me) for each put that won."""
    for key in range(keys):
        _all_clients.wait()
        item = {"pk": {"S": f"key-{key}"}, "sk": {"S": "-"}, "owner": {"N": str(me)}}
        answer = call(
            "dynamodb.PutItem",
            {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"},
        )
        if not failed(answer, "ConditionalCheckFailedException"):
            yield key, me


def raise_the_version(call: Call, me: int, table: str, times: int) -> Iterable[int]:
    """Yields each version that this client has written."""
    key = {"pk": {"S": "versioned"}, "sk": {"S": "-"}}
    for _ in range(times):
        item = call("dynamodb.GetItem", {"TableName": table, "Key": key, "ConsistentRead": True}).get(
            "Item", {}
        )
        seen = int(item.get("version", {"N": "0"})["N"])
        answer = call(
            "dynamodb.UpdateItem",
            {
                "TableName": table,
                "Key": key,
                "UpdateExpression": "SET version = :next, writer = :me",
                "ConditionExpression": "version = :seen" if seen else "attribute_not_exists(version)",
                "ExpressionAttributeValues": {
                    ":next": {"N": str(seen + 1)},
                    ":me": {"N": str(me)},
                    **({":seen": {"N": str(seen)}} if seen else {}),
                },
            },
        )
        if not failed(answer, "ConditionalCheckFailedException"):
            yield seen + 1


def count_up(call: Call, me: int, table: str, times: int) -> Iterable[int]:
    """Yields a one for each addition that was acknowledged."""
    for _ in range(times):
        answer = call(
            "dynamodb.UpdateItem",
            {
                "TableName": table,
                "Key": {"pk": {"S": "counter"}, "sk": {"S": "-"}},
                "UpdateExpression": "ADD counted :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            },
        )
        assert not failed(answer, "none")
        yield 1


def claim_in_transactions(call: Call, me: int, table: str, keys: int) -> Iterable[tuple[str, str]]:
    """Yields what this client may rely on: the ("claim", key) and ("row", sk) it got, its ("bystander", sk).

    Each transaction claims a key that all compete for and writes a row of its own; between them, a plain put.
    """
    for key in range(keys):
        _all_clients.wait()
        claim = {"pk": {"S": "claim"}, "sk": {"S": str(key)}, "owner": {"N": str(me)}}
        row = {"pk": {"S": "row"}, "sk": {"S": f"{key}-{me}"}}
        bystander = {"pk": {"S": "bystander"}, "sk": {"S": f"{key}-{me}"}}
        answer = call(
            "dynamodb.TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": table, "Item": row}},
                    {
                        "Put": {
                            "TableName": table,
                            "Item": claim,
                            "ConditionExpression": "attribute_not_exists(pk)",
                        }
                    },
                ]
            },
        )
        if not failed(answer, "TransactionCanceledException"):
            yield "claim", str(key)
            yield "row", f"{key}-{me}"
        call("dynamodb.PutItem", {"TableName": table, "Item": bystander})
        yield "bystander", f"{key}-{me}"


def write_or_read_pairs(call: Call, me: int, table: str, times: int) -> Iterable[tuple[str, str]]:
    """Half of the clients write two items alike in transactions; the others yield what they read of both."""
    keys = [{"pk": {"S": "pair"}, "sk": {"S": side}} for side in ("left", "right")]
    for number in range(times):
        if me % 2:
            value = {"value": {"S": f"{me}-{number}"}}
            puts = [{"Put": {"TableName": table, "Item": {**key, **value}}} for key in keys]
            assert not failed(call("dynamodb.TransactWriteItems", {"TransactItems": puts}), "none")
        else:
            gets = [{"Get": {"TableName": table, "Key": key}} for key in keys]
            read = call("dynamodb.TransactGetItems", {"TransactItems": gets})["Responses"]
            left, right = (answer.get("Item", {}).get("value", {}).get("S", "") for answer in read)
            yield left, right


def receive_until_empty(call: Call, me: int, queue_url: str) -> Iterable[str]:
    """Yields the body of each message received; half are deleted, half left in flight."""
    while messages := call("sqs.ReceiveMessage", {"QueueUrl": queue_url}).get("Messages", []):
        for message in messages:
            if int(message["Body"]) % 2:
                call("sqs.DeleteMessage", {"QueueUrl": queue_url, "ReceiptHandle": message["ReceiptHandle"]})
            yield message["Body"]
