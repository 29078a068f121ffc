"""One request and one answer, free of any framework; `app.py` converts at the edge."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from chalicelib.domain.errors import InsufficientScope, PayloadTooLarge, UnsupportedMediaType
from chalicelib.web import json_text

# Half of the 400 KB that a table's item holds, as canonical JSON can be longer than what was sent.
MAX_BODY_BYTES = 192 * 1024


_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


def is_id(text: str, *, prefix: str) -> bool:
    """Whether the text has the form of an id that we make: a prefix and a ULID."""
    return text.startswith(prefix) and _ULID.fullmatch(text, len(prefix)) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, as the authorizer found: a tenant, one of its clients, and the token's scopes."""

    tenant_id: str
    client_id: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a handler needs of an HTTP request. Header names are in lower case.

    `base_url` is what every absolute URL of the answer starts with.
    """

    base_url: str
    path: str
    headers: Mapping[str, tuple[str, ...]]
    path_parameters: Mapping[str, str]
    body: bytes
    request_id: str
    trace_id: str
    caller: Caller | None

    def header(self, name: str) -> str | None:
        """The header's first value."""
        values = self.headers.get(name, ())
        return values[0] if values else None

    def authorized(self, scope: str) -> Caller:
        """The caller, if its token has the scope."""
        assert self.caller is not None, "a route with a scope has an authorizer"
        if scope not in self.caller.scopes:
            raise InsufficientScope(f"This operation needs the scope {scope}.", scope=scope)
        return self.caller

    def json(self) -> JsonValue:
        """The body as JSON, if it is said to be JSON and small enough."""
        media_type = (self.header("content-type") or "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise UnsupportedMediaType("Send the body as application/json.")
        if len(self.body) > MAX_BODY_BYTES:
            raise PayloadTooLarge(f"The body has more than {MAX_BODY_BYTES} bytes.")
        return json_text.parse(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer; `body` is the exact bytes."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
