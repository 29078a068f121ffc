"""Seats in DynamoDB: a row a taken seat, at most `SEATS` a tenant, so nothing has to be tidied up.

They have a table of their own: a tenant whose waiters crowd its rows slows none of its submits, and the
function may delete nothing else.
"""

from datetime import datetime

from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.dynamodb_items import sortable
from chalicelib.domain.seats import Seat

WAIT_SEATS = "wait_seats"


class DynamoDbSeats:
    """The `Seats` port.

    One plain write each, without a transaction's token: if a repeated write finds its own first try, the
    seat counts as another's and is empty until its end, which costs one wait and no request.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def take(self, seat: Seat, *, now: datetime) -> bool:
        """See `ports.Seats.take`."""
        return self._tables.put_if(
            WAIT_SEATS,
            {**_key(seat), "ends_at": sortable(seat.ends_at)},
            condition="attribute_not_exists(ends_at) OR ends_at <= :now",
            values={":now": sortable(now)},
        )

    def give_back(self, seat: Seat) -> None:
        """See `ports.Seats.give_back`."""
        self._tables.delete_if(
            WAIT_SEATS,
            _key(seat),
            condition="ends_at = :mine",
            values={":mine": sortable(seat.ends_at)},
        )


def _key(seat: Seat) -> dict[str, object]:
    return {"tenant_id": seat.tenant_id, "seat": seat.number}
