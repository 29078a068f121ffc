"""What was revoked, in DynamoDB: one partition in the order of expiry, so that a short query finds it.

A partition takes 1,000 revocations a second, and a megabyte of answer holds 8,000 that are in force.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.adapters.dynamodb import Item, Tables, to_attributes
from chalicelib.adapters.dynamodb_items import sortable
from chalicelib.domain.key_ring import SKEW

REVOCATIONS = "revocations"
ACCESS = "access"


class DynamoDbRevocations:
    """The `Revocations` port."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def revoke(self, subject: str, *, until: datetime) -> None:
        """See `ports.Revocations.revoke`."""
        self._tables.put(REVOCATIONS, _row(subject, until=until))

    def in_force(self, *, now: datetime) -> frozenset[str]:
        """See `ports.Revocations.in_force`."""
        found = self._tables.query(
            REVOCATIONS,
            KeyConditionExpression="kind = :kind AND until_id >= :now",
            values={":kind": ACCESS, ":now": sortable(now)},
            ConsistentRead=True,
        )
        return frozenset(str(item["subject"]) for item in found)


def listed(subject: str, *, until: datetime) -> Mapping[str, Any]:
    """The transaction action that revokes the subject."""
    return {"Put": {"TableName": REVOCATIONS, "Item": to_attributes(_row(subject, until=until))}}


def unlisted(subject: str, *, until: datetime) -> Mapping[str, Any]:
    """The transaction action that takes it off the list, where it stands with this `until`."""
    return {"Delete": {"TableName": REVOCATIONS, "Key": to_attributes(_key(subject, until=until))}}


def _key(subject: str, *, until: datetime) -> Item:
    return {"kind": ACCESS, "until_id": f"{sortable(until)}#{subject}"}


def _row(subject: str, *, until: datetime) -> Item:
    # TTL goes by DynamoDB's clock, which may be ahead of a reader's, and counts whole seconds.
    delete_at = int((until + SKEW).timestamp()) + 1
    return {**_key(subject, until=until), "subject": subject, "delete_at": delete_at}
