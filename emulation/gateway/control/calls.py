"""What a request asks for, told by the service's published model: the one that the SDKs are made from.

Every operation of the service is known here, so that one which is not imitated is told from one that does not
exist; and a handler gets a body whose types and enumerations are those of the model.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from emulation.gateway.control.answers import BadRequest, Invalid, NotImitated, Unknown, Unreadable
from emulation.gateway.control.documents import key_file, openapi_document
from emulation.http import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, understood. `path` and `query` are decoded; names are those on the wire."""

    operation: str
    status: int  # of the answer if it succeeds
    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: Any  # a JSON object; a document or lines where an import has a file

    def asked(self, name: str) -> str | None:
        """The query's last value of that name."""
        return self.query[name][-1] if name in self.query else None


# What the file of an import is; every other operation has a JSON object.
_FILES: Mapping[str, Callable[[bytes], object]] = {
    "ImportRestApi": openapi_document,
    "PutRestApi": openapi_document,
    "ImportApiKeys": key_file,
}
_TYPES: Mapping[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "double": (int, float),
}
# How the SDKs write what JSON has no number for.
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")


@dataclass(frozen=True, slots=True)
class _Route:
    model: OperationModel
    pattern: re.Pattern[str]
    query: frozenset[tuple[str, str]]  # that the request must have


def understand(request: Request, imitated: Container[str]) -> Call:
    """The call that a request is, if it is of an operation that is imitated; or a Refusal."""
    query = set(parse_qsl(request.query))
    path = request.path.rstrip("/")
    for route in _routes().get((request.method, path.count("/")), ()):
        found = route.pattern.fullmatch(path)
        if found and route.query <= query:
            if route.model.name not in imitated:
                raise NotImitated(f"{route.model.name} is not imitated")
            return _call(route.model, found.groupdict(), request)
    if path.startswith("/v2/"):
        raise NotImitated("API Gateway's version 2 (HTTP and WebSocket APIs) is not imitated")
    raise Unknown("Missing Authentication Token")


def operation_names() -> list[str]:
    """Every operation that the service has."""
    return list(_service_model().operation_names)


@cache
def _service_model() -> Any:
    return botocore.session.get_session().get_service_model("apigateway")


@cache
def _routes() -> Mapping[tuple[str, int], list[_Route]]:
    """By verb and number of slashes; those that must have a query come first."""
    routes: dict[tuple[str, int], list[_Route]] = defaultdict(list)
    for name in operation_names():
        model = _service_model().operation_model(name)
        path, _, query = model.http["requestUri"].partition("?")
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
        route = _Route(model, pattern, frozenset(parse_qsl(query)))
        routes[model.http["method"], path.count("/")].append(route)
    for each in routes.values():
        each.sort(key=lambda route: len(route.query), reverse=True)
    return routes


def _call(model: OperationModel, found: Mapping[str, str], request: Request) -> Call:
    path = {name: unquote(value) for name, value in found.items()}
    file = _FILES.get(model.name)
    body = file(request.body) if file else _json_object(request.body)
    shape = model.input_shape
    assert isinstance(shape, StructureShape)
    where = f"{model.name[0].lower()}{model.name[1:]}Input"
    for member in shape.members.values():
        if member.serialization.get("location") == "uri":
            _check_text(member, path[member.serialization["name"]], member.serialization["name"])
    if file is None:
        _check(shape, body, where)
    status = model.http.get("responseCode", 200)
    query = parse_qs(request.query, keep_blank_values=True)
    return Call(operation=model.name, status=status, path=path, query=query, body=body)


def _json_object(content: bytes) -> Any:
    try:
        body = json.loads(content or b"{}")
    except (ValueError, RecursionError) as error:
        raise Unreadable("The body is not JSON") from error
    if not isinstance(body, dict):
        raise Unreadable("The body is not an object")
    return body


def _check(shape: Shape, value: Any, where: str) -> None:
    """Raises Refusal unless the value, and all in it, fits the shape; it may have more members."""
    types = _TYPES.get(shape.type_name)
    if types is None:
        return
    if type(value) not in types and not (shape.type_name == "double" and value in _NO_NUMBERS):
        raise Unreadable(f"{where} can not be converted to {shape.type_name}")
    if isinstance(shape, StructureShape):
        _check_members(shape, value, where)
    elif isinstance(shape, MapShape):
        for name, each in value.items():
            _check(shape.value, each, f"{where}.{name}")
    elif isinstance(shape, ListShape):
        for number, each in enumerate(value, start=1):
            _check(shape.member, each, f"{where}.{number}.member")
    elif isinstance(value, str):
        _check_text(shape, value, where)


def _check_members(shape: StructureShape, value: Mapping[str, Any], where: str) -> None:
    for name, member in shape.members.items():
        if member.serialization.get("location"):
            continue
        wire_name = member.serialization.get("name", name)
        if value.get(wire_name) is not None:
            _check(member, value[wire_name], f"{where}.{wire_name}")
        elif name in shape.required_members:
            raise BadRequest(f"{where}.{wire_name} must not be null")


def _check_text(shape: Shape, value: str, where: str) -> None:
    enum, pattern = getattr(shape, "enum", ()), shape.metadata.get("pattern")
    constraint = ""
    if enum and value not in enum:
        constraint = f"enum value set: [{', '.join(enum)}]"
    elif pattern and not re.fullmatch(pattern, value):
        constraint = f"regular expression pattern: {pattern}"
    if constraint:
        told = f"Value '{value}' at '{where}' failed to satisfy constraint: Member must satisfy {constraint}"
        raise Invalid(f"1 validation error detected: {told}")
