"""What of moto's DynamoDB is replaced: transactions, failing updates, queries, and how values are answered.

Deliberately absent: deletion by time to live (on AWS it may be days late, so nobody may count on it).
"""

from collections.abc import Callable
from typing import Any

from moto.core.model import StructureShape
from moto.core.responses import ActionResult
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import StreamRecord, Table
from moto.dynamodb.responses import DynamoHandler

from emulation.aws_order import in_index, in_table, refile, window
from emulation.aws_patch import Patch, Untracked
from emulation.aws_transactions import TransactionTokens, all_or_nothing, content_digest, transact_write_items
from emulation.clock import Clock

_moto_query: Any = Table.query
_moto_put_item = Table.put_item
_moto_delete_item = Table.delete_item
_moto_update_item = DynamoDBBackend.update_item
_moto_transact_write_items = DynamoHandler.transact_write_items
_moto_structure = BaseJSONSerializer._serialize_type_structure


def update_item(
    backend: DynamoDBBackend, table_name: str, key: dict[str, Any], *args: Any, **kwargs: Any
) -> Item:
    """Updates the item, or leaves it, or its absence, as it was."""
    table = backend.get_table(table_name)
    key_values = backend.get_keys_value(table, key)
    with all_or_nothing() as log:
        log.remember(table, key_values)
        item = _moto_update_item(backend, table_name, key, *args, **kwargs)
    refile(table, key_values)
    return item


def put_item(table: Table, *args: Any, **kwargs: Any) -> Item:
    """moto's, and the order of indexes follows."""
    item = _moto_put_item(table, *args, **kwargs)
    refile(table, (item.hash_key, item.range_key))
    return item


def delete_item(table: Table, hash_key: DynamoType, range_key: DynamoType | None) -> Item | None:
    """moto's, and the order of indexes follows."""
    item = _moto_delete_item(table, hash_key, range_key)
    refile(table, (hash_key, range_key))
    return item


def query(
    table: Table,
    hash_key: DynamoType,
    range_comparison: str | None,
    range_values: list[DynamoType],
    limit: int | None,
    start_key: dict[str, Any] | None,
    is_forward: bool,  # noqa: FBT001 moto's own parameters
    projection: list[list[str]] | None,
    index_name: str | None,
    *args: Any,
    hash_key_conditions: list[tuple[str, DynamoType]],
    range_key_conditions: list[tuple[str, str, list[DynamoType]]],
    **filters: Any,
) -> Any:
    """moto's query, over those items alone that it may answer."""
    counted = None if filters else limit  # moto counts only what these filters leave
    asked = window(range_key_conditions, limit=counted, start_key=start_key, is_forward=is_forward)
    if index_name is None:
        items = in_table(table, hash_key, asked)
    else:
        index = next((each for each in table.all_indexes() if each.name == index_name), None)
        items = in_index(table, index, dict(hash_key_conditions), asked) if index else {}
    return _moto_query(
        _with_items(table, items),
        hash_key,
        range_comparison,
        range_values,
        limit,
        start_key,
        is_forward,
        projection,
        index_name,
        *args,
        hash_key_conditions=hash_key_conditions,
        range_key_conditions=range_key_conditions,
        **filters,
    )


def _with_items(table: Table, items: Any) -> Table:
    """A copy that holds these items alone, made past moto's list of all tables."""
    shown = object.__new__(type(table))
    shown.__dict__.update(table.__dict__)
    shown.items = items
    return shown


def structure(
    serializer: BaseJSONSerializer, serialized: dict[str, Any], value: Any, shape: StructureShape, key: str
) -> None:
    """moto's; of an attribute's value, which has one member of ten, that member alone."""
    if shape.name != "AttributeValue" or not isinstance(value, dict):
        _moto_structure(serializer, serialized, value, shape, key)
        return
    members: dict[str, Any] = {}
    for kind, content in value.items():
        serializer._serialize(members, content, shape.members[kind], kind)
    serialized[key] = members


def transact_write_items_once(tokens: TransactionTokens) -> Callable[[DynamoHandler], ActionResult]:
    """The request's handler: a transaction already done under its token succeeds and changes nothing."""

    def handle(request: DynamoHandler) -> ActionResult:
        token = request.body.get("ClientRequestToken")
        if token is None:
            return _moto_transact_write_items(request)
        scoped = (request.current_account, request.region, token)
        digest = content_digest(request.body["TransactItems"])
        if tokens.is_done(scoped, digest):
            return ActionResult({})
        answer = _moto_transact_write_items(request)
        tokens.remember(scoped, digest)
        return answer

    return handle


_ALWAYS = (
    Patch(
        owner=DynamoDBBackend,
        name="transact_write_items",
        replacement=transact_write_items,
        reason="moto copies the whole table for each action, and to roll back puts a copy in its place",
        test="test_transaction_touches_no_other_item_when_it_commits_or_cancels",
    ),
    Patch(
        owner=DynamoDBBackend,
        name="update_item",
        replacement=update_item,
        reason="moto leaves an item half updated, or an empty one behind, when an update fails",
        test="test_item_is_untouched_when_its_update_fails_halfway",
    ),
    Patch(
        owner=Table,
        name="query",
        replacement=query,
        reason="moto sorts the whole table to query one partition, of it or of an index",
        test="test_query_looks_at_one_partition_when_the_table_has_many",
    ),
    Patch(
        owner=Table,
        name="put_item",
        replacement=put_item,
        reason="moto keeps no order of an index, and ours follows every write",
        test="test_index_query_sees_an_item_where_it_is_when_it_was_written_any_way",
    ),
    Patch(
        owner=Table,
        name="delete_item",
        replacement=delete_item,
        reason="moto keeps no order of an index, and ours follows every deletion",
        test="test_index_query_sees_an_item_where_it_is_when_it_was_written_any_way",
    ),
    Patch(
        owner=BaseJSONSerializer,
        name="_serialize_type_structure",
        replacement=structure,
        reason="moto looks for all ten members of each value by several names: 2 ms an item of ours",
        test="test_no_other_type_is_looked_for_when_a_value_is_answered",
    ),
    *(
        Patch(
            owner=model,
            name="instances_tracked",
            replacement=Untracked(),
            reason="moto remembers every item ever written or copied",
            test="test_nothing_is_remembered_of_items_and_messages_that_are_gone",
        )
        for model in (Item, StreamRecord)
    ),
)


def patches(clock: Clock) -> tuple[Patch, ...]:
    """What of moto's DynamoDB is replaced, and why."""
    return (
        *_ALWAYS,
        Patch(
            owner=DynamoHandler,
            name="transact_write_items",
            replacement=transact_write_items_once(TransactionTokens(clock)),
            reason="moto ignores client request tokens, which make botocore's retries safe",
            test="test_transaction_is_done_once_when_its_token_comes_again",
        ),
    )
