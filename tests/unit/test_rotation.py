"""Keys follow one another, and no live token is refused, by any clock and whatever anyone remembers."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import key_ring
from chalicelib.domain.audit import Act
from chalicelib.domain.key_ring import LEAD, PUBLISHED_FOR, ROTATED_EVERY, SKEW, TOKEN_LIFETIME
from tests.unit.fleet import NONE, Fleet, kid_of

SECOND = timedelta(seconds=1)
SHORTLY = timedelta(microseconds=1)
PAIR = st.integers(0, 1)
# Any two clocks differ by a minute at most; the worst cases lie at the ends.
UP_TO_SKEW = st.sampled_from([NONE, SKEW]) | st.timedeltas(min_value=NONE, max_value=SKEW)
SKEWS = st.lists(UP_TO_SKEW, min_size=8, max_size=8)
MOMENTS = st.sampled_from(
    [SHORTLY, SKEW, PUBLISHED_FOR - SKEW, PUBLISHED_FOR - SECOND, LEAD - SKEW, LEAD, TOKEN_LIFETIME]
) | st.timedeltas(min_value=NONE, max_value=ROTATED_EVERY)
STEPS = st.one_of(
    st.tuples(st.just("advance"), MOMENTS),
    st.tuples(st.sampled_from(["issue", "issue", "rotate", "schedule", "read"]), PAIR),
)


@settings(deadline=None, max_examples=150)  # a busy machine is no failure
@given(SKEWS, UP_TO_SKEW, st.lists(STEPS, max_size=25))
def test_no_live_token_is_refused_when_keys_rotate_at_any_time(
    skews: list[timedelta], commits_after: timedelta, steps: list[tuple[str, object]]
) -> None:
    fleet = Fleet(skews, commits_after=commits_after)
    for step, given_ in steps:
        take(fleet, step, given_)
        assert fleet.wrongs() == []
        assert fleet.keys.kept() == {key.kid for key in fleet.rings.ring.keys}


def take(fleet: Fleet, step: str, given: object) -> None:
    if isinstance(given, timedelta):
        fleet.time.advance(given)
    else:
        number = int(str(given))
        acts: dict[str, Callable[[], object]] = {
            "issue": lambda: fleet.issue(number),
            "read": lambda: fleet.outside[number].read(),
            "rotate": lambda: fleet.rotators[number].rotate(actor="me"),
            "schedule": lambda: fleet.rotators[number].on_schedule(actor="schedule"),
        }
        acts[step]()


# The constants are what they must be: the worst cases that they are made for, and what a little less does


def test_each_constant_is_enough_in_the_worst_case() -> None:
    assert [*a_key_signs_as_early_as_it_may(), *a_key_is_retired_as_early_as_it_may()] == []


def a_key_signs_as_early_as_it_may() -> list[str]:
    """The issuer is ahead of the rotation, which is slow; who verifies reads just before it, and as told."""
    ahead = Fleet((SKEW, *(NONE,) * 7), commits_after=SKEW)
    ahead.rotators[0].rotate(actor="me")
    new = ahead.rings.ring.keys[-1]
    ahead.time.advance(max(NONE, new.signs_from - ahead.issuers[0][1].now()))
    assert kid_of(ahead.issue()) == new.kid
    return ahead.wrongs()


def a_key_is_retired_as_early_as_it_may() -> list[str]:
    """The rotation is ahead of who verifies, and everyone reads the ring anew when it is done."""
    behind = Fleet((*(NONE,) * 6, SKEW, SKEW))
    behind.time.advance(SHORTLY)
    behind.rotators[0].rotate(actor="me")
    old, new = behind.rings.ring.keys
    behind.time.advance(new.signs_from - behind.issuers[0][1].now() - SHORTLY)
    assert kid_of(behind.issue()) == old.kid
    behind.time.advance(TOKEN_LIFETIME + SKEW - SHORTLY)
    behind.rotators[0].on_schedule(actor="schedule")
    behind.read_anew()
    return behind.wrongs()


@pytest.mark.parametrize(
    ("constant", "broken", "story"),
    [
        ("LEAD", NONE, a_key_signs_as_early_as_it_may),
        ("LEAD", PUBLISHED_FOR, a_key_signs_as_early_as_it_may),
        ("LEAD", PUBLISHED_FOR + SKEW, a_key_signs_as_early_as_it_may),
        ("LEAD", LEAD - SECOND, a_key_signs_as_early_as_it_may),
        ("TOKEN_LIFETIME", NONE, a_key_is_retired_as_early_as_it_may),
        ("TOKEN_LIFETIME", TOKEN_LIFETIME - 2 * SECOND, a_key_is_retired_as_early_as_it_may),
        ("SKEW", NONE, a_key_is_retired_as_early_as_it_may),
        ("SKEW", SKEW - SECOND, a_key_is_retired_as_early_as_it_may),
    ],
)
def test_a_live_token_is_refused_in_the_worst_case_when_a_constant_is_smaller(
    monkeypatch: pytest.MonkeyPatch, constant: str, broken: timedelta, story: Callable[[], list[str]]
) -> None:
    monkeypatch.setattr(key_ring, constant, broken)
    assert story() != []


# Who starts a rotation, and what is due


def test_the_schedule_does_what_is_due_and_nothing_else() -> None:
    fleet = Fleet()
    rotate = fleet.rotators[0].on_schedule
    first = fleet.rings.ring
    for passed, keys in (
        (ROTATED_EVERY - SHORTLY, 1),
        (SHORTLY, 2),
        (LEAD - SHORTLY, 2),
        (TOKEN_LIFETIME + 2 * SKEW + SHORTLY, 2),
        (SHORTLY, 1),
        (SHORTLY, 1),
    ):
        fleet.time.advance(passed)
        assert len(rotate(actor="schedule").keys) == keys
    assert fleet.rings.ring.keys != first.keys
    acts = [(event.act, event.actor, event.subject) for event in fleet.events()]
    new, old = fleet.rings.ring.keys[0].kid, first.keys[0].kid
    assert acts == [
        (Act.KEYS_RETIRED, "schedule", old),
        (Act.KEYS_ROTATED, "schedule", new),
        (Act.KEYS_ROTATED, "provisioning", old),
    ]


def test_one_key_waits_when_a_rotation_is_asked_for_again() -> None:
    fleet = Fleet()
    rings = [fleet.rotators[number % 2].rotate(actor="me") for number in range(5)]
    assert [len(ring.keys) for ring in rings] == [2] * 5
    assert len(set(map(str, rings))) == 1
    fleet.time.advance(LEAD)
    assert len(fleet.rotators[0].rotate(actor="me").keys) == 3


def test_the_wait_counts_from_the_publication_when_keeping_the_key_takes_long() -> None:
    fleet = Fleet()
    fleet.keys.put_takes = timedelta(hours=1)
    fleet.rotators[0].rotate(actor="me")
    assert fleet.rings.ring.keys[-1].signs_from == fleet.time.now() + LEAD
