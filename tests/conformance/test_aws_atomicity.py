"""DynamoDB decides one request at a time, and an item is written entirely or not at all."""

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance import racing
from tests.conformance.in_process import connect
from tests.conformance.items import items, key, put_untouchable

CLIENTS = racing.PROCESSES * racing.THREADS


def test_one_put_wins_when_many_put_one_key(
    racers: ProcessPoolExecutor, aws_endpoint: str, raced_table: str
) -> None:
    won = racing.race(racers, racing.put_each_key_if_absent, aws_endpoint, raced_table, 40)

    assert Counter(key for key, _ in won) == Counter(range(40))
    stored = {
        item["pk"]["S"]: int(item["owner"]["N"])
        for item in items(connect("dynamodb", aws_endpoint), raced_table)
    }
    assert stored == {f"key-{key}": owner for key, owner in won}


def test_each_version_is_written_once_when_many_check_the_version(
    racers: ProcessPoolExecutor, aws_endpoint: str, raced_table: str
) -> None:
    written = racing.race(racers, racing.raise_the_version, aws_endpoint, raced_table, 25)

    assert sorted(written) == list(range(1, len(written) + 1))
    (item,) = items(connect("dynamodb", aws_endpoint), raced_table)
    assert item["version"] == {"N": str(len(written))}


def test_no_addition_is_lost_when_many_count(
    racers: ProcessPoolExecutor, aws_endpoint: str, raced_table: str
) -> None:
    added = racing.race(racers, racing.count_up, aws_endpoint, raced_table, 40)

    (item,) = items(connect("dynamodb", aws_endpoint), raced_table)
    assert item["counted"] == {"N": str(sum(added))} == {"N": str(CLIENTS * 40)}


def test_bystanders_lose_no_write_when_transactions_roll_back(
    racers: ProcessPoolExecutor, aws_endpoint: str, raced_table: str
) -> None:
    promised = racing.race(racers, racing.claim_in_transactions, aws_endpoint, raced_table, 20)

    stored = [
        (item["pk"]["S"], item["sk"]["S"]) for item in items(connect("dynamodb", aws_endpoint), raced_table)
    ]
    assert sorted(stored) == sorted(promised)  # no second claim, no orphaned row, no lost bystander
    assert sum(kind == "claim" for kind, _ in promised) == 20


def test_pair_is_read_alike_when_it_is_written_in_transactions(
    racers: ProcessPoolExecutor, aws_endpoint: str, raced_table: str
) -> None:
    pairs = racing.race(racers, racing.write_or_read_pairs, aws_endpoint, raced_table, 25)

    assert [pair for pair in pairs if pair[0] != pair[1]] == []
    assert len(set(pairs)) > 1, "the readers saw no write"


@pytest.mark.parametrize("before", [[{**key("a"), "n": {"N": "1"}}], []], ids=["existing", "new"])
def test_item_is_untouched_when_its_update_fails_halfway(
    dynamodb: Any, table: str, before: list[dict[str, Any]]
) -> None:
    for item in before:
        dynamodb.put_item(TableName=table, Item=item)
    half_of_the_limit = "x" * 210_000  # DynamoDB takes items of 400 KB

    with pytest.raises(ClientError):
        dynamodb.update_item(
            TableName=table,
            Key=key("a"),
            UpdateExpression="SET b = :half, c = :half",
            ExpressionAttributeValues={":half": {"S": half_of_the_limit}},
        )

    assert items(dynamodb, table) == before


def test_query_looks_at_one_partition_when_the_table_has_many(dynamodb: Any, table: str) -> None:
    for sk in ("1", "2", "3"):
        dynamodb.put_item(TableName=table, Item=key("a", sk))
    put_untouchable(table)

    page = dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :a AND sk > :one",
        ExpressionAttributeValues={":a": {"S": "a"}, ":one": {"S": "1"}},
        ScanIndexForward=False,
    )

    assert page["Items"] == [key("a", "3"), key("a", "2")]


def test_index_pages_hold_its_items_in_order_when_queried(dynamodb: Any, table: str) -> None:
    for number in range(9):
        due = {"due_day": {"S": "today" if number % 2 else "later"}, "due_at": {"S": str(9 - number)}}
        dynamodb.put_item(TableName=table, Item={**key(f"{number}"), **due})
    dynamodb.put_item(TableName=table, Item=key("not due"))

    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        IndexName="due",
        KeyConditionExpression="due_day = :today",
        ExpressionAttributeValues={":today": {"S": "today"}},
        PaginationConfig={"PageSize": 3},
    )

    assert [item["due_at"]["S"] for page in pages for item in page["Items"]] == ["2", "4", "6", "8"]
