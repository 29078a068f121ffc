"""Tallies and used ids in DynamoDB; TTL tidies both up."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.dynamodb_items import sortable
from chalicelib.domain.key_ring import SKEW
from chalicelib.domain.tallies import WINDOW, Counted, window_start

TALLIES = "tallies"
SINGLE_USE_IDS = "single_use_ids"


class DynamoDbTallies:
    """The `Tallies` port: a counter a subject and minute."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def add(self, counted: Sequence[Counted], *, now: datetime) -> None:
        """See `ports.Tallies.add`."""
        for each in counted:
            self._tables.count(
                TALLIES,
                _key(each, now),
                added={"tally": 1},
                delete_at=window_start(now) + 2 * WINDOW,
            )

    def spent(self, counted: Sequence[Counted], *, now: datetime) -> bool:
        """See `ports.Tallies.spent`."""
        rows = [(each, self._tables.get(TALLIES, _key(each, now))) for each in counted]
        return any(row is not None and row["tally"] >= each.limit for each, row in rows)


class DynamoDbSingleUse:
    """The `SingleUse` port.

    One plain write: if a repeated write finds its own first try, the id counts as used, and what carries it
    is refused although it is new. That is the safe side, and a client's next try has an id of its own.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def claim(self, used_id: str, *, until: datetime, now: datetime) -> bool:
        """See `ports.SingleUse.claim`."""
        return self._tables.put_if(
            SINGLE_USE_IDS,
            {
                # A digest, for a key has 2,048 bytes at most, and what a client sends may be longer.
                "used_id": hashlib.sha256(used_id.encode()).hexdigest(),
                "used_until": sortable(until),
                # TTL goes by DynamoDB's clock, which may be ahead of ours, and counts whole seconds.
                "delete_at": int((until + SKEW).timestamp()) + 1,
            },
            condition="attribute_not_exists(used_id) OR used_until < :now",
            values={":now": sortable(now)},
        )


def _key(counted: Counted, now: datetime) -> dict[str, object]:
    return {"subject_minute": f"{counted.subject}#{window_start(now):%Y-%m-%dT%H:%M}"}
