"""Submitting, reading and canceling jobs."""

from datetime import timedelta

from chalicelib.domain.confirmation_view import SeenJob
from chalicelib.domain.errors import NO_SUCH_JOB, JobNotFound
from chalicelib.domain.idempotency import parse_key
from chalicelib.domain.job import JobRef
from chalicelib.use_cases.cancel_job import CancelJob
from chalicelib.use_cases.estimate_wait import EstimateWait
from chalicelib.use_cases.read_job import AwaitJob
from chalicelib.use_cases.submit_job import Submission, SubmitJob
from chalicelib.web import json_text
from chalicelib.web.answers import etag
from chalicelib.web.conditional import entity_tags, is_known
from chalicelib.web.http import Request, Response, is_id
from chalicelib.web.preferences import wait_seconds
from chalicelib.web.schemas.jobs import job_url, job_view, parse_submit


def submit_job(submit: SubmitJob, request: Request) -> Response:
    """202 with the whole job; a replay is the first answer's bytes."""
    key = parse_key(request.headers.get("idempotency-key", ()))
    document = request.json()
    wanted = parse_submit(document)
    accepted = submit(
        Submission(
            tenant_id=request.tenant_id,
            idempotency_key=key,
            type=wanted.type,
            input=wanted.input,
            input_upload=wanted.input_upload or None,
            path=wanted.confirmation,
            deadline=timedelta(seconds=wanted.deadline_seconds),
            canonical_body=json_text.canonical(document),
            trace_id=request.trace_id,
            request_id=request.request_id,
        ),
        render=lambda job: _body(SeenJob(job), request),
        canonical=json_text.canonical,
    )
    headers = {
        "Location": job_url(accepted.job_ref, base_url=request.base_url),
        "Retry-After": str(accepted.retry_after_seconds),
        "ETag": etag(accepted.body),
    }
    if accepted.is_replay:
        headers["Idempotent-Replayed"] = "true"
    return Response(status=202, body=accepted.body, headers=headers)


def get_job(await_job: AwaitJob, estimate_wait: EstimateWait, request: Request) -> Response:
    """200 with the job, or 304 if the client has it; waits for news if the client prefers and has a seat."""
    known = entity_tags(request.headers.get("if-none-match", ()))
    wait = wait_seconds(request.headers.get("prefer", ()))
    awaited = await_job(
        job_ref(request),
        is_news=lambda seen: bool(known) and not is_known(etag(_body(seen, request)), known),
        at_most_seconds=wait or 0,
    )
    body = _body(awaited.seen, request)
    headers = {"ETag": etag(body)}
    if (retry_after := estimate_wait(awaited.seen.job)) is not None:
        headers["Retry-After"] = str(retry_after)
    if wait is not None and awaited.is_honoured:
        headers["Preference-Applied"] = f"wait={wait}"
    if is_known(headers["ETag"], known):
        return Response(status=304, body=b"", headers=headers, media_type=None)
    return Response(status=200, body=body, headers=headers)


def cancel_job(cancel: CancelJob, request: Request) -> Response:
    """200 with the canceled job, however often."""
    body = _body(SeenJob(cancel(job_ref(request))), request)
    return Response(status=200, body=body, headers={"ETag": etag(body)})


def job_ref(request: Request) -> JobRef:
    """The caller's job that the path names; what cannot be an id of ours is not looked up."""
    job_id = request.path_parameters["job_id"]
    if not is_id(job_id, prefix="job_"):
        raise JobNotFound(NO_SUCH_JOB)
    return JobRef(request.tenant_id, job_id)


def _body(seen: SeenJob, request: Request) -> bytes:
    return job_view(seen, base_url=request.base_url).to_bytes()
