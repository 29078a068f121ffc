"""What the stack is told: by the person who starts it, and by the project that it runs."""

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_PATHS = ("resources", "openapi", "plans", "contracts")


class ClockKind(StrEnum):
    """Whose time the stack follows."""

    SYSTEM = "system"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One start of the stack."""

    port: int
    state_dir: Path
    clock: ClockKind
    aws_endpoint: str | None
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A Chalice project as `[tool.emulation]` of its `pyproject.toml` has it; what is absent is not made.

    `environment` is what its functions are told, with the stack's facts in braces (`{base_url}`);
    `provision` is the command that makes its tenants and prints them as JSON.
    """

    folder: Path
    resources: Path | None
    openapi: Path | None
    plans: Path | None
    contracts: Path | None
    environment: Mapping[str, str]
    provision: tuple[str, ...]

    def told(self, facts: Mapping[str, str]) -> dict[str, str]:
        """The environment as far as the facts go: a variable that needs a missing one is left out."""
        known: dict[str, str] = {}
        for name, template in self.environment.items():
            try:
                known[name] = template.format_map(facts)
            except KeyError:
                continue
        return known


def read_project(folder: Path) -> Project:
    """Reads `[tool.emulation]`; a project without one is only its functions."""
    described = folder / "pyproject.toml"
    table = tomllib.loads(described.read_text()).get("tool", {}) if described.exists() else {}
    given = table.get("emulation", {})
    paths = {name: folder / given[name] if name in given else None for name in _PATHS}
    command = tuple(part.format(python=sys.executable) for part in given.get("provision", ()))
    return Project(folder=folder, environment=given.get("environment", {}), provision=command, **paths)
