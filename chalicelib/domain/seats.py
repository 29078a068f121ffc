"""Seats for requests that wait for news: a tenant has few, so that one tenant cannot hold every execution."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# A sixth of the 48 executions: the other tenants keep 40, and a client that watches many jobs needs one.
SEATS = 8
# Writes that a wait may cost. With four seats taken 1 waiter in 14 finds none, with one left 5 in 8.
TRIES = 3
# The function's time limit is 28 seconds: by then nobody sits there, however the wait has ended.
HELD_AT_MOST = timedelta(seconds=28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One of a tenant's seats, for one waiter; `ends_at` is when it is free again by itself.

    Whoever has the seat next ends later, or this one was given back: so `ends_at` names the waiter, too.
    """

    tenant_id: str
    number: int
    ends_at: datetime


def seats_to_try(tenant_id: str, *, now: datetime, salt: bytes) -> Sequence[Seat]:
    """Some of the tenant's seats, each as likely as any other, in the order to try them in.

    >>> seats = seats_to_try("ten_1", now=datetime(2026, 11, 23), salt=bytes([9, 8, 7, 6, 1, 5, 0, 4]))
    >>> [seat.number for seat in seats]
    [6, 4, 7]
    """
    by_chance = sorted(range(SEATS), key=lambda number: salt[number])
    ends_at = now + HELD_AT_MOST
    return [Seat(tenant_id=tenant_id, number=number, ends_at=ends_at) for number in by_chance[:TRIES]]
