"""JSON schemas that refer to one another, made to stand alone, and validators of them.

jsonschema looks for patterns with `re`, which may backtrack without end; these validators use `patterns`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft4Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from emulation.gateway.patterns import is_found

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


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not is_found(pattern, instance):
        yield ValidationError("does not match the pattern")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if validator.is_type(instance, "object"):
        for pattern, subschema in patterns.items():
            for name in [name for name in instance if is_found(pattern, name)]:
                yield from validator.descend(instance[name], subschema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if validator.is_type(instance, "object"):
        patterns = schema.get("patternProperties", {})
        others = {
            name: value
            for name, value in instance.items()
            if not any(is_found(pattern, name) for pattern in patterns)
        }
        named = {"properties": schema.get("properties", {})}
        yield from Draft4Validator.VALIDATORS["additionalProperties"](validator, allowed, others, named)


_ModelValidator = extend(  # type: ignore[no-untyped-call]
    Draft4Validator,
    {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
    },
)


def validator_of(schema: Any) -> Validator:
    """A validator of a schema that stands alone; it raises TimeoutError on what it cannot match in time."""
    validator: Validator = _ModelValidator(schema)
    return validator
