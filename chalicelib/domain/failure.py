"""Why a job fails, and whose fault that is."""

from dataclasses import dataclass
from enum import StrEnum


class FailureCode(StrEnum):
    """Why jobs fail; each is a code of the problem catalogue."""

    JOB_ERROR = "job_error"  # the input cannot be computed
    RUN_LIMIT_EXCEEDED = "run_limit_exceeded"  # it takes more memory or time than a run may
    DEADLINE_EXCEEDED = "deadline_exceeded"  # the tenant's own limit came first
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"  # the platform could not run it


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed, and a sentence for its tenant."""

    code: FailureCode
    detail: str

    @property
    def is_ours(self) -> bool:
        """Whether it is the platform's fault, so that the job costs nothing."""
        return self.code is FailureCode.ATTEMPTS_EXHAUSTED
