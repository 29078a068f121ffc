"""The search can fail: whatever leak is planted, in whatever sink and form, is found."""

import base64
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.security.hearing import SINKS
from tests.security.leaks import Secret, Sinks

KEY = bytes(range(7, 39))
TEXT = b"zjs_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG4SHDYg"
FORMS: dict[str, Callable[[bytes], bytes]] = {
    "raw": bytes,
    "base64": base64.b64encode,
    "base64url": base64.urlsafe_b64encode,
    "base64 without its end": lambda content: base64.b64encode(content).rstrip(b"="),
    "basic credential": lambda content: base64.b64encode(b"cli_1:" + content),
    "base64, a byte later": lambda content: base64.b64encode(b"x" + content + b"xyz"),
    "base64url, two bytes later": lambda content: base64.urlsafe_b64encode(b"xx" + content + b"x"),
    "hex": lambda content: content.hex().encode(),
    "HEX": lambda content: content.hex().upper().encode(),
    "0x": lambda content: f"0x{content.hex()}".encode(),
    "percent": lambda content: "".join(f"%{byte:02X}" for byte in content).encode(),
    "in a query": lambda content: quote(content).encode() if content == TEXT else content,
}
CUTS: dict[str, Callable[[bytes], bytes]] = {
    "whole": bytes,
    "its first half": lambda content: content[: len(content) // 2],
    "its second half": lambda content: content[len(content) // 2 :],
    "all but its end": lambda content: content[:-5],
}


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cut", CUTS)
def test_a_leak_is_found_when_it_is_planted(sink: str, form: str, cut: str) -> None:
    for content in (KEY, TEXT):
        sinks = Sinks()
        for each in SINKS:
            sinks.add(each, f"nothing in {each}")
        assert sinks.leaks([Secret("s", content)]) == []
        sinks.add(sink, b'{"before": "' + FORMS[form](CUTS[cut](content)) + b'"}')
        found = sinks.leaks([Secret("s", content)])
        assert found
        assert all(f"s in {sink} (" in each for each in found)


def test_nothing_is_found_when_a_secret_is_where_it_belongs() -> None:
    sinks = Sinks()
    sinks.add("answers", TEXT)
    assert sinks.leaks([Secret("s", TEXT, frozenset({"answers"}))]) == []
    assert sinks.leaks([Secret("s", TEXT, frozenset({"log"}))]) != []
