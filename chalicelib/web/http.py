"""One request and one answer, free of any framework; `app.py` converts at the edge."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from chalicelib.domain.errors import (
    FieldError,
    InsufficientScope,
    InvalidRequest,
    PayloadTooLarge,
    UnsupportedMediaType,
)
from chalicelib.web import json_text

# Half of the 400 KB that a table's item holds, as canonical JSON can be longer than what was sent.
MAX_BODY_BYTES = 192 * 1024


NO_PARAMETER = "This operation has no such parameter."

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

    `route` is the path's template; `base_url` is what every absolute URL of the answer starts with.
    """

    base_url: str
    route: str
    path: str
    headers: Mapping[str, tuple[str, ...]]
    path_parameters: Mapping[str, str]
    query: Mapping[str, tuple[str, ...]]
    body: bytes
    request_id: str
    trace_id: str
    caller: Caller | None

    def header(self, name: str) -> str | None:
        """The header's first value."""
        values = self.headers.get(name, ())
        return values[0] if values else None

    def parameter(self, name: str) -> str | None:
        """The query parameter's value, if it was sent."""
        values = self.query.get(name, ())
        return values[0] if values else None

    @property
    def media_type(self) -> str:
        """What the body is said to be, without its parameters."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def tenant_id(self) -> str:
        """The tenant that calls an operation with a scope."""
        assert self.caller is not None, "a route with a scope has an authorizer"
        return self.caller.tenant_id

    def require(self, scope: str) -> None:
        """Nothing, if the caller's token has the scope; else `InsufficientScope`."""
        assert self.caller is not None, "a route with a scope has an authorizer"
        if scope not in self.caller.scopes:
            raise InsufficientScope(f"This operation needs the scope {scope}.", scope=scope)

    def require_known_parameters(self, names: tuple[str, ...]) -> None:
        """Nothing, if each query parameter is one of these and sent once; else `InvalidRequest`."""
        places = [
            FieldError.at(("query", name), "Send this parameter once." if name in names else NO_PARAMETER)
            for name, values in self.query.items()
            if name not in names or len(values) > 1
        ]
        if places:
            raise InvalidRequest(tuple(places))

    def json(self) -> JsonValue:
        """The body as JSON, if it is said to be JSON and small enough."""
        if self.media_type != "application/json":
            raise UnsupportedMediaType("Send the body as application/json.")
        if len(self.body) > MAX_BODY_BYTES:
            raise PayloadTooLarge(f"The body has more than {MAX_BODY_BYTES} bytes.")
        return json_text.parse(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer; `body` is the exact bytes, without a media type if there is none."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str | None = "application/json"
