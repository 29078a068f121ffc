"""A Swagger 2.0 document in the shape of OpenAPI 3.0, which is what the import reads.

Only what the import looks at is rewritten: models, parameters, bodies, security and the base path. Extensions
stand in both at the same places.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

Document: TypeAlias = Mapping[str, Any]
_JSON = "application/json"
_MOVED = {
    "definitions": "schemas",
    "parameters": "parameters",
    "responses": "responses",
    "securityDefinitions": "securitySchemes",
}
_REFERENCES = {
    f"#/{old}/": f"#/components/{new}/" for old, new in _MOVED.items() if old != "securityDefinitions"
}


def as_openapi(document: Document) -> Document:
    """The same API as OpenAPI 3.0.

    >>> as_openapi({"swagger": "2.0", "info": {"title": "old"}, "basePath": "/v1", "paths": {}})
    {'info': {'title': 'old'}, 'paths': {}, 'openapi': '3.0.3', 'servers': [{'url': '/v1'}], 'components': {}}
    """
    kept = {
        name: value
        for name, value in document.items()
        if name not in {"swagger", "basePath", "host", "schemes", "consumes", "produces", "paths", *_MOVED}
    }
    shared = document.get("parameters") or {}
    consumes = document.get("consumes") or [_JSON]
    paths = {
        path: _path_item(item or {}, shared, consumes) for path, item in (document.get("paths") or {}).items()
    }
    components = {new: document[old] for old, new in _MOVED.items() if document.get(old)}
    return {
        **kept,
        "paths": _referring(paths),
        "openapi": "3.0.3",
        "servers": [{"url": document.get("basePath") or "/"}],
        "components": _referring(components),
    }


def _path_item(item: Document, shared: Document, consumes: list[str]) -> Document:
    """A body that the whole path declares goes to each of its operations, as 3.0 has none for paths."""
    common = list(item.get("parameters") or [])
    body = [each for each in common if _resolved(each, shared).get("in") in _OF_BODIES]
    return {
        **{
            name: _operation(each, body, shared, consumes) if isinstance(each, Mapping) else each
            for name, each in item.items()
        },
        "parameters": [each for each in common if each not in body],
    }


_OF_BODIES = ("body", "formData")


def _operation(
    operation: Document, common: list[Document], shared: Document, consumes: list[str]
) -> Document:
    own = list(operation.get("parameters") or [])
    bodies = [each for each in own + common if _resolved(each, shared).get("in") in _OF_BODIES]
    rest = {name: value for name, value in operation.items() if name not in ("consumes", "produces")}
    rest["parameters"] = [each for each in own if each not in bodies]
    for body in (_resolved(each, shared) for each in bodies):
        if body["in"] == "body":
            media_types = operation.get("consumes") or consumes
            content = {each: {"schema": body.get("schema") or {}} for each in media_types}
            return {**rest, "requestBody": {"content": content}}
    return rest  # a form's fields are no parameters to the service


def _resolved(parameter: Document, shared: Document) -> Document:
    name = str(parameter.get("$ref", "")).removeprefix("#/parameters/")
    found: Document = shared.get(name, parameter)
    return found


def _referring(value: Any) -> Any:
    """The value with its references leading to where 3.0 has things."""
    if isinstance(value, Mapping):
        return dict(_referring_pair(name, each) for name, each in value.items())
    if isinstance(value, list):
        return [_referring(each) for each in value]
    return value


def _referring_pair(name: str, value: Any) -> tuple[str, Any]:
    if name != "$ref" or not isinstance(value, str):
        return name, _referring(value)
    for old, new in _REFERENCES.items():
        value = value.replace(old, new) if value.startswith(old) else value
    return name, value
