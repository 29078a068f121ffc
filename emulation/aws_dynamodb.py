"""What of moto's DynamoDB is replaced: transactions, failing updates, queries.

Deliberately absent: deletion by time to live (on AWS it may be days late, so nobody may count on it), and an
order of indexes: a query of an index looks at every item of its table.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import StreamRecord, Table
from moto.dynamodb.responses import DynamoHandler

from emulation.aws_patch import Patch, Untracked
from emulation.aws_transactions import TransactionTokens, all_or_nothing, content_digest, transact_write_items
from emulation.clock import Clock

# Where moto's backend puts the index's name among the positional arguments that follow the hash key.
INDEX_NAME = 6

_moto_query = Table.query
_moto_update_item = DynamoDBBackend.update_item
_moto_transact_write_items = DynamoHandler.transact_write_items


def update_item(
    backend: DynamoDBBackend, table_name: str, key: dict[str, Any], *args: Any, **kwargs: Any
) -> Item:
    """Updates the item, or leaves it, or its absence, as it was."""
    table = backend.get_table(table_name)
    with all_or_nothing() as log:
        log.remember(table, backend.get_keys_value(table, key))
        return _moto_update_item(backend, table_name, key, *args, **kwargs)


def query(table: Table, hash_key: DynamoType, *args: Any, **kwargs: Any) -> Any:
    """moto's query, over the partition asked for, or over those items of an index that bear its hash key."""
    view: Any = object.__new__(type(table))  # past moto's list of all tables
    view.__dict__.update(table.__dict__)
    if args[INDEX_NAME] is None:
        view.items = {hash_key: table.items[hash_key]} if hash_key in table.items else {}
    else:
        view.items = _bearing(table, kwargs["hash_key_conditions"])
    return _moto_query(view, hash_key, *args, **kwargs)


def _bearing(table: Table, attributes: list[tuple[str, DynamoType]]) -> dict[DynamoType, Any]:
    """The items that have all these attributes, arranged as the table arranges them."""
    found: dict[DynamoType, Any] = defaultdict(dict)
    for item in _items(table):
        if all(name in item.attrs and item.attrs[name] == value for name, value in attributes):
            if item.range_key:
                found[item.hash_key][item.range_key] = item
            else:
                found[item.hash_key] = item
    return found


def _items(table: Table) -> Iterator[Item]:
    """Every item, in no order: moto's `all_items` sorts them all."""
    for entry in table.items.values():
        yield from (entry,) if isinstance(entry, Item) else entry.values()


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
        reason="moto sorts the whole table to query one partition",
        test="test_query_looks_at_one_partition_when_the_table_has_many",
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
