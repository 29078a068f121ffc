"""A secret is known by its form alone, and a mistyped one by its checksum, before anyone is asked."""

import re
import zlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.adapters.system import RandomIds
from chalicelib.domain.client_secret import ALPHABET, PREFIX, RANDOM_CHARACTERS, digest, is_well_formed, seal

CHANCE = st.text(ALPHABET, min_size=RANDOM_CHARACTERS, max_size=RANDOM_CHARACTERS)
PLACE = st.integers(0, len(PREFIX) + RANDOM_CHARACTERS + 5)
RANDOM_PLACE = st.integers(len(PREFIX), len(PREFIX) + RANDOM_CHARACTERS - 1)


@given(CHANCE)
def test_a_sealed_secret_is_well_formed_and_what_a_scanner_looks_for(chance: str) -> None:
    secret = seal(chance)
    assert is_well_formed(secret)
    assert re.fullmatch(r"zjs_[0-9A-Za-z]{49}", secret)
    assert int_of(secret[-6:]) == zlib.crc32(chance.encode())


def int_of(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value * 62 + ALPHABET.index(digit)
    return value


@given(CHANCE, PLACE, st.characters())
def test_a_secret_is_refused_when_any_one_character_is_another(chance: str, place: int, other: str) -> None:
    """A CRC of 32 bits finds every error within 32 bits in a row."""
    secret = seal(chance)
    assume(secret[place] != other)
    assert not is_well_formed(secret[:place] + other + secret[place + 1 :])


@given(CHANCE, RANDOM_PLACE, RANDOM_PLACE)
def test_a_secret_is_refused_when_any_two_of_its_characters_are_swapped(
    chance: str, one: int, other: int
) -> None:
    """Its polynomial is primitive, so that it finds the same error at two places too."""
    characters = list(seal(chance))
    assume(characters[one] != characters[other])
    characters[one], characters[other] = characters[other], characters[one]
    assert not is_well_formed("".join(characters))


@given(CHANCE, PLACE)
def test_a_secret_is_refused_when_a_character_is_missing_or_there_twice(chance: str, place: int) -> None:
    secret = seal(chance)
    assert not is_well_formed(secret[:place] + secret[place + 1 :])
    assert not is_well_formed(secret[:place] + secret[place] + secret[place:])


@pytest.mark.parametrize("around", ["{} ", " {}", "{}\n", "{}\0", '"{}"'])
def test_a_secret_is_refused_when_something_stands_around_it(around: str) -> None:
    assert not is_well_formed(around.format(seal("a" * RANDOM_CHARACTERS)))


def test_a_made_secret_is_well_formed_and_no_other() -> None:
    made = {RandomIds().new_client_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(is_well_formed(secret) for secret in made)
    assert {len(digest(secret)) for secret in made} == {64}
