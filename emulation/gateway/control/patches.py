"""Patch operations, applied to copies of moto's models: all of an update, or none of it.

What can be patched in a model is a table by path: a `Field` is one value, `Entries` are the values of a map,
each under a path of its own with its slashes written as `~1`.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeAlias, TypeVar

from emulation.gateway.control.answers import BadRequest, NotFound
from emulation.gateway.control.calls import Call

REPLACE = frozenset(["replace"])
REPLACE_OR_REMOVE = frozenset(["replace", "remove"])
ALL = frozenset(["add", "replace", "remove"])
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Patch:
    op: str
    path: str
    value: str | None

    def text(self) -> str:
        """The value, which an operation that sets something may leave out to empty it."""
        return self.value or ""


@dataclass(frozen=True, slots=True)
class Field:
    """One value; removed, it is None."""

    attribute: str
    parse: Callable[[str], Any] = str
    ops: frozenset[str] = REPLACE


class Replaces(Enum):
    """What `replace` of an entry that is not there does."""

    ANY = auto()  # adds it
    EXISTING = auto()  # is refused, as the service does for responses


@dataclass(frozen=True, slots=True)
class Entries:
    """The values of a map."""

    attribute: str
    parse: Callable[[str], Any] = str
    replaces: Replaces = Replaces.ANY


Patchable: TypeAlias = Mapping[str, Field | Entries]


def patches_of(call: Call) -> list[Patch]:
    """The operations of an update."""
    listed = call.body.get("patchOperations") or []
    if any(each.get("path") is None for each in listed):
        raise BadRequest("Invalid patch path null")
    return [Patch(each.get("op") or "", each["path"], each.get("value")) for each in listed]


def patched(model: M, patches: list[Patch], patchable: Patchable) -> M:
    """The model with every operation applied; the one given stays as it is."""
    changed = copy.copy(model)
    for patch in patches:
        apply(changed, patch, patchable)
    return changed


def apply(model: Any, patch: Patch, patchable: Patchable) -> None:
    """Applies one operation to a model that is a copy. Its maps are replaced, not changed."""
    group, _, name = patch.path.removeprefix("/").partition("/")
    field = patchable.get(patch.path) or patchable.get(f"/{group}")
    if isinstance(field, Field) and patch.path in patchable:
        if patch.op not in field.ops:
            raise unsupported(patch, patchable)
        setattr(model, field.attribute, None if patch.op == "remove" else field.parse(patch.text()))
    elif isinstance(field, Entries) and name:
        entries = patched_entries(getattr(model, field.attribute) or {}, unescaped(name), patch, field)
        setattr(model, field.attribute, entries)
    else:
        raise unsupported(patch, patchable)


def patched_entries(entries: Mapping[str, Any], name: str, patch: Patch, field: Entries) -> dict[str, Any]:
    """The map with one operation applied to the entry of that name."""
    must_be_there = patch.op == "remove" or (patch.op == "replace" and field.replaces is Replaces.EXISTING)
    if patch.op not in ALL:
        raise BadRequest("Invalid patch operation specified. Must be 'add'|'remove'|'replace'")
    if must_be_there and name not in entries:
        models = field.attribute in ("response_models", "request_models")
        raise NotFound(
            "Content-Type specified was not found" if models else "Invalid parameter name specified"
        )
    if patch.op == "remove":
        return {each: value for each, value in entries.items() if each != name}
    if patch.value is None:
        raise BadRequest(f"Invalid null or empty value in {patch.path.split('/')[1]}")
    return {**entries, name: field.parse(patch.value)}


def unsupported(patch: Patch, patchable: Patchable) -> BadRequest:
    """Why an operation cannot be applied, in the service's words."""
    told = f"Invalid patch path  '{patch.path}' specified for op '{patch.op}'."
    if patch.path in patchable:
        return BadRequest(f"{told} Please choose supported operations")
    paths = ", ".join(
        path if isinstance(field, Field) else f"{path}/<name>" for path, field in patchable.items()
    )
    return BadRequest(f"{told} Must be one of: [{paths}]")


def unescaped(name: str) -> str:
    """A name as it was before it was written into a path (RFC 6901).

    >>> unescaped("application~1json"), unescaped("~01")
    ('application/json', '~1')
    """
    return name.replace("~1", "/").replace("~0", "~")


def truth(text: str) -> bool:
    """What a text says of a flag; whatever is not `true` is false, as in the service."""
    return text.lower() == "true"
