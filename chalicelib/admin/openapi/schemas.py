"""The wire's models as OpenAPI 3.0 schemas.

Pydantic writes JSON Schema 2020-12; 3.0 has `nullable` in place of a null type and no `const`. Everything is
bounded, and says so: what a model leaves open gets the bound that all of them share.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chalicelib.admin.openapi.job_types import one_of_submits, submit_schemas
from chalicelib.admin.openapi.source import describe
from chalicelib.job_types import JOB_TYPES
from chalicelib.web import schemas
from chalicelib.web.schemas.base import LARGEST_INT32, Sparse, Wire, WireRequest
from chalicelib.web.schemas.jobs import SubmitRequest

Schema = dict[str, Any]
COMPONENTS = "#/components/schemas/"
# Our own texts hold no control characters; JSON would escape them, a terminal would obey them.
OUR_TEXT = r"^[^\u0000-\u001f\u007f]*$"
ANY_TEXT = r"^[\s\S]*$"


def wire_schemas(members: Mapping[str, str]) -> dict[str, Schema]:
    """Every model of the wire and of the job types' inputs, by its name; `members` describes the wire's."""
    for found in iter_modules(schemas.__path__, f"{schemas.__name__}."):
        import_module(found.name)
    models = sorted(
        {*_models(Wire), *(each.input_model for each in JOB_TYPES.values())}, key=lambda m: m.__name__
    )
    _, document = models_json_schema(
        [(model, "validation") for model in models], ref_template=COMPONENTS + "{model}"
    )
    definitions: dict[str, Schema] = document["$defs"]
    by_name = {model.__name__: model for model in models}
    made = {name: _schema(definition, by_name.get(name)) for name, definition in definitions.items()}
    submits = submit_schemas(made.pop(SubmitRequest.__name__), JOB_TYPES, components=COMPONENTS)
    wire = {name: schema for name, schema in made.items() if issubclass(by_name.get(name, object), Wire)}
    describe({**wire, **submits}, members)
    made |= submits
    made[SubmitRequest.__name__] = one_of_submits(JOB_TYPES, components=COMPONENTS)
    made["JobTypeName"] = {"type": "string", "description": "A job type's name.", "enum": sorted(JOB_TYPES)}
    return {name: _nullable_inlined(made[name], made) for name in sorted(made)}


def _models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        yield from _models(model)
        if model not in (Sparse, WireRequest):
            yield model


def _schema(definition: Mapping[str, Any], model: type[BaseModel] | None) -> Schema:
    is_request = model is None or not issubclass(model, Wire) or issubclass(model, WireRequest)
    made = _converted(definition, text=ANY_TEXT if is_request else OUR_TEXT)
    if model is not None and "properties" in made:
        made["description"] = (model.__doc__ or "").partition("\n\n")[0].replace("\n    ", " ").strip()
        if issubclass(model, Sparse):
            for member in made["properties"].values():
                member.pop("nullable", None)
        elif not is_request:
            made["required"] = list(made["properties"])  # an answer has all its members
    return made


def _converted(value: Mapping[str, Any], *, text: str) -> Schema:
    """One schema of 2020-12 as one of 3.0, with what is in it."""
    made = {key: each for key, each in value.items() if key not in ("title", "default", "const", "$defs")}
    if "const" in value:
        made["enum"] = [value["const"]]
    if "anyOf" in made:
        made = _without_null(made)
    for key, each in made.items():
        if key == "properties":
            made[key] = {name: _converted(member, text=text) for name, member in each.items()}
        elif isinstance(each, Mapping):
            made[key] = _converted(each, text=text)
    return _bounded(made, text=text)


def _without_null(schema: Schema) -> Schema:
    alternatives = [each for each in schema["anyOf"] if each != {"type": "null"}]
    rest = {key: each for key, each in schema.items() if key != "anyOf"}
    assert len(alternatives) == 1, "a member has one type, and may be null"
    return {**alternatives[0], **rest, "nullable": True}


def _bounded(schema: Schema, *, text: str) -> Schema:
    match schema.get("type"):
        case "string" if not schema.keys() & {"format", "pattern", "enum"}:
            schema["pattern"] = text
        case "integer":
            assert schema.keys() >= {"minimum", "maximum"}, "an integer has both bounds, by `ge` and `le`"
            schema.setdefault("format", "int32" if schema["maximum"] <= LARGEST_INT32 else "int64")
    return schema


def _nullable_inlined(value: Any, made: Mapping[str, Schema]) -> Any:
    """A reference that may be null, as the schema itself: 3.0 lets nothing stand beside a reference."""
    if isinstance(value, list):
        return [_nullable_inlined(each, made) for each in value]
    if not isinstance(value, Mapping):
        return value
    if "$ref" in value and len(value) > 1:
        referred = deepcopy(made[value["$ref"].removeprefix(COMPONENTS)])
        value = {**referred, **{key: each for key, each in value.items() if key != "$ref"}}
    return {key: _nullable_inlined(each, made) for key, each in value.items()}
