"""The ring by the clock: who signs, who is published, what is due; and what no sequence of acts can break."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.key_ring import (
    LEAD,
    PUBLISHED_FOR,
    ROTATED_EVERY,
    SKEW,
    TOKEN_LIFETIME,
    KeyRing,
    TokenKey,
)
from tests.unit.world import START

SHORTLY = timedelta(microseconds=1)
ROTATED = START + ROTATED_EVERY
SIGNS = ROTATED + LEAD
RETIRED = SIGNS + TOKEN_LIFETIME + 2 * SKEW

FIRST = KeyRing().rotated("a", {"kty": "EC"}, now=START)
BOTH = FIRST.rotated("b", {"kty": "EC"}, now=ROTATED)


def names(keys: Iterable[TokenKey]) -> str:
    return "".join(key.kid for key in keys)


@pytest.mark.parametrize(
    ("now", "signing", "waiting", "published", "retired", "is_due"),
    [
        (ROTATED - timedelta(days=9), "a", "b", "ab", "", False),
        (ROTATED, "a", "b", "ab", "", False),
        (SIGNS - SHORTLY, "a", "b", "ab", "", False),
        (SIGNS, "b", None, "ab", "", False),
        (RETIRED, "b", None, "ab", "", False),
        (RETIRED + SHORTLY, "b", None, "b", "a", False),
        (SIGNS + ROTATED_EVERY - SHORTLY, "b", None, "b", "a", False),
        (SIGNS + ROTATED_EVERY, "b", None, "b", "a", True),
    ],
)
def test_a_key_waits_signs_and_is_retired_when_its_time_comes(
    now: datetime, signing: str, waiting: str | None, published: str, retired: str, *, is_due: bool
) -> None:
    assert BOTH.signing(now=now).kid == signing
    found = BOTH.waiting(now=now)
    assert (found.kid if found else None) == waiting
    assert (names(BOTH.published(now=now)), names(BOTH.retired(now=now))) == (published, retired)
    assert BOTH.is_due(now=now) is is_due


@pytest.mark.parametrize("behind", [timedelta(), SKEW, timedelta(days=99)])
def test_the_only_key_signs_at_once_when_a_clock_is_behind(behind: timedelta) -> None:
    alone = FIRST.replaced("x", {}, now=ROTATED)
    for ring in (FIRST, alone):
        assert ring.signing(now=ring.keys[0].published_at - behind) == ring.keys[0]


def test_a_rotation_is_due_when_there_is_no_key() -> None:
    assert KeyRing().is_due(now=START)
    assert (FIRST.keys[0].published_at, FIRST.keys[0].signs_from) == (START, START)


@pytest.mark.parametrize(
    ("ring", "keys", "left"),
    [
        (BOTH.rotated("c", {}, now=RETIRED), "abc", ()),
        (BOTH.rotated("c", {}, now=RETIRED + SHORTLY), "bc", ("a",)),
        (BOTH.rotated("c", {}, now=RETIRED + SHORTLY).rotated("d", {}, now=RETIRED + LEAD), "bcd", ()),
        (BOTH.replaced("c", {}, now=ROTATED), "c", ("a", "b")),
        (BOTH.replaced("c", {}, now=ROTATED).replaced("d", {}, now=ROTATED), "d", ("c",)),
        (BOTH.pruned(now=RETIRED + SHORTLY), "b", ("a",)),
        (BOTH.pruned(now=RETIRED), "ab", ()),
    ],
    ids=["in use", "retired", "after it left", "replaced", "replaced again", "pruned", "nothing to prune"],
)
def test_the_ring_names_the_keys_that_left_it_with_the_last_change(
    ring: KeyRing, keys: str, left: tuple[str, ...]
) -> None:
    assert (names(ring.keys), ring.left) == (keys, left)


def test_a_key_is_known_to_all_who_read_as_told_before_it_signs() -> None:
    new = BOTH.keys[-1]
    assert new.published_at == ROTATED
    assert new.signs_from - new.published_at >= PUBLISHED_FOR + SKEW


later = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=40))
soon = st.timedeltas(min_value=timedelta(), max_value=timedelta(minutes=20))


@given(st.lists(st.tuples(soon | later, st.sampled_from(["rotate", "schedule", "replace"])), max_size=30))
def test_a_ring_is_sound_after_any_acts_at_any_times(acts: list[tuple[timedelta, str]]) -> None:
    now, ring = START, FIRST
    for number, (passed, act) in enumerate(acts):
        now += passed
        before = ring
        if act == "replace":
            ring = ring.replaced(f"k{number}", {}, now=now)
        elif ring.is_due(now=now) or (act == "rotate" and ring.waiting(now=now) is None):
            ring = ring.rotated(f"k{number}", {}, now=now)
        else:
            ring = ring.pruned(now=now)
        assert all(older.signs_from <= newer.signs_from for older, newer in pairwise(ring.keys))
        assert sum(now < key.signs_from for key in ring.keys) <= 1
        assert ring.signing(now=now) in ring.published(now=now)
        assert ring.retired(now=now) == ()
        gone = {key.kid for key in before.keys} - {key.kid for key in ring.keys}
        assert gone == set(ring.left)
        if act != "replace":
            assert gone == {key.kid for key in before.retired(now=now)}
            assert ring.signing(now=now) == before.signing(now=now)
