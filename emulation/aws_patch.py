"""How moto is changed: each change is a row with its reason and the test that fails without it.

The changes reach into moto's internals, so they hold for one version of moto only, and any other is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version

PATCHED_VERSION = "5.2.5"


class UnknownMotoVersion(RuntimeError):
    """The installed moto is not the one that the patches were written against."""

    def __init__(self, installed: str) -> None:
        super().__init__(
            f"emulation patches moto {PATCHED_VERSION}, found {installed}: install moto=={PATCHED_VERSION}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One attribute of moto, replaced."""

    owner: object  # a class or a module of moto
    name: str
    replacement: object
    reason: str
    test: str  # its name in tests/conformance


def apply(patches: Iterable[Patch]) -> None:
    """Puts every replacement in place; doing it again, with another clock, replaces them again."""
    for patch in patches:
        assert hasattr(patch.owner, patch.name), f"moto has no {patch.name} on {patch.owner}"
        setattr(patch.owner, patch.name, patch.replacement)


def require_patched_version(installed: str | None = None) -> None:
    """Raises `UnknownMotoVersion` unless moto is the version that the patches were written against."""
    found = installed or version("moto")
    if found != PATCHED_VERSION:
        raise UnknownMotoVersion(found)


class Untracked(list[object]):
    """Takes the place of a moto class's list of instances, and keeps none."""

    def append(self, instance: object, /) -> None:
        """Forgets: moto remembers every item and message ever made, for a dashboard, until memory ends."""
