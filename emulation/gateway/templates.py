"""Plain substitution of `$context.…` and `$stageVariables.…`, as gateway responses know it: no Velocity."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_NAME = r"(?:context|stageVariables)\.[A-Za-z0-9_.\-]*[A-Za-z0-9_\-]"
_REFERENCE = re.compile(rf"\$(?:({_NAME})|\{{({_NAME})\}})")


def substitute(template: str, values: Mapping[str, Any]) -> str:
    """The template with every reference replaced by its value; what has none becomes nothing.

    >>> values = {"context": {"requestId": "r-1", "error": {"messageString": '"Forbidden"'}}}
    >>> substitute('{"id":"${context.requestId}","x":"$context.x","is":$context.error.messageString}', values)
    '{"id":"r-1","x":"","is":"Forbidden"}'
    """
    return _REFERENCE.sub(lambda found: look_up(found[1] or found[2], values), template)


def look_up(name: str, values: Mapping[str, Any]) -> str:
    """The value under a dotted name, as text; a group of values is none.

    >>> look_up("context.authorizer.admin", {"context": {"authorizer": {"admin": True}}})
    'true'
    """
    value: Any = values
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict | Mapping) else None  # a dict is told at once
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or isinstance(value, dict | Mapping) else str(value)


@dataclass(frozen=True, slots=True)
class LineFormat:
    """A template of one line, parsed once."""

    literals: tuple[str, ...]  # around the names, one more than there are
    names: tuple[str, ...]


@lru_cache(maxsize=256)  # a stage's format is asked for at every change of any API
def line_format(template: str) -> LineFormat:
    """The format of a line; line ends within the template become spaces.

    >>> line_format("$context.status by $context.identity.user.")
    LineFormat(literals=('', ' by ', '.'), names=('context.status', 'context.identity.user'))
    """
    parts = _REFERENCE.split(" ".join(template.splitlines()))
    names = (plain or braced for plain, braced in zip(parts[1::3], parts[2::3], strict=True))
    return LineFormat(tuple(parts[::3]), tuple(names))
