"""What a job type is: a name and version, an input model, a price in compute units, and a run.

A run has no effect outside its result, so it may be run again after a crash, or go on from a checkpoint.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue

from chalicelib.domain.job import Progress
from chalicelib.job_types.chain_logs import ChainLogs


class JobInput(BaseModel):
    """Bounded, strict and closed: unknown fields and coerced types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Input = TypeVar("Input", bound=JobInput)


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run is, and, where it can go on from here in another process, how to tell it what it needs.

    `progress` never goes back; its total is the same at each step, and not 0, for what was done is its share.
    `checkpoint` is called only when it is wanted, and before the run goes on.
    """

    progress: Progress
    checkpoint: Callable[[], bytes] | None = None


Run = Generator[Step, None, JsonValue]


@dataclass(frozen=True, slots=True)
class Context(Generic[Input]):
    """What a run is given. `checkpoint` is what an earlier run of this job and version gave last, if any."""

    input: Input
    chain: ChainLogs
    checkpoint: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobType:
    """One kind of job. `run` may raise `JobError` for what is the caller's fault.

    Tenants read `title`, `description`, `compute_unit` (what one unit of `cost` is) and the input model's
    JSON Schema, its docstring included. A run's whole cost follows from its input alone: 1 at least, and
    `most_units` at most. A new `version` starts runs anew that an older one began. `requires` is a package
    that may be absent.
    """

    name: str
    version: int
    title: str
    description: str
    input_model: type[JobInput]
    example: Mapping[str, JsonValue]
    compute_unit: str
    cost: Callable[[Any], int]
    most_units: int
    run: Callable[[Context[Any]], Run]
    requires: str | None = None

    @property
    def is_available(self) -> bool:
        """Whether this process has what the run needs."""
        return self.requires is None or find_spec(self.requires) is not None


class JobError(Exception):
    """The input is well-formed and still cannot be computed; the job fails and is not retried."""
