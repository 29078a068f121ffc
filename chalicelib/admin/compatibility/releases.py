"""The released specifications, and the changes that review took for harmless: all in `releases/`."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from chalicelib.admin.compatibility.document import Json
from chalicelib.admin.compatibility.operations import breaking_changes, version_key
from chalicelib.admin.compatibility.rules import Breaking, Rule

REPOSITORY = Path(__file__).parents[3]
SPECIFICATION = REPOSITORY / "openapi.yml"
RELEASES = REPOSITORY / "releases"
ACCEPTED = RELEASES / "accepted.yml"


class AcceptedChange(BaseModel):
    """Findings that break no client, and why; `where` and `detail` may have `*` for any text.

    Without its detail a row would also cover what the same place may become later.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: Rule
    where: Annotated[str, Field(min_length=1)]
    detail: Annotated[str, Field(min_length=1)]
    # Long enough that a bare "ok" is none.
    reason: Annotated[str, Field(min_length=20)]

    def covers(self, finding: Breaking) -> bool:
        """Whether the finding is one of these."""
        return (
            finding.rule is self.rule
            and _matches(finding.where, self.where)
            and _matches(finding.detail, self.detail)
        )


def _matches(text: str, wanted: str) -> bool:
    """Whether they are the same, but for what each `*` stands for; nothing else is special in a pattern.

    >>> _matches("pattern: none → ^[a-z]$", "pattern: * → ^[a-z]$")
    True
    """
    return re.fullmatch(".*".join(map(re.escape, wanted.split("*"))), text) is not None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stands between the document and its release; `stale` are acceptances of what is not found."""

    findings: tuple[Breaking, ...]
    stale: tuple[AcceptedChange, ...]

    @property
    def is_compatible(self) -> bool:
        """Whether a client of the last release keeps working, and nothing is accepted in advance."""
        return not self.findings and not self.stale

    def __str__(self) -> str:
        stale = (f"accepted, and not found: {each.rule}: {each.where}: {each.detail}" for each in self.stale)
        return "\n".join((*map(str, self.findings), *stale))


def verdict(release: Json, document: Json, accepted: tuple[AcceptedChange, ...]) -> Verdict:
    """The findings that nobody accepted, and the acceptances that are no longer needed."""
    found = breaking_changes(release, document)
    return Verdict(
        findings=tuple(finding for finding in found if not any(each.covers(finding) for each in accepted)),
        stale=tuple(each for each in accepted if not any(each.covers(finding) for finding in found)),
    )


def last_release() -> Path:
    """The copy of the highest version."""
    copies = RELEASES.glob("[0-9]*.yml")
    return max(copies, key=lambda path: version_key(path.stem))


def load_document(path: Path) -> Json:
    """A specification as it is written."""
    document: Json = yaml.safe_load(path.read_text())
    return document


def load_accepted(path: Path = ACCEPTED) -> tuple[AcceptedChange, ...]:
    """The accepted changes; the file may be empty."""
    rows = yaml.safe_load(path.read_text()) or []
    return TypeAdapter(tuple[AcceptedChange, ...]).validate_python(rows)
