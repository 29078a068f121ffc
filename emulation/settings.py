"""What the stack is told: by the person who starts it, and by the project that it runs."""

import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_PATHS = ("resources", "openapi", "plans", "contracts", "swagger_ui")
_WRONG_SHAPES: tuple[type[Exception], ...] = (AttributeError, LookupError, TypeError, ValueError)
"""What Python raises for text that is no JSON or TOML, and for a part that is absent or another kind."""


class InvalidProject(Exception):
    """A file of the project, or what its command prints, is not as it must be; the message is one line."""


@contextmanager
def faults_of(source: object, *more: type[Exception]) -> Iterator[None]:
    """Raises InvalidProject with the source's name for whatever is wrong with what was read from it."""
    try:
        yield
    except (*_WRONG_SHAPES, *more) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InvalidProject(f"{source}: {reason}") from error


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
    usage_dir: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A Chalice project as `[tool.emulation]` of its `pyproject.toml` has it; what is absent is not made.

    `environment` is what its functions are told, with the stack's facts in braces (`{base_url}`);
    `provision` is the command that makes its tenants and prints them as JSON, `reconcile` the one that
    compares its books, which the demo shows.
    """

    folder: Path
    resources: Path | None
    openapi: Path | None
    plans: Path | None
    contracts: Path | None
    swagger_ui: Path | None
    environment: Mapping[str, str]
    provision: tuple[str, ...]
    reconcile: tuple[str, ...]

    def told(self, facts: Mapping[str, str]) -> dict[str, str]:
        """The environment as far as the facts go: a variable that needs a missing one is left out."""
        known: dict[str, str] = {}
        for name, template in self.environment.items():
            with faults_of(f"{name} in [tool.emulation.environment]"), suppress(KeyError):
                known[name] = template.format_map(facts)
        return known


def read_project(folder: Path) -> Project:
    """Reads `[tool.emulation]`; a project without one is only its functions."""
    described = folder / "pyproject.toml"
    with faults_of(described):
        table = tomllib.loads(described.read_text()).get("tool", {}) if described.exists() else {}
        given = table.get("emulation", {})
        paths = {name: folder / given[name] if name in given else None for name in _PATHS}
        provision, reconcile = (
            tuple(part.format(python=sys.executable) for part in given.get(name, ()))
            for name in ("provision", "reconcile")
        )
        environment = given.get("environment", {})
        return Project(
            folder=folder, environment=environment, provision=provision, reconcile=reconcile, **paths
        )
