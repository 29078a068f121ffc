"""moto's transactions, made all-or-nothing at a cost that does not grow with the table.

moto copies the whole table for each action of a transaction and, to roll back, puts the copy in the table's
place, which loses what others wrote meanwhile and detaches the table's stream. Here a transaction looks at
every condition before it writes; what a write that fails halfway has touched, an `UndoLog` puts back.

Invariant: these functions run under the service's lock (`emulation.aws`).
Deliberately absent: conflicts between transactions, which the lock rules out.
"""

import copy
import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import (
    ERROR_TYPE_PREFIX,
    AttributeDoesNotExist,
    ConditionalCheckFailed,
    DynamodbException,
    IncorrectDataType,
    InvalidUpdateExpressionInvalidDocumentPath,
    ItemSizeToUpdateTooLarge,
    MultipleTransactionsException,
    TooManyTransactionsException,
    TransactionCanceledException,
    TransactWriteSingleOpException,
)
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from emulation.aws_order import Key, refile
from emulation.clock import Clock

# The service's limit (TransactWriteItems).
MOST_ACTIONS = 100

# How long the service honours a client request token (TransactWriteItems).
TOKEN_SECONDS = 600

# What an update finds wrong with the item rather than with the request: AWS then cancels the transaction.
FOUND_IN_THE_ITEM = (
    AttributeDoesNotExist,
    IncorrectDataType,
    InvalidUpdateExpressionInvalidDocumentPath,
    ItemSizeToUpdateTooLarge,
)

Action = tuple[str, dict[str, Any]]  # such as ("Put", {"TableName": …})
Reason = tuple[str, str, dict[str, Any] | None] | tuple[None, None, None]  # code, message, old item

NO_REASON: Reason = (None, None, None)


class UndoLog:
    """Remembers items as they were, and puts them back."""

    def __init__(self) -> None:
        self._items: list[tuple[Table, Key, Item | None]] = []
        self._stream_lengths: dict[str, tuple[Table, int]] = {}

    def remember(self, table: Table, key: Key) -> None:
        """Keeps a copy of an item, for moto's updates change it in place."""
        self._items.append((table, key, copy.deepcopy(table.get_item(*key))))
        if table.stream_shard is not None:
            self._stream_lengths.setdefault(table.name, (table, len(table.stream_shard.items)))

    def undo(self) -> None:
        for table, (hash_key, range_key), item in self._items:
            partition: Any = table.items[hash_key] if range_key else table.items
            last_key = range_key or hash_key
            if item is None:
                partition.pop(last_key, None)
            else:
                partition[last_key] = item
            refile(table, (hash_key, range_key))
        for table, length in self._stream_lengths.values():
            assert table.stream_shard is not None
            del table.stream_shard.items[length:]


@contextmanager
def all_or_nothing() -> Iterator[UndoLog]:
    """Undoes what the block has written to remembered items if it raises."""
    log = UndoLog()
    try:
        yield log
    except BaseException:
        log.undo()
        raise


def transact_write_items(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Does every action, or none and raises `TransactionCanceledException` with a reason for each."""
    actions = [_action(item) for item in transact_items]
    if len(actions) > MOST_ACTIONS:
        raise TooManyTransactionsException
    keys = _distinct_keys(backend, actions)
    reasons = [_unmet_condition(backend, action, key) for action, key in zip(actions, keys, strict=True)]
    if any(code for code, _, _ in reasons):
        raise TransactionCanceledException(reasons)
    with all_or_nothing() as log:
        for place, (action, key) in enumerate(zip(actions, keys, strict=True)):
            log.remember(backend.get_table(action[1]["TableName"]), key)
            try:
                _write(backend, action)
            except FOUND_IN_THE_ITEM as error:
                reasons[place] = ("ValidationError", error.exception_msg, None)
                raise TransactionCanceledException(reasons) from error


def _action(transact_item: dict[str, Any]) -> Action:
    if len(transact_item) != 1:
        raise TransactWriteSingleOpException
    return next(iter(transact_item.items()))


def _distinct_keys(backend: DynamoDBBackend, actions: list[Action]) -> list[Key]:
    keys: dict[tuple[str, Key], None] = {}
    for kind, fields in actions:
        table = backend.get_table(fields["TableName"])
        key = backend.get_keys_value(table, fields["Item" if kind == "Put" else "Key"])
        if (table.name, key) in keys:
            raise MultipleTransactionsException
        keys[table.name, key] = None
    return [key for _, key in keys]


def _unmet_condition(backend: DynamoDBBackend, action: Action, key: Key) -> Reason:
    fields = action[1]
    item = backend.get_table(fields["TableName"]).get_item(*key)
    condition = get_filter_expression(
        fields.get("ConditionExpression"),
        fields.get("ExpressionAttributeNames"),
        fields.get("ExpressionAttributeValues"),
    )
    if condition.expr(item):
        return NO_REASON
    shown = item if fields.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else None
    message = str(ConditionalCheckFailed().message)
    return "ConditionalCheckFailed", message, shown.to_json()["Attributes"] if shown else None


def _write(backend: DynamoDBBackend, action: Action) -> None:
    kind, fields = action
    match kind:
        case "Put":
            backend.put_item(fields["TableName"], fields["Item"])
        case "Delete":
            backend.delete_item(fields["TableName"], fields["Key"])
        case "Update":
            backend.update_item(
                fields["TableName"],
                fields["Key"],
                fields["UpdateExpression"],
                fields.get("ExpressionAttributeNames", {}),
                fields.get("ExpressionAttributeValues", {}),
            )


class IdempotentParameterMismatch(DynamodbException):
    """A client request token came back with another transaction."""

    def __init__(self) -> None:
        super().__init__(
            ERROR_TYPE_PREFIX + "IdempotentParameterMismatchException",
            "The request uses the same client token as a previous, but non-identical request.",
        )


class TransactionTokens:
    """Remembers for ten minutes which transactions are done, so that a retry of one changes nothing.

    A transaction that was cancelled is not remembered: its retry is decided anew.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._done: OrderedDict[tuple[str, ...], tuple[float, bytes]] = (
            OrderedDict()
        )  # token: (expiry, digest)

    def is_done(self, token: tuple[str, ...], digest: bytes) -> bool:
        """Whether the transaction of this digest was done under this token; raises if another one was."""
        now = self._clock.now()
        while self._done and next(iter(self._done.values()))[0] <= now:
            self._done.popitem(last=False)
        if token not in self._done:
            return False
        if self._done[token][1] != digest:
            raise IdempotentParameterMismatch
        return True

    def remember(self, token: tuple[str, ...], digest: bytes) -> None:
        self._done[token] = (self._clock.now() + TOKEN_SECONDS, digest)


def content_digest(transact_items: object) -> bytes:
    """The same for the same transaction, whatever the order of its fields."""
    # Binary attributes arrive as bytes, which JSON has not; their repr tells them apart as well.
    return hashlib.sha256(json.dumps(transact_items, sort_keys=True, default=repr).encode()).digest()
