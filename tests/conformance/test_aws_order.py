"""Queries answer as moto does that looks at everything, whatever was written, and look at little."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from emulation import aws_dynamodb
from emulation.aws import Aws
from tests.conformance.in_process import ACCOUNT, REGION, connect_in_process
from tests.conformance.items import key

# Attributes with few values each, so that keys meet.
VALUES = {
    "pk": [{"S": text} for text in "abcd"],
    "sk": [{"S": text} for text in ("1", "10", "2", "é")],
    "kind": [{"S": "x"}, {"S": "x"}, {"S": "x"}, {"S": "y"}],
    "text": [{"S": text} for text in ("p", "pq", "pqr", "r")],
    "number": [{"N": text} for text in ("-1", "2", "2.0", "10")],
}
INDEXES = {
    "by_text": (("kind", "text"), "ALL"),
    "by_number": (("kind", "number"), "KEYS_ONLY"),
    "of_kind": (("kind",), "ALL"),
}
CONDITIONS = ("=", "<", "<=", ">", ">=", "BETWEEN", "begins_with")

_numbers = count()
_optional = {name: st.sampled_from([*VALUES[name], None]) for name in ("kind", "text", "number")}
_keys = st.fixed_dictionaries({name: st.sampled_from(VALUES[name]) for name in ("pk", "sk")})
_attributes = st.fixed_dictionaries(_optional).map(
    lambda drawn: {name: value for name, value in drawn.items() if value is not None}
)
_puts = st.tuples(st.just("put"), _keys, _attributes)
_updates = st.tuples(st.just("update"), _keys, _attributes)
_deletes = st.tuples(st.just("delete"), _keys, st.just({}))
_single = st.one_of(_puts, _updates, _deletes)
_write = st.tuples(
    st.sampled_from(["alone", "in a transaction", "in one that is rolled back", "in a batch"]),
    st.lists(_single, min_size=1, max_size=3, unique_by=lambda write: str(write[1])),
)


@st.composite
def _query(draw: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    index = draw(st.sampled_from([None, *INDEXES]))
    names = INDEXES[index][0] if index else keys
    condition, values = "#h = :h", {":h": draw(st.sampled_from(VALUES[names[0]]))}
    used = {"#h": names[0]}
    if len(names) > 1 and (comparison := draw(st.sampled_from([None, *_conditions(names[1])]))):
        values |= {":v": draw(st.sampled_from(VALUES[names[1]]))}
        used["#s"] = names[1]
        condition += " AND " + _condition(comparison)
        if comparison == "BETWEEN":
            values |= {":w": draw(st.sampled_from(VALUES[names[1]]))}
    asked: dict[str, Any] = {"KeyConditionExpression": condition, "ScanIndexForward": draw(st.booleans())}
    if index:
        asked["IndexName"] = index
    if limit := draw(st.none() | st.integers(1, 4)):
        asked["Limit"] = limit
    if draw(st.booleans()):
        asked["FilterExpression"] = "#f = :f"
        used["#f"], values[":f"] = "number", {"N": "2"}
    return {**asked, "ExpressionAttributeNames": used, "ExpressionAttributeValues": values}


def _conditions(name: str) -> list[str]:
    return [each for each in CONDITIONS if each != "begins_with" or name != "number"]


def _condition(comparison: str) -> str:
    if comparison == "BETWEEN":
        return "#s BETWEEN :v AND :w"
    return "begins_with(#s, :v)" if comparison == "begins_with" else f"#s {comparison} :v"


@pytest.mark.parametrize("keys", [("pk", "sk"), ("pk",)], ids=["with sort key", "without"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_page_is_motos_when_a_query_follows_any_writes(
    dynamodb: Any, keys: tuple[str, ...], data: st.DataObject
) -> None:
    stored = data.draw(st.lists(st.tuples(st.just("put"), _keys, _attributes), min_size=20, max_size=20))
    writes = data.draw(st.lists(_write, min_size=3, max_size=6))
    queries = data.draw(st.lists(_query(keys), min_size=6, max_size=8))
    table = _create_table(dynamodb, keys)
    _carry_out(dynamodb, table, keys, "alone", stored)
    for write in writes:
        _carry_out(dynamodb, table, keys, *write)
    ours = [_pages(dynamodb, table, asked) for asked in queries]
    with _moto_as_it_comes():
        assert ours == [_pages(dynamodb, table, asked) for asked in queries]


def _create_table(dynamodb: Any, keys: tuple[str, ...]) -> str:
    name = f"ordered-{next(_numbers)}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=_schema(keys),
        AttributeDefinitions=[
            {"AttributeName": each, "AttributeType": next(iter(VALUES[each][0]))}
            for each in (*keys, "kind", "text", "number")
        ],
        GlobalSecondaryIndexes=[
            {"IndexName": index, "KeySchema": _schema(names), "Projection": {"ProjectionType": projection}}
            for index, (names, projection) in INDEXES.items()
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for index, (names, _) in INDEXES.items():  # so that their orders are there and must follow
        _pages(dynamodb, name, _of(index, names[0], VALUES[names[0]][0]))
    return name


def _schema(names: tuple[str, ...]) -> list[dict[str, str]]:
    return [
        {"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
    ]


def _of(index: str, name: str, value: dict[str, str], **more: Any) -> dict[str, Any]:
    return {
        "IndexName": index,
        "KeyConditionExpression": "#h = :h",
        "ExpressionAttributeNames": {"#h": name},
        "ExpressionAttributeValues": {":h": value},
        **more,
    }


def _carry_out(dynamodb: Any, table: str, keys: tuple[str, ...], how: str, writes: list[Any]) -> None:
    actions = [_action(table, keys, *write) for write in writes]
    with suppress(ClientError):  # such as one that names a key twice
        if how == "in a batch" and all(kind != "Update" for kind, _ in actions):
            requests = [
                {f"{kind}Request": {name: value for name, value in fields.items() if name != "TableName"}}
                for kind, fields in actions
            ]
            dynamodb.batch_write_item(RequestItems={table: requests})
        elif how in ("alone", "in a batch"):
            for kind, fields in actions:
                getattr(dynamodb, f"{kind.lower()}_item")(**fields)
        else:
            broken = {"TableName": table, "Key": _key(keys, key("none")), "UpdateExpression": "SET a = b"}
            last = [("Update", broken)] if how == "in one that is rolled back" else []
            dynamodb.transact_write_items(
                TransactItems=[{kind: fields} for kind, fields in (*actions, *last)]
            )


def _action(
    table: str, keys: tuple[str, ...], kind: str, at: dict[str, Any], attributes: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    if kind == "put":
        return "Put", {"TableName": table, "Item": {**_key(keys, at), **attributes}}
    if kind == "delete":
        return "Delete", {"TableName": table, "Key": _key(keys, at)}
    given = {"kind", "text", "number"} & attributes.keys()
    gone = sorted({"kind", "text", "number"} - given)
    expression = "SET " + ", ".join(f"#{name} = :{name}" for name in sorted(given)) if given else ""
    if gone:
        expression += " REMOVE " + ", ".join(f"#{name}" for name in gone)
    fields: dict[str, Any] = {
        "TableName": table,
        "Key": _key(keys, at),
        "UpdateExpression": expression.strip(),
        "ExpressionAttributeNames": {f"#{name}": name for name in ("kind", "text", "number")},
    }
    if given:
        fields["ExpressionAttributeValues"] = {f":{name}": attributes[name] for name in given}
    return "Update", fields


def _key(keys: tuple[str, ...], of: dict[str, Any]) -> dict[str, Any]:
    return {name: of[name] for name in keys}


def _pages(dynamodb: Any, table: str, asked: dict[str, Any]) -> list[Any]:
    """Every page of a query: each begins where the one before it ended."""
    pages, start = [], {}
    while True:
        answer = dynamodb.query(TableName=table, **asked, **start)
        last = answer.get("LastEvaluatedKey")
        pages.append((answer["Items"], answer["ScannedCount"], last))
        if last is None:
            return pages
        start = {"ExclusiveStartKey": last}


@contextmanager
def _moto_as_it_comes() -> Iterator[None]:
    ours = Table.query
    Table.query = aws_dynamodb._moto_query  # type: ignore[method-assign]
    try:
        yield
    finally:
        Table.query = ours  # type: ignore[method-assign]


@pytest.mark.parametrize("way", ["put", "update", "delete", "transaction", "batch", "rolled back"])
def test_index_query_sees_an_item_where_it_is_when_it_was_written_any_way(
    dynamodb: Any, table: str, way: str
) -> None:
    due, later = ({"due_day": {"S": day}, "due_at": {"S": "1"}} for day in ("today", "later"))
    dynamodb.put_item(TableName=table, Item={**key("a"), **due})
    assert _due(dynamodb, table, "today") == ["a"]  # and from now on the order of the index is kept

    put = {"TableName": table, "Item": {**key("a"), **later}}
    update = {
        "TableName": table,
        "Key": key("a"),
        "UpdateExpression": "SET due_day = :day",
        "ExpressionAttributeValues": {":day": {"S": "later"}},
    }
    broken = {"Update": {"TableName": table, "Key": key("none"), "UpdateExpression": "SET a = b"}}
    if way == "put":
        dynamodb.put_item(**put)
    elif way == "update":
        dynamodb.update_item(**update)
    elif way == "delete":
        dynamodb.delete_item(TableName=table, Key=key("a"))
    elif way == "transaction":
        dynamodb.transact_write_items(TransactItems=[{"Update": update}])
    elif way == "batch":
        dynamodb.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": put["Item"]}}]})
    else:
        with pytest.raises(ClientError):
            dynamodb.transact_write_items(TransactItems=[{"Update": update}, broken])

    is_as_before = way == "rolled back"
    assert _due(dynamodb, table, "today") == (["a"] if is_as_before else [])
    assert _due(dynamodb, table, "later") == ([] if is_as_before or way == "delete" else ["a"])


def _due(dynamodb: Any, table: str, day: str) -> list[str]:
    (page,) = _pages(dynamodb, table, _of("due", "due_day", {"S": day}))
    return [item["pk"]["S"] for item in page[0]]


def test_nothing_is_in_an_index_when_its_table_is_made_again(dynamodb: Any, table: str) -> None:
    definition = dynamodb.describe_table(TableName=table)["Table"]
    dynamodb.put_item(TableName=table, Item={**key("a"), "due_day": {"S": "today"}, "due_at": {"S": "1"}})
    assert _due(dynamodb, table, "today") == ["a"]
    dynamodb.delete_table(TableName=table)
    dynamodb.create_table(
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
            for index in definition["GlobalSecondaryIndexes"]
        ],
        **{name: definition[name] for name in ("TableName", "KeySchema", "AttributeDefinitions")},
    )

    assert _due(dynamodb, table, "today") == []


def test_query_is_refused_when_its_start_key_is_incomplete(dynamodb: Any, table: str) -> None:
    asked = _of("due", "due_day", {"S": "today"}, ExclusiveStartKey=key("a"))

    with pytest.raises(ClientError, match="The provided starting key is invalid"):
        dynamodb.query(TableName=table, **asked)


@pytest.mark.parametrize("index", ["due", None])
def test_query_looks_at_few_items_when_its_partition_has_many(
    aws: Aws, table: str, index: str | None
) -> None:
    dynamodb = connect_in_process(aws, "dynamodb")
    stored = dynamodb_backends[ACCOUNT][REGION].get_table(table)
    name, value = ("due_day", "due_at") if index else ("pk", "sk")
    for number in range(1000):
        at = {"S": f"{number:03}"}
        stored.put_item({**key("a", at["S"]), "due_day": {"S": "a"}, "due_at": at})
    asked = {
        "KeyConditionExpression": f"{name} = :a AND {value} > :v",
        "ExpressionAttributeValues": {":a": {"S": "a"}, ":v": {"S": "500"}},
        "Limit": 1,
        **({"IndexName": index} if index else {}),
    }
    dynamodb.query(TableName=table, **asked)  # puts the partition in order
    looked_at: set[str] = set()
    for item in stored.all_items():
        item.attrs = _Watched(item, looked_at)

    (found,) = dynamodb.query(TableName=table, **asked)["Items"]

    assert found[value] == {"S": "501"}
    assert len(looked_at) < 30  # a few binary searches: 1000 < 2 ** 10


class _Watched(dict[str, DynamoType]):
    """An item's attributes, which tell who was looked at."""

    def __init__(self, item: Item, looked_at: set[str]) -> None:
        super().__init__(item.attrs)
        self._looked_at = looked_at

    def __getitem__(self, name: str) -> DynamoType:
        self._looked_at.add(str(super().__getitem__("sk").value))
        return super().__getitem__(name)
