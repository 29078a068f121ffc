"""A cursor is taken only as it was given, by the tenant and for the filter that it was given to."""

import base64
import json
import string
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey

from chalicelib.adapters.memory_access import MemoryKeys
from chalicelib.domain.errors import InvalidCursor
from chalicelib.web import json_text
from chalicelib.web.pagination import Cursors

KEY = b"\x01" * 32
CURSORS = Cursors(MemoryKeys(cursor_key=KEY))
LISTING = {"operation": "listJobs", "tenant_id": "ten_acme", "status": None}
POSITION = "job_01KASQ4V7T0000000000000000"
CURSOR = CURSORS.write(POSITION, listing=LISTING)
URL_SAFE = string.ascii_letters + string.digits + "-_."


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def signed(position: str, *, key: bytes = KEY, **changes: Any) -> str:
    """A cursor as whoever has the key could make it."""
    payload = json_text.canonical({"listing": {**LISTING, **changes}, "position": position})
    signature = jws.serialize_compact({"alg": "HS256"}, payload, OctKey.import_key(key)).rpartition(".")[2]
    return f"{b64(position.encode())}.{signature}"


def test_the_position_reads_back_when_the_cursor_is_ours() -> None:
    assert CURSORS.read(CURSOR, listing=LISTING) == POSITION
    assert signed(POSITION) == CURSOR


def test_a_cursor_is_the_same_bytes_when_it_is_written_again() -> None:
    assert Cursors(MemoryKeys(cursor_key=KEY)).write(POSITION, listing=LISTING) == CURSOR


def test_a_cursor_needs_no_escaping_when_it_is_in_a_url() -> None:
    assert set(CURSOR) <= set(URL_SAFE)
    assert len(CURSOR) <= 128


@pytest.mark.parametrize("place", range(len(CURSOR)))
def test_a_cursor_is_refused_when_any_of_its_bytes_is_another(place: int) -> None:
    others = set(URL_SAFE + "=+/ \x00é") - {CURSOR[place]}
    for other in others:
        with pytest.raises(InvalidCursor):
            CURSORS.read(CURSOR[:place] + other + CURSOR[place + 1 :], listing=LISTING)


@pytest.mark.parametrize("bit", range(8))
def test_a_cursor_is_refused_when_a_bit_of_it_is_flipped(bit: int) -> None:
    for place, letter in enumerate(CURSOR):
        with pytest.raises(InvalidCursor):
            CURSORS.read(CURSOR[:place] + chr(ord(letter) ^ 1 << bit) + CURSOR[place + 1 :], listing=LISTING)


ENCODED, SIGNATURE = CURSOR.split(".")
UNSIGNED = b64(b'{"alg":"none"}')
HEADER, _, _ = jws.serialize_compact({"alg": "HS256"}, b"", OctKey.import_key(KEY)).split(".")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        ".",
        "..",
        "x",
        "null",
        POSITION,
        ENCODED,
        f"{ENCODED}.",
        f".{SIGNATURE}",
        f"{SIGNATURE}.{ENCODED}",
        f"{ENCODED}=.{SIGNATURE}",
        f"{ENCODED}.{SIGNATURE}=",
        f"{ENCODED}.{SIGNATURE}.",
        f"{CURSOR}\n",
        f" {CURSOR}",
        CURSOR[:-1],
        CURSOR * 2,
        f"{HEADER}.{CURSOR}",
        f"{HEADER}..{SIGNATURE}",
        f"{UNSIGNED}.{ENCODED}.",
        f"{b64(b'job_01KASQ4V7T0000000000000001')}.{SIGNATURE}",
        f"{b64(bytes([255, 254]))}.{SIGNATURE}",
        "é" * 40,
        "\ud800",
        f"{ENCODED}.\ud800",
        "[" * 9000,
        "A" * 9000 + f".{SIGNATURE}",
    ],
)
def test_a_cursor_is_refused_when_it_is_none_of_ours(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        CURSORS.read(cursor, listing=LISTING)


@pytest.mark.parametrize(
    "made",
    [
        lambda: signed(POSITION, key=b"\x02" * 32),
        lambda: signed(POSITION, tenant_id="ten_globex"),
        lambda: signed(POSITION, status="failed"),
        lambda: signed(POSITION, operation="listInvoices"),
    ],
    ids=["another key", "another tenant", "another filter", "another list"],
)
def test_a_cursor_is_refused_when_it_was_given_for_something_else(made: Callable[[], str]) -> None:
    with pytest.raises(InvalidCursor):
        CURSORS.read(made(), listing=LISTING)


@given(st.text(max_size=200))
def test_no_text_is_taken_when_it_is_anybodys(text: str) -> None:
    with pytest.raises(InvalidCursor):
        CURSORS.read(text, listing=LISTING)


def test_nothing_of_key_or_position_is_told_when_a_cursor_is_refused() -> None:
    with pytest.raises(InvalidCursor) as refusal:
        CURSORS.read(f"{ENCODED}.x", listing=LISTING)
    told = json.dumps([refusal.value.detail, dict(refusal.value.facts)])
    assert POSITION not in told
    assert KEY.hex() not in told
