"""What a job type is: a name, an input model, and a run that yields progress and returns a result.

A run has no effect outside its result, so it may be run again after a crash.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue

from chalicelib.domain.job import Progress

Run = Generator[Progress, None, JsonValue]


class JobInput(BaseModel):
    """Bounded, strict and closed: unknown fields and coerced types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobType:
    """One kind of job. `run` may raise `JobError` for what is the caller's fault.

    Tenants read `title` and `description`, and the input model's JSON Schema, its docstring included.
    """

    name: str
    title: str
    description: str
    input_model: type[JobInput]
    run: Callable[[Any], Run]


class JobError(Exception):
    """The input is well-formed and still cannot be computed; the job fails and is not retried."""
