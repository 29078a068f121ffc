"""What source.yml tells, held against what the tables and models have: nothing is missing or left over."""

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.web.operations import Operation, problems_of
from chalicelib.web.problems import CATALOGUE


class SourceMismatch(Exception):
    """source.yml does not speak of what the tables and models have."""


def agree(what: str, differing: Iterable[str]) -> None:
    """Nothing, if there is nothing in which they differ."""
    if names := sorted(differing):
        raise SourceMismatch(f"source.yml and {what} differ in {', '.join(names)}")


def particular(told: Mapping[str, Any], operations: Mapping[str, Operation]) -> Mapping[str, Any]:
    """What is told of problems: of each that a function words, and of none that is unknown."""
    answered = frozenset[str]().union(*(problems_of(each) for each in operations.values()))
    worded = {code for code in answered if CATALOGUE[code].gateway is None}
    agree("web/problems.py", (worded - told.keys()) | (told.keys() - CATALOGUE.keys()))
    return told


def describe(schemas: Mapping[str, Mapping[str, Any]], told: Mapping[str, str]) -> None:
    """Every member gets its sentence: that of `Schema.member`, or else the one for all of its name.

    A member that can have one value alone needs none, and one that is another schema has that schema's.
    """
    used: set[str] = set()
    missing: set[str] = set()
    for name, schema in schemas.items():
        for member, described in schema.get("properties", {}).items():
            is_constant = len(described.get("enum", ())) == 1 and "x-open-enum" not in described
            if is_constant or "$ref" in described:
                continue
            key = f"{name}.{member}" if f"{name}.{member}" in told else member
            if key in told:
                used.add(key)
                described["description"] = told[key]
            else:
                missing.add(f"{name}.{member}")
    agree("web/schemas", missing | (told.keys() - used))
