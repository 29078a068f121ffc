"""A job as its tenant sees it, and the request that makes one."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue, WithJsonSchema

from chalicelib.domain import job as domain
from chalicelib.domain.confirmation_view import SeenJob
from chalicelib.domain.errors import FieldError, InvalidRequest, JobTypeUnavailable, UnknownJobType
from chalicelib.domain.failure import Failure
from chalicelib.domain.job import Status
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.job_types import JOB_TYPES
from chalicelib.use_cases.submit_job import job_type_of, validate_input
from chalicelib.web.problem import type_url
from chalicelib.web.problems import CATALOGUE
from chalicelib.web.schemas.base import (
    LARGEST_INT32,
    Count,
    JobId,
    Sparse,
    Timestamp,
    UploadId,
    Url,
    Wire,
    WireRequest,
)
from chalicelib.web.schemas.confirmation import Confirmation, confirmation_view

ChosenPath = Annotated[
    ConfirmationPath,
    Field(strict=False),
    WithJsonSchema({"type": "string", "enum": [path.value for path in ConfirmationPath]}),
]


USUAL_DEADLINE_SECONDS = int(domain.USUAL_DEADLINE.total_seconds())
LONGEST_DEADLINE_SECONDS = int(domain.LONGEST_DEADLINE.total_seconds())


class SubmitRequest(WireRequest):
    """The body of a submit: with `input`, validated by the job type's own model, or with its upload's id."""

    type: Annotated[str, Field(min_length=1, max_length=64)]
    input: Annotated[dict[str, JsonValue], Field(default_factory=dict)]
    input_upload: UploadId = ""
    confirmation: ChosenPath = ConfirmationPath.DIRECT
    deadline_seconds: Annotated[
        int, Field(ge=1, le=LONGEST_DEADLINE_SECONDS, json_schema_extra={"format": "int32"})
    ] = USUAL_DEADLINE_SECONDS


def parse_submit(document: JsonValue) -> SubmitRequest:
    """The request, or `InvalidRequest` with every place that is wrong."""
    given = document.keys() & {"input", "input_upload"} if isinstance(document, dict) else set()
    places: tuple[FieldError, ...] = ()
    if isinstance(document, dict) and len(given) != 1:
        places = (FieldError("/input", "Send either `input` or `input_upload`."),)
    try:
        wanted = SubmitRequest.read(document)
    except InvalidRequest as error:
        raise InvalidRequest((*places, *error.errors, *_job_places(document))) from error
    if places:
        raise InvalidRequest((*places, *_job_places(document)))
    return wanted


def _job_places(document: JsonValue) -> tuple[FieldError, ...]:
    """What the job type would refuse of a request that is refused before: all mistakes are told at once."""
    match document:
        case {"type": str(name), **others}:
            job_input = others.get("input")
        case _:
            return ()
    try:
        job_type = job_type_of(JOB_TYPES, name)
        if isinstance(job_input, dict):
            validate_input(job_type, job_input)
    except (UnknownJobType, JobTypeUnavailable) as error:
        return (FieldError.at(("type",), error.detail),)
    except InvalidRequest as error:
        return error.errors
    return ()


class Entered(Sparse):
    """When the job entered each of its states; a state that it has not been in is absent."""

    queued: Timestamp
    running: Timestamp | None = None
    confirming: Timestamp | None = None
    succeeded: Timestamp | None = None
    failed: Timestamp | None = None
    canceled: Timestamp | None = None


class Progress(Wire):
    """Steps done of the steps that there are to do."""

    completed: Count
    total: Count


class Compute(Wire):
    """What the run costs in compute units, and what the job has been charged of that."""

    estimated_units: Count | None
    used_units: Count


class JobProblem(Wire):
    """Why a job failed, as a problem (RFC 9457); `request_id` is the submit's."""

    type: Url
    title: Annotated[str, Field(max_length=128)]
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Annotated[str, Field(max_length=1024)]
    instance: Url
    code: Annotated[str, Field(max_length=64)]
    request_id: Annotated[str, Field(max_length=64)]
    retryable: bool


class Job(Wire):
    """A job as last committed. `version` rises by one with each status."""

    object: Literal["job"] = "job"
    id: JobId
    type: Annotated[str, Field(max_length=64)]
    type_version: Annotated[int, Field(ge=1, le=LARGEST_INT32)]
    status: Status
    version: Annotated[int, Field(ge=1, le=4)]
    created_at: Timestamp
    deadline_at: Timestamp | None
    entered: Entered
    progress: Progress | None
    compute: Compute
    confirmation: Confirmation | None
    error: JobProblem | None
    url: Url
    result_url: Url | None


def job_view(seen: SeenJob, *, base_url: str) -> Job:
    """The job as its tenant sees it."""
    job = seen.job
    self_url = job_url(job.ref, base_url=base_url)
    return Job(
        id=job.ref.job_id,
        type=job.type,
        type_version=job.type_version,
        status=job.status,
        version=job.version,
        created_at=job.created_at,
        deadline_at=job.deadline_at,
        entered=_entered(job),
        progress=_progress(job.progress) if job.progress else None,
        compute=Compute(estimated_units=job.cost_units, used_units=job.used_units),
        confirmation=confirmation_view(seen.confirmation) if seen.confirmation else None,
        error=_problem(job, job.failure, base_url=base_url) if job.failure else None,
        url=self_url,
        result_url=f"{self_url}/result" if job.result else None,
    )


def job_url(ref: domain.JobRef, *, base_url: str) -> str:
    """Where the job is."""
    return f"{base_url}/v1/jobs/{ref.job_id}"


def _entered(job: domain.Job) -> Entered:
    moments: dict[str, datetime] = {status.value: moment for status, moment in job.entered.items()}
    return Entered(**moments)


def _progress(progress: domain.Progress) -> Progress:
    return Progress(completed=progress.completed, total=progress.total)


def _problem(job: domain.Job, failure: Failure, *, base_url: str) -> JobProblem:
    problem = CATALOGUE[failure.code]
    return JobProblem(
        type=type_url(failure.code, base_url=base_url),
        title=problem.title,
        status=problem.status,
        detail=failure.detail,
        instance=job_url(job.ref, base_url=base_url),
        code=failure.code,
        request_id=job.request_id,
        retryable=problem.retryable,
    )
