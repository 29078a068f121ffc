"""Where a run computes: apart from the function that watches it, and within bounds."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from chalicelib.domain.job import Progress
from chalicelib.job_types.contract import Step


@dataclass(frozen=True, slots=True)
class Began:
    """The input is read: what the whole run costs, in compute units."""

    cost_units: int


@dataclass(frozen=True, slots=True)
class Stepped:
    """How far the run is; now and then with what it needs to go on from there."""

    progress: Progress
    checkpoint: bytes | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run was asked to stop, and did so just after its last `Stepped`, which has a checkpoint."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The run's result, as canonical JSON."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The input cannot be computed, which is the caller's fault; a sentence says why."""

    detail: str


class Bound(StrEnum):
    """What a run may use only so much of."""

    MEMORY = "memory"
    PROCESSOR_TIME = "processor time"
    TIME = "time"  # between two checkpoints


@dataclass(frozen=True, slots=True)
class Exceeded:
    """The run was ended for using more than it may."""

    bound: Bound


@dataclass(frozen=True, slots=True)
class Broke:
    """The run ended otherwise: an error that nobody foresaw, or its process is gone. Not for tenants."""

    detail: str


@dataclass(frozen=True, slots=True)
class Hindered:
    """Something that the run needs does not answer, so it ended; that is no fault of its own."""

    detail: str


Event = Began | Stepped | Stopped | Ended | Refused | Exceeded | Broke | Hindered
Work = Callable[[], Generator[Began | Step, None, bytes]]
"""A whole run as a generator that tells its cost first; it may raise `JobError`."""


class Running(Protocol):
    """A run on its way. Its last event is neither `Began` nor `Stepped`."""

    def next(self, *, timeout_seconds: float) -> Event | None:
        """What the run says next; None if it says nothing for so long. Steps may be left out."""

    def stop(self) -> None:
        """Asks the run to stop at its next checkpoint; it may end before."""

    def kill(self) -> None:
        """Ends it now, wherever it is; what it has not said is lost. Safe to repeat."""


class Sandbox(Protocol):
    """Runs work within bounds: what exceeds them ends alone, and is told so."""

    def start(self, work: Work) -> Running:
        """The work, begun in a place of its own."""
