"""The wire's shapes, both ways: requests into the domain's values, jobs and results out of them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from chalicelib.domain.errors import FieldError, InvalidRequest
from chalicelib.domain.job import Confirmation, Failure, Job, Progress
from chalicelib.use_cases.read_job import StoredResult
from chalicelib.web import json_text, problems


class SubmitRequest(BaseModel):
    """The body of a submit; `input` is validated by the job type's own model."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Annotated[str, Field(min_length=1, max_length=64)]
    input: dict[str, JsonValue]


def parse_submit(document: JsonValue) -> SubmitRequest:
    """The request, or `InvalidRequest` with every place that is wrong."""
    if not isinstance(document, dict):
        raise InvalidRequest((FieldError("", "Input should be an object"),))
    try:
        return SubmitRequest.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidRequest(tuple(FieldError.at(e["loc"], e["msg"]) for e in found)) from error


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def job_view(job: Job, *, base_url: str) -> dict[str, JsonValue]:
    """The job as its tenant sees it."""
    self_url = job_url(job, base_url=base_url)
    return {
        "object": "job",
        "id": job.ref.job_id,
        "type": job.type,
        "status": job.status.value,
        "version": job.version,
        "created_at": timestamp(job.created_at),
        "entered": {status.value: timestamp(moment) for status, moment in job.entered.items()},
        "progress": _progress_view(job.progress) if job.progress else None,
        "confirmation": _confirmation_view(job.confirmation) if job.confirmation else None,
        "error": _failure_view(job.failure, self_url, base_url) if job.failure else None,
        "url": self_url,
        "result_url": f"{self_url}/result" if job.result else None,
    }


def job_bytes(job: Job, *, base_url: str) -> bytes:
    """The job's view as the bytes of an answer: canonical, so equal views are equal bytes."""
    return json_text.canonical(job_view(job, base_url=base_url))


def job_url(job: Job, *, base_url: str) -> str:
    """Where the job is."""
    return f"{base_url}/v1/jobs/{job.ref.job_id}"


def result_view(stored: StoredResult) -> dict[str, JsonValue]:
    """`content` is the exact text that was hashed: commitment = keccak256(salt ‖ keccak256(content))."""
    return {
        "object": "result",
        "job_id": stored.job.ref.job_id,
        "media_type": "application/json",
        "content": stored.content.decode(),
        "sha256": stored.result.sha256,
        "salt": stored.result.salt,
        "commitment": stored.result.commitment,
    }


def _progress_view(progress: Progress) -> JsonValue:
    return {"completed": progress.completed, "total": progress.total}


def _confirmation_view(confirmation: Confirmation) -> JsonValue:
    return {
        "chain_id": confirmation.chain_id,
        "registry": confirmation.registry,
        "job_key": confirmation.job_key,
        "transaction_hash": confirmation.transaction_hash,
        "block_number": confirmation.block_number,
    }


def _failure_view(failure: Failure, instance: str, base_url: str) -> JsonValue:
    problem = problems.CATALOGUE[failure.code]
    return {
        "type": problems.type_url(failure.code, base_url=base_url),
        "title": problem.title,
        "status": problem.status,
        "detail": failure.detail,
        "instance": instance,
        "code": failure.code,
        "retryable": problem.retryable,
    }
