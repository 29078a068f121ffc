"""Cursors: where a list goes on, for the tenant and the filter that it began with and no other.

A cursor is a JWS (HS256) with a detached payload (RFC 7515, appendix F): the position, and a signature of the
position together with the list that it belongs to. Not a JWE, as there is nothing in it that its tenant does
not know; a signature has no nonce, so that a page is the same bytes whenever it is read, and no header is
sent, so that nobody can ask for another algorithm.
"""

from functools import cached_property
from hmac import compare_digest

from joserfc import jws
from joserfc.jwk import OctKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode
from pydantic import JsonValue

from chalicelib.domain.errors import InvalidCursor
from chalicelib.ports import Keys
from chalicelib.web import json_text

HEADER = {"alg": "HS256"}


class Cursors:
    """Writes cursors and reads them back; they do not expire, for a position never loses its meaning."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def write(self, position: str, *, listing: JsonValue) -> str:
        """The cursor for this position of `listing`: the operation, the tenant and the filter."""
        payload = json_text.canonical({"listing": listing, "position": position})
        signature = jws.serialize_compact(HEADER, payload, self._key).rpartition(".")[2]
        return f"{urlsafe_b64encode(position.encode()).decode()}.{signature}"

    def read(self, cursor: str, *, listing: JsonValue) -> str:
        """The position, if the cursor is exactly what we would write for it; else `InvalidCursor`.

        Comparing the whole text also refuses what only decodes to the same bytes.
        """
        try:
            given = cursor.encode("ascii")
            position = urlsafe_b64decode(given.partition(b".")[0]).decode("ascii")
        except ValueError as error:
            raise _refusal() from error
        if not compare_digest(self.write(position, listing=listing).encode(), given):
            raise _refusal()
        return position

    @cached_property
    def _key(self) -> OctKey:
        return OctKey.import_key(self._keys.cursor_key())


def _refusal() -> InvalidCursor:
    return InvalidCursor("The cursor is not one that this list gave you with these parameters.")
