"""The actions that DynamoDB's transactions are made of, each with the condition on which all of them hang."""

from collections.abc import Mapping
from typing import Any

from chalicelib.adapters.dynamodb import to_attributes


def put_if_absent(table: str, item: Mapping[str, object], *, key: str) -> Mapping[str, Any]:
    """The transaction action that creates an item and never overwrites one."""
    return {
        "Put": {
            "TableName": table,
            "Item": to_attributes(item),
            "ConditionExpression": "attribute_not_exists(#key)",
            "ExpressionAttributeNames": {"#key": key},
        }
    }


def put_if_same(
    table: str, before: Mapping[str, object] | None, after: Mapping[str, object], *, key: str
) -> Mapping[str, Any]:
    """The action that puts `after` in the place of exactly `before`, or where there is no item."""
    if before is None:
        return put_if_absent(table, after, key=key)
    return {
        "Put": {
            "TableName": table,
            "Item": to_attributes(after),
            "ConditionExpression": " AND ".join(f"#{name} = :{name}" for name in before),
            "ExpressionAttributeNames": {f"#{name}": name for name in before},
            "ExpressionAttributeValues": to_attributes({f":{name}": was for name, was in before.items()}),
        }
    }


def update_if(
    table: str,
    key: Mapping[str, object],
    *,
    before: Mapping[str, object],
    changed: Mapping[str, object | None],
) -> Mapping[str, Any]:
    """The action that sets `changed` (None removes) if every attribute of `before` still has its value."""
    names = {f"#{name}": name for name in (*before, *changed)}
    values = {f":was_{name}": value for name, value in before.items()}
    values |= {f":{name}": value for name, value in changed.items() if value is not None}
    sets = ", ".join(f"#{name} = :{name}" for name, value in changed.items() if value is not None)
    removes = ", ".join(f"#{name}" for name, value in changed.items() if value is None)
    clauses = ([f"SET {sets}"] if sets else []) + ([f"REMOVE {removes}"] if removes else [])
    return {
        "Update": {
            "TableName": table,
            "Key": to_attributes(key),
            "UpdateExpression": " ".join(clauses),
            "ConditionExpression": " AND ".join(f"#{name} = :was_{name}" for name in before),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": to_attributes(values),
        }
    }
