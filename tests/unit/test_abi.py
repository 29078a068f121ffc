"""What is laid out by hand is, byte for byte, what Ethereum's library for it makes."""

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as some

from chalicelib.domain.abi import Tail, abi_encode, abi_word, array, text

words = some.integers(0, 2**256 - 1)
values = some.one_of(
    words.map(lambda number: ("uint256", number, abi_word(number))),
    some.binary(max_size=100).map(lambda content: ("bytes", content, text(content))),
    some.text(max_size=100).map(lambda content: ("string", content, text(content.encode()))),
    some.lists(words.map(abi_word), max_size=4).map(lambda each: ("bytes32[]", each, array(each))),
)


@settings(deadline=None)  # a busy machine is no failure
@given(some.lists(values, max_size=8))
def test_values_are_laid_out_as_the_library_does_it(given: list[tuple[str, object, bytes]]) -> None:
    types, plain, laid_out = zip(*given, strict=True) if given else ((), (), ())
    assert abi_encode(*laid_out) == encode(types, plain)


def test_a_tail_of_one_word_is_not_taken_for_a_word() -> None:
    assert abi_encode(Tail(abi_word(0))) == encode(["bytes"], [b""])


@pytest.mark.parametrize("number", [-1, 2**256])
def test_a_number_is_refused_when_it_is_no_uint256(number: int) -> None:
    with pytest.raises(OverflowError):
        abi_word(number)
