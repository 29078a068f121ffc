"""A bug to be seeded."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bug:
    """One edit of one file, and where it must be noticed."""

    name: str
    file: str
    right: str
    wrong: str
    noticed_by: str
