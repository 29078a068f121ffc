"""JSON schemas that refer to one another, made to stand alone."""

from collections.abc import Mapping
from typing import Any

_DEFINITIONS = "#/definitions/"


def self_contained(schema: Any, named: Mapping[str, Any]) -> Any:
    """The schema with every named one it reaches under its `definitions`, so that no reference leads out.

    References end in the name: `#/components/schemas/NAME`, `#/definitions/NAME`, or the service's own
    `https://apigateway.amazonaws.com/restapis/…/models/NAME`. Schemas may refer to themselves.

    >>> self_contained({"$ref": "#/components/schemas/Id"}, {"Id": {"type": "string"}})
    {'$ref': '#/definitions/Id', 'definitions': {'Id': {'type': 'string'}}}
    """
    definitions: dict[str, Any] = {}
    rewritten = _rewrite(schema, named, definitions)
    if not definitions:
        return rewritten
    return {**rewritten, "definitions": {**rewritten.get("definitions", {}), **definitions}}


def _rewrite(schema: Any, named: Mapping[str, Any], definitions: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_rewrite(each, named, definitions) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    name = referred(schema)
    if name is None or name not in named:
        return {key: _rewrite(value, named, definitions) for key, value in schema.items()}
    if name not in definitions:
        definitions[name] = {}  # before it is rewritten, because it may refer to itself
        definitions[name] = _rewrite(named[name], named, definitions)
    return {"$ref": _DEFINITIONS + name}


def referred(schema: Mapping[str, Any]) -> str | None:
    """The name that a schema refers to, or None if it is not a reference."""
    reference = schema.get("$ref")
    return reference.rpartition("/")[2] if isinstance(reference, str) else None
