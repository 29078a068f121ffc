"""What the tests of DynamoDB write and read."""

from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from tests.conformance.in_process import ACCOUNT, REGION


def key(pk: str, sk: str = "-") -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def put(table: str, pk: str, sk: str = "-", **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": {**key(pk, sk), **more}}}


def items(dynamodb: Any, table: str) -> list[dict[str, Any]]:
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


class Untouchable:
    """Stands in a table for an item that nobody may look at or copy."""

    def __deepcopy__(self, memo: object) -> None:
        raise AssertionError("copied")


def put_untouchable(table: str) -> None:
    partition = dynamodb_backends[ACCOUNT][REGION].get_table(table).items[DynamoType({"S": "untouchable"})]
    partition[DynamoType({"S": "-"})] = Untouchable()
