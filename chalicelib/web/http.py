"""One request and one answer, free of any framework; `app.py` converts at the edge."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from chalicelib.domain.access_token import Scheme, scheme_of
from chalicelib.domain.errors import (
    FieldError,
    InsufficientScope,
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
    """Who calls, as the authorizer found: a tenant, one of its clients, and the token's scopes.

    With a `thumbprint` the token is bound to that key, and the request must prove it (RFC 9449).
    """

    tenant_id: str
    client_id: str
    scopes: frozenset[str]
    thumbprint: str | None = None

    @property
    def scheme(self) -> Scheme:
        """How its token is presented."""
        return scheme_of(self.thumbprint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a handler needs of an HTTP request. Header names are in lower case.

    `route` is the path's template; `base_url` is what every absolute URL of the answer starts with, and `url`
    the request's own, without its query. `address` is the IP address that it comes from.
    """

    base_url: str
    route: str
    path: str
    method: str
    url: str
    address: str
    headers: Mapping[str, tuple[str, ...]] = field(repr=False)
    path_parameters: Mapping[str, str]
    query: Mapping[str, tuple[str, ...]]
    body: bytes = field(repr=False)
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

    def is_plain(self, media_type: str) -> bool:
        """Whether the body is said to be this once, in UTF-8 if in any charset, and in no content coding.

        JSON knows no charset (RFC 8259 §11), so that the one which is right may be named, and no other.
        """
        declared = self.headers.get("content-type", ())
        codings = {value.strip().lower() for value in self.headers.get("content-encoding", ())}
        if len(declared) != 1 or not codings <= {"identity"}:
            return False
        said, *parameters = (part.strip().lower() for part in declared[0].split(";"))
        charsets = {each.replace('"', "") for each in parameters if each.startswith("charset")}
        return said == media_type and charsets <= {"charset=utf-8"}

    @property
    def tenant_id(self) -> str:
        """The tenant that calls an operation with a scope."""
        assert self.caller is not None, "a route with a scope has an authorizer"
        return self.caller.tenant_id

    def require(self, scope: str) -> None:
        """Nothing, if the caller's one token has the scope; else `InsufficientScope`."""
        assert self.caller is not None, "a route with a scope has an authorizer"
        if scope not in self.caller.scopes:
            raise InsufficientScope(f"This operation needs the scope {scope}.", scope=scope)

    def wrong_parameters(self, known: Collection[str]) -> tuple[FieldError, ...]:
        """Each query parameter that is not one of these, or that was sent more than once."""
        return tuple(
            FieldError.at(("query", name), "Send this parameter once." if name in known else NO_PARAMETER)
            for name, values in self.query.items()
            if name not in known or len(values) > 1
        )

    def json(self) -> JsonValue:
        """The body as JSON, if it is said to be JSON and small enough."""
        if not self.is_plain("application/json"):
            raise UnsupportedMediaType("Send the body as application/json, in UTF-8 and not compressed.")
        if len(self.body) > MAX_BODY_BYTES:
            raise PayloadTooLarge(f"The body has more than {MAX_BODY_BYTES} bytes.")
        return json_text.parse(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer; `body` is the exact bytes, without a media type if there is none."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str | None = "application/json"
