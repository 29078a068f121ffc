"""The files that imports take, read within bounds: OpenAPI in JSON or YAML, and API keys in CSV.

Invariant: what is returned is plain JSON data, and no larger than its bound however it was written; aliases
of YAML are counted as often as they are used.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

import yaml

from emulation.gateway.control.answers import BadRequest

# The service's own limit for an API's definition.
DOCUMENT_LIMIT_BYTES = 6 * 1024 * 1024
# As many values as a definition of that size has, at some 20 bytes each. YAML's aliases stop here.
DOCUMENT_LIMIT_VALUES = 300_000
# Deeper than any schema that a person writes, and less than Python's own limit allows.
DOCUMENT_LIMIT_DEPTH = 100
_TOO_LARGE = "Invalid OpenAPI input: the document is too large or too deep"
_KEY_COLUMNS = {"name", "key"}


class _Loader(yaml.CSafeLoader):
    """YAML as JSON knows it: a date is the text that it is written as."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def openapi_document(content: bytes) -> Mapping[str, Any]:
    """The document in the file, as JSON data.

    >>> openapi_document(b"info: {version: 2026-11-23}\\nresponses: {200: &ok {}, 201: *ok}")
    {'info': {'version': '2026-11-23'}, 'responses': {'200': {}, '201': {}}}
    """
    if len(content) > DOCUMENT_LIMIT_BYTES:
        raise BadRequest(f"Invalid OpenAPI input: more than {DOCUMENT_LIMIT_BYTES} bytes")
    try:
        loaded = _load(content.decode())
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise BadRequest("Invalid OpenAPI input: the document is neither JSON nor YAML") from error
    document = _plain(loaded, iter(range(DOCUMENT_LIMIT_VALUES)), 0)
    if not isinstance(document, dict):
        raise BadRequest("Invalid OpenAPI input: the document is not an object")
    return document


def _load(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        _check_depth(text)
        return yaml.load(text, _Loader)


def _check_depth(text: str) -> None:
    """Refuses what is nested too deep for the stack of its reader: that would end the whole process."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, _Loader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DOCUMENT_LIMIT_DEPTH or number > DOCUMENT_LIMIT_VALUES:
            raise BadRequest(_TOO_LARGE)


def _plain(value: Any, budget: Iterator[int], depth: int) -> Any:
    """A copy with text for keys, that shares nothing."""
    if next(budget, None) is None or depth > DOCUMENT_LIMIT_DEPTH:
        raise BadRequest(_TOO_LARGE)
    if isinstance(value, dict):
        return {str(name): _plain(each, budget, depth + 1) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, budget, depth + 1) for each in value]
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value)):
        return value
    raise BadRequest(f"Invalid OpenAPI input: a {type(value).__name__} is not JSON")


def key_file(content: bytes) -> list[dict[str, str]]:
    """The lines of a file of API keys, by column; the columns' names are in lower case.

    >>> key_file(b"Key,name,usagePlanIds\\nabc,first,'p1,p2'\\n")
    [{'key': 'abc', 'name': 'first', 'usageplanids': 'p1,p2'}]
    """
    try:
        text = content.decode("utf-8-sig")
        # Plan ids may stand in single quotes too, which the reader of CSV does not know.
        lines = [re.sub(r"(^|,)'([^']*)'(?=,|$)", r'\1"\2"', line) for line in io.StringIO(text)]
        rows = list(csv.reader(lines, strict=True))
    except (ValueError, csv.Error) as error:
        raise BadRequest(f"Invalid API key file: {error}") from error
    columns = [each.strip().lower() for each in rows[0]] if rows else []
    if not set(columns) >= _KEY_COLUMNS:
        raise BadRequest("Invalid API key file: it must have the columns Name and Key")
    return [dict(zip(columns, (cell.strip() for cell in row), strict=False)) for row in rows[1:] if any(row)]
