"""DynamoDB's wire: items, conditional writes and transactions, with its errors in the domain's words.

A cancelled transaction says why, action by action; `TransactionConflict` means only that two met on a row,
so it is tried again. Whatever else goes wrong is `Unavailable`, and whether the write took effect is unknown.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]

# Conflicts last for one transaction's milliseconds; more than this many in a row is an overload.
CONFLICT_ROUNDS = 6

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class TransactionRefused(Exception):
    """A condition failed. `failed` maps the index of each refusing action to its old item, if it had one."""

    def __init__(self, failed: Mapping[int, Item]) -> None:
        super().__init__(f"actions {sorted(failed)} refused")
        self.failed = failed


def to_attributes(item: Mapping[str, object]) -> Item:
    """The item in DynamoDB's typed form."""
    return {name: _serialize(value) for name, value in item.items()}


def from_attributes(attributes: Mapping[str, Any]) -> Item:
    """The item with plain values; numbers are `Decimal`, binaries have `.value`."""
    return {name: _deserialize(value) for name, value in attributes.items()}


class Tables:
    """Reads and writes of the stack's tables; every read is consistent."""

    def __init__(self, client: "DynamoDBClient", *, backoff: Callable[[int], None]) -> None:
        self._client = client
        self._backoff = backoff

    def get(self, table: str, key: Mapping[str, object]) -> Item | None:
        """The item under this primary key."""
        with translated():
            answer = self._client.get_item(TableName=table, Key=to_attributes(key), ConsistentRead=True)
        found = answer.get("Item")
        return from_attributes(found) if found else None

    def get_many(self, table: str, keys: Sequence[Mapping[str, object]], **arguments: Any) -> list[Item]:
        """The items that there are under these primary keys, at most 100, in no order."""
        if not keys:
            return []
        found: list[Item] = []
        asked: Any = {"Keys": [to_attributes(key) for key in keys], "ConsistentRead": True, **arguments}
        for attempt in range(CONFLICT_ROUNDS):
            with translated():
                answer = self._client.batch_get_item(RequestItems={table: asked})
            found += map(from_attributes, answer["Responses"][table])
            asked = answer["UnprocessedKeys"].get(table)
            if not asked:
                return found
            self._backoff(attempt)
        raise Unavailable("The tables are busy; try again.")

    def query(self, table: str, *, limit: int | None = None, **arguments: Any) -> list[Item]:
        """Every item, or the first `limit`; the expression's `values` are given plain."""
        return list(self.read(table, limit=limit, **arguments))

    def read(self, table: str, *, limit: int | None = None, **arguments: Any) -> Iterator[Item]:
        """As `query`, a page at a time, as it is asked for."""
        values = to_attributes(arguments.pop("values"))
        # Without a page size the service would read a megabyte to show the first.
        arguments |= {"PaginationConfig": {"MaxItems": limit, "PageSize": limit}} if limit else {}
        pages = self._client.get_paginator("query").paginate(
            TableName=table, ExpressionAttributeValues=values, **arguments
        )
        with translated():
            for page in pages:
                yield from map(from_attributes, page["Items"])

    def read_page(
        self, table: str, *, limit: int, start: Mapping[str, object] | None, **arguments: Any
    ) -> tuple[list[Item], Item | None]:
        """What one read of `limit` rows after the key `start` finds, and the key to go on from."""
        arguments |= {"ExclusiveStartKey": to_attributes(start)} if start else {}
        with translated():
            answer = self._client.query(TableName=table, Limit=limit, **arguments)
        last = answer.get("LastEvaluatedKey")
        return [from_attributes(item) for item in answer["Items"]], from_attributes(last) if last else None

    def put(self, table: str, item: Mapping[str, object]) -> None:
        """Writes the item, whatever was there."""
        with translated():
            self._client.put_item(TableName=table, Item=to_attributes(item))

    def put_if(
        self, table: str, item: Mapping[str, object], *, condition: str, values: Mapping[str, object]
    ) -> bool:
        """Writes the item if the condition holds, and says whether it did."""
        try:
            with translated():
                self._client.put_item(
                    TableName=table,
                    Item=to_attributes(item),
                    ConditionExpression=condition,
                    ExpressionAttributeValues=to_attributes(values),
                )
        except _ConditionFailed:
            return False
        return True

    def delete_if(
        self, table: str, key: Mapping[str, object], *, condition: str, values: Mapping[str, object]
    ) -> None:
        """Deletes the item if the condition holds."""
        with suppress(_ConditionFailed), translated():
            self._client.delete_item(
                TableName=table,
                Key=to_attributes(key),
                ConditionExpression=condition,
                ExpressionAttributeValues=to_attributes(values),
            )

    def count(
        self, table: str, key: Mapping[str, object], *, added: Mapping[str, int], delete_at: datetime
    ) -> None:
        """Adds to the item's counters, at least once if the answer is lost; TTL deletes it at `delete_at`."""
        values = {f":{name}": number for name, number in added.items()}
        sums = ", ".join(f"{name} :{name}" for name in added)
        with translated():
            self._client.update_item(
                TableName=table,
                Key=to_attributes(key),
                UpdateExpression=f"ADD {sums} SET delete_at = :delete_at",
                ExpressionAttributeValues=to_attributes({**values, ":delete_at": int(delete_at.timestamp())}),
            )

    def transact(self, actions: Sequence[Mapping[str, Any]]) -> None:
        """All actions or none; `TransactionRefused` says whose condition failed.

        Also for one action: botocore sends a transaction with a token, so that its retry after a lost
        answer succeeds; a bare update's retry would fail on the condition that the first try made untrue.
        """
        for attempt in range(CONFLICT_ROUNDS):
            try:
                with translated():
                    self._client.transact_write_items(TransactItems=list(actions))  # type: ignore[arg-type]
            except _Conflict:
                self._backoff(attempt)
            else:
                return
        raise Unavailable("The tables are busy; try again.")


class _Conflict(Exception):
    """Another transaction was at one of our rows."""


class _ConditionFailed(Exception):
    """The condition of a single write did not hold."""


@contextmanager
def translated() -> Iterator[None]:
    """Errors of boto3 leave as the domain's."""
    try:
        yield
    except ClientError as error:
        raise _translate(error) from error
    except BotoCoreError as error:
        raise Unavailable("A service behind this API does not answer; try again.") from error


def _translate(error: ClientError) -> Exception:
    if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
        return _ConditionFailed()
    if error.response["Error"]["Code"] == "TransactionCanceledException":
        reasons = error.response.get("CancellationReasons", [])
        # First: beside a conflict, the other reasons need not be those of the next try.
        if any(reason["Code"] == "TransactionConflict" for reason in reasons):
            return _Conflict()
        failed = {
            index: from_attributes(reason.get("Item", {}))
            for index, reason in enumerate(reasons)
            if reason["Code"] == "ConditionalCheckFailed"
        }
        if failed:
            return TransactionRefused(failed)
    return Unavailable("A service behind this API does not answer; try again.")
