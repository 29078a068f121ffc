"""What a statement is."""

from dataclasses import dataclass
from enum import Enum


class Confidence(Enum):
    """How far a statement is known to be the real service's behaviour."""

    OBSERVED = "observed"  # seen on the live service, by us or in a published capture
    DOCUMENTED = "documented"  # its developer guide or API reference says so
    INFERRED = "inferred"  # follows from documents or logs that do not say it
    CHOSEN = "chosen"  # nobody we found knows


@dataclass(frozen=True, slots=True)
class Statement:
    id: str
    text: str
    confidence: Confidence
    chosen_in: str = ""  # the constant or function that holds the choice, below `emulation.gateway`

    def __post_init__(self) -> None:
        assert bool(self.chosen_in) == (self.confidence is Confidence.CHOSEN), self.id


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    statements: tuple[Statement, ...]


def observed(statement_id: str, text: str) -> Statement:
    return Statement(statement_id, text, Confidence.OBSERVED)


def documented(statement_id: str, text: str) -> Statement:
    return Statement(statement_id, text, Confidence.DOCUMENTED)


def inferred(statement_id: str, text: str) -> Statement:
    return Statement(statement_id, text, Confidence.INFERRED)


def chosen(statement_id: str, text: str, *, where: str) -> Statement:
    return Statement(statement_id, text, Confidence.CHOSEN, where)
