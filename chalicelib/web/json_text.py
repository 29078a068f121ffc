"""JSON as we take it, strictly (RFC 8259), and as we hash it, canonically (RFC 8785)."""

import json
import math
from typing import Any, NoReturn, cast

import rfc8785
from pydantic import JsonValue
from pydantic_core import from_json

from chalicelib.domain.errors import MalformedJson


def parse(body: bytes) -> JsonValue:
    """The one document in `body`; duplicate names, NaN, infinities and numbers beyond I-JSON are refused.

    Whatever is returned can be canonicalised, so nothing that is accepted can fail later for its form.
    """
    try:
        # It bounds the nesting at 200; the standard library's would overflow the stack at a raised limit.
        from_json(body, allow_inf_nan=False)
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique_names,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
        rfc8785.dumps(value)
    except MalformedJson:
        raise
    except (ValueError, RecursionError, rfc8785.CanonicalizationError) as error:
        raise MalformedJson("The body is not valid JSON (RFC 8259, UTF-8, I-JSON numbers).") from error
    return cast(JsonValue, value)


def canonical(value: JsonValue) -> bytes:
    """The bytes that every equal value has (RFC 8785)."""
    return rfc8785.dumps(cast(Any, value))


def _unique_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedJson("An object in the body has the same name twice.")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJson(f"{name} is not JSON.")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise MalformedJson("A number in the body is too large.")
    return value
