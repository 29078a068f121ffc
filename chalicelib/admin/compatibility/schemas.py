"""Compares two schemas of one place, for both directions by one question: does `narrow` take all of `wide`?

In a request, today's schema must take all that the last release's took; in an answer, the last release's must
take all that today's may give. What cannot be decided counts as a no.
"""

import json
from collections.abc import Iterator
from enum import Enum
from typing import Any

from jsonschema import Draft4Validator

from chalicelib.admin.compatibility.document import LOWER_BOUNDS, UPPER_BOUNDS, Json
from chalicelib.admin.compatibility.rules import Breaking, Rule

# A constraint of one is not weighed against another, only whether it is the same.
_COMPARED_WHOLE = (
    "pattern",
    "format",
    "multipleOf",
    "uniqueItems",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "not",
)
_CONTAINED_FORMATS = {("int32", "int64"), ("float", "double")}


class Side(Enum):
    """Who writes what the schema describes."""

    REQUEST = "no longer takes"
    ANSWER = "may now give"

    def change(self, wide: object, narrow: object) -> str:
        """Then and now: a request's schema was the wide one, an answer's is."""
        then, now = (wide, narrow) if self is Side.REQUEST else (narrow, wide)
        return f"{then} → {now}"


def compared(then: Json, now: Json, side: Side, *, where: str) -> Iterator[Breaking]:
    """Each way in which the schema has changed so that a client may break.

    >>> [*map(str, compared({"maxLength": 9}, {"maxLength": 8}, Side.REQUEST, where="here#"))]
    ['bound: here#: maxLength: 9 → 8']
    >>> [*compared({"maxLength": 9}, {"maxLength": 8}, Side.ANSWER, where="here#")]
    []
    """
    wide, narrow = (then, now) if side is Side.REQUEST else (now, then)
    yield from _refusals(wide, narrow, side, where)


def _promised(schema: Json, side: Side) -> Json:
    """The schema without the list that an answer may outgrow; its bounds hold for what comes, too."""
    is_open = side is Side.ANSWER and schema.get("x-open-enum")
    return {key: value for key, value in schema.items() if key != "enum"} if is_open else schema


def _refusals(wide: Json, narrow: Json, side: Side, where: str) -> Iterator[Breaking]:
    wide, narrow = _promised(wide, side), _promised(narrow, side)
    if "alternatives" in wide or "alternatives" in narrow:
        yield from _alternatives(wide, narrow, side, where)
        return
    if wide.get("nullable") and not narrow.get("nullable"):
        yield Breaking(Rule.NULL, where, f"{side.value} null")
    if not _has_type_of(wide, narrow):
        yield Breaking(Rule.TYPE, where, side.change(wide.get("type", "any"), narrow["type"]))
    elif "enum" in wide:
        yield from _values(wide, narrow, side, where)
    else:
        yield from _bounds(wide, narrow, side, where)
        yield from _constraints(wide, narrow, side, where)
        yield from _fields(wide, narrow, side, where)
        if "items" in narrow:
            yield from _refusals(wide.get("items", {}), narrow["items"], side, f"{where}/*")


def _has_type_of(wide: Json, narrow: Json) -> bool:
    wanted = narrow.get("type")
    return wanted in (None, wide.get("type")) or (wide.get("type"), wanted) == ("integer", "number")


def _values(wide: Json, narrow: Json, side: Side, where: str) -> Iterator[Breaking]:
    """A listed value is tried, not compared: whatever else `narrow` says then counts for it.

    OpenAPI 3.0's schemas are those of that draft, but for null, which is `nullable`'s.
    """
    taken = Draft4Validator(narrow)
    for value in wide["enum"]:
        if value is not None and not taken.is_valid(value):
            yield Breaking(Rule.ENUM, where, f"{side.value} {json.dumps(value)}")


def _bounds(wide: Json, narrow: Json, side: Side, where: str) -> Iterator[Breaking]:
    for key, absent in LOWER_BOUNDS.items():
        if narrow.get(key, absent) > wide.get(key, absent):
            yield Breaking(Rule.BOUND, where, _change(key, wide, narrow, side))
    for key, absent in UPPER_BOUNDS.items():
        if narrow.get(key, absent) < wide.get(key, absent):
            yield Breaking(Rule.BOUND, where, _change(key, wide, narrow, side))


def _constraints(wide: Json, narrow: Json, side: Side, where: str) -> Iterator[Breaking]:
    if "enum" in narrow:
        yield Breaking(Rule.ENUM, where, _change("enum", wide, narrow, side))
    for key in _COMPARED_WHOLE:
        if narrow.get(key) and narrow[key] != wide.get(key) and not _is_contained_format(wide, narrow, key):
            yield Breaking(Rule.CONSTRAINT, where, _change(key, wide, narrow, side))


def _is_contained_format(wide: Json, narrow: Json, key: str) -> bool:
    return key == "format" and (wide.get(key), narrow[key]) in _CONTAINED_FORMATS


def _change(key: str, wide: Json, narrow: Json, side: Side) -> str:
    return f"{key}: {side.change(wide.get(key, 'none'), narrow.get(key, 'none'))}"


def _fields(wide: Json, narrow: Json, side: Side, where: str) -> Iterator[Breaking]:
    yield from (_requires if side is Side.REQUEST else _misses)(wide, narrow, where)
    known: dict[str, Json] = narrow.get("properties", {})
    rest: Any = narrow.get("additionalProperties", True)
    for name, field in wide.get("properties", {}).items():
        place = f"{where}/{name}"
        if name in known or isinstance(rest, dict):
            yield from _refusals(field, known.get(name, rest), side, place)
        elif side is Side.REQUEST:
            yield Breaking(Rule.REQUEST_PART_REMOVED, place, "goes")
    others: Any = wide.get("additionalProperties", True)
    if isinstance(rest, dict) and others is not False:
        yield from _refusals(others if isinstance(others, dict) else {}, rest, side, f"{where}/*")
    if side is Side.REQUEST and rest is False and others is not False:
        yield Breaking(Rule.REQUEST_CLOSED, where, "fields that are not named are refused")


def _requires(then: Json, now: Json, where: str) -> Iterator[Breaking]:
    """What a request must have and did not have to; and defaults, which stand for what it leaves out."""
    for name in sorted({*now.get("required", ())} - {*then.get("required", ())}):
        yield Breaking(Rule.REQUEST_PART_REQUIRED, f"{where}/{name}", "is required")
    fields = now.get("properties", {})
    for name, field in then.get("properties", {}).items():
        if name in fields:
            yield from default_change(field, fields[name], where=f"{where}/{name}")


def default_change(then: Json, now: Json, *, where: str) -> Iterator[Breaking]:
    """What leaving the part out meant, and means no more."""
    if "default" in then and then["default"] != now.get("default"):
        detail = f"{json.dumps(then['default'])} → {json.dumps(now.get('default'))}"
        yield Breaking(Rule.DEFAULT_CHANGED, where, detail)


def _misses(now: Json, then: Json, where: str) -> Iterator[Breaking]:
    """What an answer had, or always had, and has no more."""
    gone = then.get("properties", {}).keys() - now.get("properties", {}).keys()
    for name in sorted(gone):
        yield Breaking(Rule.ANSWER_FIELD_REMOVED, f"{where}/{name}", "goes")
    for name in sorted({*then.get("required", ())} - {*now.get("required", ())} - gone):
        yield Breaking(Rule.ANSWER_FIELD_REMOVED, f"{where}/{name}", "may be absent")


def _alternatives(wide: Json, narrow: Json, side: Side, where: str) -> Iterator[Breaking]:
    """Each alternative of `wide` must be taken by one of `narrow`; the one of its name explains why not."""
    takers: dict[str, Json] = narrow.get("alternatives", {"": narrow})
    for label, option in wide.get("alternatives", {"": wide}).items():
        if any(not [*_refusals(option, taker, side, where)] for taker in takers.values()):
            continue
        explaining = takers.get(label) or takers.get("")
        if explaining is None:
            yield Breaking(Rule.ALTERNATIVE, where, f"{side.value} {label or 'what was one schema'}")
        else:
            yield from _refusals(option, explaining, side, f"{where}({label})")
