"""One suite for the `Seats` port, in memory and on DynamoDB."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest

from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.dynamodb_seats import DynamoDbSeats
from chalicelib.adapters.memory_seats import MemorySeats
from chalicelib.adapters.system import RandomIds
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.seats import SEATS, Seat
from chalicelib.ports import Seats
from tests.conformance.real_ports import client, make_resources, tables
from tests.unit.world import START

IDS = RandomIds()
TAKERS = 24
END = START + timedelta(seconds=28)
SHORTLY = timedelta(microseconds=1)


@pytest.fixture(params=["memory", "real"])
def seats(request: pytest.FixtureRequest) -> Seats:
    if request.param == "memory":
        return MemorySeats()
    endpoint = request.getfixturevalue("aws_endpoint")
    make_resources(endpoint)
    return DynamoDbSeats(tables(endpoint))


@pytest.fixture
def tenant() -> str:
    return IDS.new_id("ten_")


def seat_of(tenant: str, number: int = 0, *, ends_at: datetime = END) -> Seat:
    return Seat(tenant_id=tenant, number=number, ends_at=ends_at)


def at_once(take: Callable[[int], Seat | None]) -> Sequence[Seat]:
    """The seats that takers get who all start together."""
    start = Barrier(TAKERS, timeout=30)

    def taker(number: int) -> Seat | None:
        start.wait()
        return take(number)

    with ThreadPoolExecutor(TAKERS) as pool:
        return [seat for seat in pool.map(taker, range(TAKERS)) if seat is not None]


def test_exactly_as_many_sit_as_there_are_seats_when_all_try_every_seat_at_once(
    seats: Seats, tenant: str
) -> None:
    def try_all(taker: int) -> Seat | None:
        tried = (seat_of(tenant, (taker + step) % SEATS) for step in range(SEATS))
        return next((seat for seat in tried if seats.take(seat, now=START)), None)

    assert sorted(seat.number for seat in at_once(try_all)) == list(range(SEATS))


def test_one_sits_when_all_try_one_seat_whose_holder_was_killed(seats: Seats, tenant: str) -> None:
    assert seats.take(seat_of(tenant), now=START)
    wanted = seat_of(tenant, ends_at=END + timedelta(seconds=28))
    assert at_once(lambda _: wanted if seats.take(wanted, now=END) else None) == [wanted]


def test_a_seat_is_taken_until_its_end_when_nobody_gives_it_back(seats: Seats, tenant: str) -> None:
    assert seats.take(seat_of(tenant), now=START)
    later = seat_of(tenant, ends_at=END + timedelta(hours=1))
    taken = [seats.take(later, now=now) for now in (START, END - SHORTLY, END, END + SHORTLY)]
    assert taken == [False, False, True, False]


def test_a_seat_is_free_at_once_when_it_is_given_back(seats: Seats, tenant: str) -> None:
    mine = seat_of(tenant)
    for _ in range(3):
        assert seats.take(mine, now=START)
        assert not seats.take(seat_of(tenant, ends_at=END + SHORTLY), now=START)
        seats.give_back(mine)
        seats.give_back(mine)


def test_the_next_waiter_keeps_its_seat_when_the_last_one_gives_it_back_late(
    seats: Seats, tenant: str
) -> None:
    mine, theirs = seat_of(tenant), seat_of(tenant, ends_at=END + timedelta(seconds=28))
    assert seats.take(mine, now=START)
    assert seats.take(theirs, now=END)
    seats.give_back(mine)
    assert not seats.take(seat_of(tenant, ends_at=END + timedelta(hours=1)), now=END)


def test_each_has_its_own_seats_when_there_are_two_tenants(seats: Seats, tenant: str) -> None:
    mine, theirs = seat_of(tenant), seat_of(IDS.new_id("ten_"))
    assert seats.take(mine, now=START)
    assert seats.take(theirs, now=START)
    seats.give_back(theirs)
    assert not seats.take(seat_of(tenant, ends_at=END + SHORTLY), now=START)


def test_the_seats_are_unavailable_when_the_store_does_not_answer(tenant: str) -> None:
    nowhere = Tables(client("dynamodb", endpoint="http://127.0.0.1:1"), backoff=lambda _: None)
    with pytest.raises(Unavailable):
        DynamoDbSeats(nowhere).take(seat_of(tenant), now=START)
    with pytest.raises(Unavailable):
        DynamoDbSeats(nowhere).give_back(seat_of(tenant))
