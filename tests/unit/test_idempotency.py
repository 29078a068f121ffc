"""Keys and fingerprints."""

import pytest

from chalicelib.domain.errors import IdempotencyKeyInvalid, IdempotencyKeyMissing
from chalicelib.domain.idempotency import fingerprint, parse_key
from chalicelib.web import json_text


@pytest.mark.parametrize(
    ("values", "key"),
    [
        (("order-7",), "order-7"),
        (('"order-7"',), "order-7"),
        (("a" * 255,), "a" * 255),
        (('"' + "a" * 255 + '"',), "a" * 255),
        (("with space",), "with space"),
        (('" with space "',), " with space "),
        (('inner"quote',), 'inner"quote'),
    ],
)
def test_the_key_is_read_when_it_is_printable_ascii_bare_or_quoted(values: tuple[str, ...], key: str) -> None:
    assert parse_key(values) == key


@pytest.mark.parametrize("value", ["", '""', '"', '"open', "a" * 256, "käy", "a\tb", "a\x00b", "a\x7fb"])
def test_the_key_is_refused_when_it_is_not_printable_ascii_of_that_length(value: str) -> None:
    with pytest.raises(IdempotencyKeyInvalid):
        parse_key((value,))


def test_the_key_is_refused_when_it_comes_twice() -> None:
    with pytest.raises(IdempotencyKeyInvalid):
        parse_key(("a", "a"))


def test_the_key_is_missing_when_there_is_no_header() -> None:
    with pytest.raises(IdempotencyKeyMissing):
        parse_key(())


def test_fingerprints_agree_when_only_the_spelling_of_the_json_differs() -> None:
    spellings = (b'{"a":1.0,"b":"\\u0041"}', b' { "b" : "A", "a" : 1 } ')
    prints = {fingerprint("POST /x", json_text.canonical(json_text.parse(text))) for text in spellings}
    assert len(prints) == 1


def test_fingerprints_differ_when_the_operation_does() -> None:
    assert fingerprint("POST /a", b"{}") != fingerprint("POST /b", b"{}")
