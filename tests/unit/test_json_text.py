"""Whatever is not one I-JSON document is refused, and never with another error."""

import pytest

from chalicelib.domain.errors import MalformedJson
from chalicelib.web import json_text

REFUSED = {
    "empty": b"",
    "blank": b"  ",
    "open brace": b"{",
    "trailing garbage": b"{} x",
    "single quotes": b"{'a': 1}",
    "trailing comma": b'{"a": 1,}',
    "comment": b"{} // c",
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "0xFF": b'"\xff"',
    "100,000 brackets": b"[" * 100_000,
    "duplicate names": b'{"a": 1, "a": 2}',
    "nested duplicate names": b'{"x": [{"a": 1, "a": 1}]}',
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "1e400": b"1e400",
    "2^53+1": b"9007199254740993",
    "2^63": b"9223372036854775808",
    "39 digits": b"9" * 39,
    "5,000 digits": b"9" * 5000,
    "lone surrogate": b'"\\ud800"',
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_a_body_is_malformed_when_it_is_not_one_i_json_document(body: bytes) -> None:
    with pytest.raises(MalformedJson):
        json_text.parse(body)


@pytest.mark.parametrize("body", [b"-0", b"-0.0", b"0"])
def test_zero_is_one_number_when_it_has_a_sign(body: bytes) -> None:
    assert json_text.canonical(json_text.parse(body)) == b"0"
