"""`Prefer: wait` holds an execution, so a tenant has few seats: who finds none is answered at once."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from chalicelib.adapters.memory import SequentialIds
from chalicelib.domain.errors import JobNotFound, Unavailable
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.seats import HELD_AT_MOST, SEATS, TRIES, Seat
from tests.crash.failpoints import Failing, Failpoint
from tests.unit.long_running import get, reach, retry_after, waited
from tests.unit.world import ACME, GLOBEX, World


class InTurn(SequentialIds):
    """Chance by which each waiter tries another seat first."""

    def __init__(self) -> None:
        super().__init__()
        self._turns = count()

    def salt(self) -> bytes:
        first = next(self._turns) % SEATS
        return bytes(0 if number == first else 1 for number in range(SEATS))


def fill(world: World, tenant: str = ACME, *, ends_in: timedelta = HELD_AT_MOST) -> None:
    """Waiters sit on all seats of the tenant, and give none back."""
    now = world.clock.now()
    for number in range(SEATS):
        assert world.seats.take(Seat(tenant_id=tenant, number=number, ends_at=now + ends_in), now=now)


def unavailable() -> None:
    raise Unavailable("no answer")


def broken(world: World, method: str, when: str) -> None:
    seats: Any = Failing(world.seats, Failpoint("seats", method, when), unavailable)
    world.seats = seats


def applied(world: World, ref: JobRef) -> str | None:
    return get(world, ref, prefer="wait=1").headers.get("Preference-Applied")


@pytest.mark.parametrize(("condition", "status"), [((), 200), ("*", 304)])
def test_the_answer_comes_at_once_and_says_when_to_ask_again_when_no_seat_is_free(
    world: World, condition: str | tuple[str, ...], status: int
) -> None:
    ref = world.submit().job_ref
    fill(world)
    answer = get(world, ref, prefer="wait=20", if_none_match=condition)
    assert (waited(world), answer.status, retry_after(answer)) == (0, status, 1)
    assert "Preference-Applied" not in answer.headers


def test_exactly_as_many_wait_as_there_are_seats_when_more_ask_at_once() -> None:
    world = World(ids=InTurn())
    ref, asked = world.submit().job_ref, count()
    granted: list[str | None] = []

    def one_more() -> None:
        if next(asked) < SEATS + 2:
            granted.append(applied(world, ref))

    world.clock.meanwhile = one_more  # so that each waits while all before it do
    one_more()
    assert granted == [None] * 2 + ["wait=1"] * SEATS
    assert applied(world, ref) == "wait=1"


def test_every_wait_is_granted_when_each_follows_the_last(world: World) -> None:
    ref = world.submit().job_ref
    assert [applied(world, ref) for _ in range(2 * SEATS)] == ["wait=1"] * 2 * SEATS
    fill(world)  # nothing is left behind


def test_the_seat_is_free_again_when_the_wait_ends_in_an_error(world: World) -> None:
    ref = world.submit().job_ref
    jobs: Any = Failing(world.jobs, Failpoint("jobs", "get", "before", nth=3), unavailable)
    world.jobs = jobs
    with pytest.raises(Unavailable):
        get(world, ref, prefer="wait=20")
    fill(world)


def test_a_seat_is_free_again_by_its_end_when_nobody_gives_it_back(world: World) -> None:
    ref = world.submit().job_ref
    fill(world)
    world.clock.advance(HELD_AT_MOST - timedelta(microseconds=1))
    assert applied(world, ref) is None
    world.clock.advance(timedelta(microseconds=1))
    assert applied(world, ref) == "wait=1"


def test_a_tenant_waits_when_another_has_taken_all_its_own_seats(world: World) -> None:
    ref = world.submit().job_ref
    fill(world, GLOBEX)
    assert applied(world, ref) == "wait=1"


def test_few_seats_are_tried_when_all_are_taken(world: World) -> None:
    ref = world.submit().job_ref
    fill(world)
    too_many: Any = Failing(world.seats, Failpoint("seats", "take", "before", nth=TRIES + 1), pytest.fail)
    world.seats = too_many
    assert applied(world, ref) is None


@pytest.mark.parametrize("when", ["before", "after"])
def test_nobody_waits_when_the_seats_cannot_be_reached(world: World, when: str) -> None:
    ref = world.submit().job_ref
    broken(world, "take", when)
    answer = get(world, ref, prefer="wait=20")
    assert (waited(world), answer.status, retry_after(answer)) == (0, 200, 1)
    assert "Preference-Applied" not in answer.headers


def test_the_wait_counts_when_its_seat_cannot_be_given_back(world: World) -> None:
    ref = world.submit().job_ref
    broken(world, "give_back", "before")
    assert applied(world, ref) == "wait=1"
    assert waited(world) == 1


def test_no_seat_is_taken_when_nothing_has_to_be_waited_for(world: World) -> None:
    ended, ref = reach(world, Status.CANCELED), world.submit("k2").job_ref
    broken(world, "take", "before")
    before = waited(world)
    assert get(world, ended, prefer="wait=20").headers["Preference-Applied"] == "wait=20"
    assert get(world, ref, prefer="wait=20", if_none_match='"old"').headers["Preference-Applied"] == "wait=20"
    assert get(world, ref, prefer="wait=0").headers["Preference-Applied"] == "wait=0"
    assert "Preference-Applied" not in get(world, ref).headers
    with pytest.raises(JobNotFound):
        get(world, JobRef(ACME, "job_" + "0" * 26), prefer="wait=20")
    assert waited(world) == before
