"""A transaction happens once and entirely, or leaves no trace, whatever the size of its tables."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import dynamodb_backends

from emulation.clock import ManualClock
from tests.conformance.in_process import ACCOUNT, REGION
from tests.conformance.items import items, key, put, put_untouchable


def test_transaction_touches_no_other_item_when_it_commits_or_cancels(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item=key("a"))
    put_untouchable(table)
    failing = put(table, "a")
    failing["Put"]["ConditionExpression"] = "attribute_not_exists(pk)"

    dynamodb.transact_write_items(TransactItems=[put(table, "b"), put(table, "c")])
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(TransactItems=[put(table, "d"), failing])


def test_reasons_show_the_old_item_when_a_transaction_is_cancelled(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item={**key("a"), "state": {"S": "done"}})
    check = {
        "TableName": table,
        "Key": key("a"),
        "ConditionExpression": "#s = :queued",
        "ExpressionAttributeNames": {"#s": "state"},
        "ExpressionAttributeValues": {":queued": {"S": "queued"}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }

    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as cancelled:
        dynamodb.transact_write_items(TransactItems=[put(table, "b"), {"ConditionCheck": check}])

    first, second = cancelled.value.response["CancellationReasons"]
    assert first == {"Code": "None"}
    assert (second["Code"], second["Item"]) == (
        "ConditionalCheckFailed",
        {**key("a"), "state": {"S": "done"}},
    )


def test_nothing_has_changed_when_the_last_action_of_a_transaction_fails(dynamodb: Any, table: str) -> None:
    before = [
        {**key("changed"), "n": {"N": "1"}},
        key("deleted"),
        key("replaced"),
        {**key("text"), "n": {"S": "x"}},
    ]
    for item in before:
        dynamodb.put_item(TableName=table, Item=item)
    add = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}

    with pytest.raises(ClientError):
        dynamodb.transact_write_items(
            TransactItems=[
                {"Update": {"TableName": table, "Key": key("changed"), **add}},
                {"Delete": {"TableName": table, "Key": key("deleted")}},
                put(table, "replaced", n={"N": "2"}),
                put(table, "new"),
                {"Update": {"TableName": table, "Key": key("text"), **add}},
            ]
        )

    assert items(dynamodb, table) == before


def test_stream_shows_only_what_was_committed_when_a_transaction_is_cancelled(
    aws: Any, dynamodb: Any, table: str
) -> None:
    dynamodb.put_item(TableName=table, Item=key("first"))
    broken = {"UpdateExpression": "SET a = b"}  # which no item has
    with pytest.raises(ClientError):
        dynamodb.transact_write_items(
            TransactItems=[put(table, "gone"), {"Update": {"TableName": table, "Key": key("none"), **broken}}]
        )
    dynamodb.put_item(TableName=table, Item=key("second"))

    shard = dynamodb_backends[ACCOUNT][REGION].get_table(table).stream_shard
    assert shard is not None
    assert [record.record["dynamodb"]["Keys"] for record in shard.items] == [key("first"), key("second")]


def test_transaction_is_done_once_when_its_token_comes_again(dynamodb: Any, table: str) -> None:
    add = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    action = {"Update": {"TableName": table, "Key": key("a"), **add}}

    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=[action], ClientRequestToken="token")

    assert items(dynamodb, table) == [{**key("a"), "n": {"N": "1"}}]


def test_transaction_is_refused_when_its_token_was_anothers(dynamodb: Any, table: str) -> None:
    dynamodb.transact_write_items(TransactItems=[put(table, "a")], ClientRequestToken="taken")

    with pytest.raises(dynamodb.exceptions.IdempotentParameterMismatchException):
        dynamodb.transact_write_items(TransactItems=[put(table, "b")], ClientRequestToken="taken")

    assert items(dynamodb, table) == [key("a")]


def test_transaction_is_done_again_when_its_token_has_expired(
    dynamodb: Any, table: str, clock: ManualClock
) -> None:
    for name in ("a", "b"):
        dynamodb.transact_write_items(TransactItems=[put(table, name)], ClientRequestToken="expiring")
        clock.advance(600)

    assert items(dynamodb, table) == [key("a"), key("b")]


def test_transaction_is_decided_anew_when_it_was_cancelled(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item=key("a"))
    action = put(table, "a", n={"N": "1"})
    action["Put"]["ConditionExpression"] = "attribute_not_exists(pk)"
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(TransactItems=[action], ClientRequestToken="cancelled")
    dynamodb.delete_item(TableName=table, Key=key("a"))

    dynamodb.transact_write_items(TransactItems=[action], ClientRequestToken="cancelled")

    assert items(dynamodb, table) == [{**key("a"), "n": {"N": "1"}}]


def test_transaction_is_refused_when_it_names_an_item_twice(dynamodb: Any, table: str) -> None:
    with pytest.raises(ClientError, match="multiple operations on one item"):
        dynamodb.transact_write_items(TransactItems=[put(table, "a"), put(table, "a")])

    assert items(dynamodb, table) == []
