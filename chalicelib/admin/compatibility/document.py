"""Reads a specification into a form without `$ref` and `allOf`, so that two can be compared place by place.

A schema here is a plain one, or only `{"alternatives": {label: schema}}`, which stands for `oneOf` and
`anyOf` alike: what stood beside them is in each alternative. It leaves out schemas that refer to themselves:
ours are bounded, so none does.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

Json = dict[str, Any]

# The bounds of OpenAPI 3.0.3 with what holds where one is absent.
LOWER_BOUNDS = {"minLength": 0, "minItems": 0, "minProperties": 0, "minimum": float("-inf")}
UPPER_BOUNDS = {key: float("inf") for key in ("maxLength", "maxItems", "maxProperties", "maximum")}
# They change nothing of what is valid.
_ANNOTATIONS = frozenset({"title", "description", "example", "default", "deprecated", "discriminator"})


def resolved(document: Json) -> Json:
    """The document with each `$ref` replaced by what it names, and each schema in the form above."""
    expanded: Json = _expanded(document, document, ())
    return expanded


def _expanded(node: Any, document: Json, within: tuple[str, ...]) -> Any:
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_expanded(item, document, within) for item in node]
    if not isinstance(node, Mapping):
        return node
    if isinstance(reference := node.get("$ref"), str):
        if reference in within:
            raise ValueError(f"{reference} refers to itself")
        return _expanded(_named(reference, document), document, (*within, reference))
    rest = {
        key: _expanded(value, document, within)
        for key, value in node.items()
        if key not in ("allOf", "oneOf", "anyOf")
    }
    for part in node.get("allOf", ()):
        # What stands beside `allOf` comes last: its description is the one meant here.
        rest = merged(_expanded(part, document, within), rest)
    for choice in ("oneOf", "anyOf"):
        if choice in node:
            options = {
                _label(option, index): _expanded(option, document, within)
                for index, option in enumerate(node[choice])
            }
            rest = merged({"alternatives": options}, rest)
    return rest


def _named(reference: str, document: Json) -> Any:
    target: Any = document
    for part in reference.removeprefix("#/").split("/"):
        target = target[part.replace("~1", "/").replace("~0", "~")]
    return target


def _label(option: Json, index: int) -> str:
    """What tells an alternative from the others in a message: its schema's name, or its place."""
    reference: str = option.get("$ref", str(index))
    return reference.rpartition("/")[2]


def merged(first: Json, second: Json) -> Json:
    """A schema for what both allow; where that cannot be written, one that equals neither."""
    if "alternatives" in first or "alternatives" in second:
        ours, theirs = (schema.get("alternatives", {"": schema}) for schema in (first, second))
        pairs = product(ours.items(), theirs.items())
        return {"alternatives": {a + b: merged(one, other) for (a, one), (b, other) in pairs}}
    both = {key: _both(key, first[key], second[key]) for key in first.keys() & second.keys()}
    return {**first, **second, **both}


def _both(key: str, first: Any, second: Any) -> Any:
    if first == second or key in _ANNOTATIONS:
        return second
    if key in LOWER_BOUNDS:
        return max(first, second)
    if key in UPPER_BOUNDS:
        return min(first, second)
    if key == "nullable":  # written beside `allOf`, it is meant for the whole
        return True
    if key == "additionalProperties" and isinstance(first, bool) | isinstance(second, bool):
        return False if False in (first, second) else second if first is True else first
    if key == "required":
        return sorted({*first, *second})
    if key == "enum":
        return [value for value in first if value in second]
    if key == "properties":
        shared = {name: merged(first[name], second[name]) for name in first.keys() & second.keys()}
        return {**first, **second, **shared}
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return merged(dict(first), dict(second))
    return f"{first} and {second}"
