"""One function a route: reads the request, calls one use case, writes the answer."""

import hashlib
from dataclasses import replace

from pydantic import JsonValue

from chalicelib.domain.errors import NO_SUCH_JOB, DomainError, InvalidRequest, JobNotFound
from chalicelib.domain.idempotency import parse_key
from chalicelib.domain.job import Job, JobRef
from chalicelib.use_cases.cancel_job import CancelJob
from chalicelib.use_cases.read_job import GetJob, GetResult
from chalicelib.use_cases.submit_job import Submission, SubmitJob
from chalicelib.web import json_text, problems, schemas
from chalicelib.web.http import Request, Response, is_id

# A job takes at least one block; asking again sooner cannot show a final state.
POLL_AFTER_SECONDS = 1


class ProblemNotFound(DomainError):
    """No problem has this code."""

    code = "problem_not_found"


def submit_job(submit: SubmitJob, request: Request) -> Response:
    """202 with the whole job; a replay is the first answer's bytes."""
    caller = request.authorized("jobs:write")
    key = parse_key(request.headers.get("idempotency-key", ()))
    document = request.json()
    wanted = schemas.parse_submit(document)
    accepted = submit(
        Submission(
            tenant_id=caller.tenant_id,
            idempotency_key=key,
            type=wanted.type,
            input=wanted.input,
            canonical_body=json_text.canonical(document),
            trace_id=request.trace_id,
        ),
        render=lambda job: schemas.job_bytes(job, base_url=request.base_url),
        canonical=json_text.canonical,
    )
    headers = {
        "Location": f"{request.base_url}/v1/jobs/{accepted.job_ref.job_id}",
        "Retry-After": str(POLL_AFTER_SECONDS),
        "ETag": _etag(accepted.body),
    }
    if accepted.is_replay:
        headers["Idempotent-Replayed"] = "true"
    return Response(status=202, body=accepted.body, headers=headers)


def get_job(get: GetJob, request: Request) -> Response:
    """200 with the job as last committed."""
    caller = request.authorized("jobs:read")
    return _job_answer(get(_ref(caller.tenant_id, request)), request)


def cancel_job(cancel: CancelJob, request: Request) -> Response:
    """200 with the canceled job, however often."""
    caller = request.authorized("jobs:cancel")
    return _job_answer(cancel(_ref(caller.tenant_id, request)), request)


def get_result(get: GetResult, request: Request) -> Response:
    """200 with the exact bytes of the result and what it takes to verify them."""
    caller = request.authorized("jobs:read")
    stored = get(_ref(caller.tenant_id, request))
    return _ok(schemas.result_view(stored))


def problem_page(request: Request) -> Response:
    """200 with what a problem's code means and what to do."""
    code = request.path_parameters["code"]
    problem = problems.CATALOGUE.get(code)
    if problem is None:
        raise ProblemNotFound("No problem has this code.")
    page: JsonValue = {
        "type": problems.type_url(code, base_url=request.base_url),
        "code": problem.code,
        "status": problem.status,
        "title": problem.title,
        "retryable": problem.retryable,
        "advice": problem.advice,
    }
    return _ok(page)


def health() -> Response:
    """200 while the function runs; it promises nothing of the services behind."""
    return _ok({"status": "ok"})


def problem_answer(error: DomainError, request: Request) -> Response:
    """The error as RFC 9457 says, with `Retry-After` where waiting helps."""
    extra: dict[str, object] = {}
    if isinstance(error, InvalidRequest):
        extra["errors"] = [{"pointer": e.pointer, "detail": e.detail} for e in error.errors]
    document = problems.document(
        error.code,
        base_url=request.base_url,
        instance=request.path,
        request_id=request.request_id,
        detail=error.detail,
        **extra,
    )
    problem = problems.CATALOGUE[error.code]
    headers = {"Retry-After": str(error.facts.get("retry_after", POLL_AFTER_SECONDS))}
    if error.code == "insufficient_scope":
        scope = error.facts["scope"]
        challenge = f'Bearer realm="zama-jobs", error="insufficient_scope", scope="{scope}"'
        headers = {"WWW-Authenticate": challenge}
    return Response(
        status=problem.status,
        body=json_text.canonical(document),  # type: ignore[arg-type]
        headers=headers if problem.retryable or "WWW-Authenticate" in headers else {},
        media_type="application/problem+json",
    )


def _job_answer(job: Job, request: Request) -> Response:
    body = schemas.job_bytes(job, base_url=request.base_url)
    headers = {"ETag": _etag(body)}
    if not job.is_terminal:
        headers["Retry-After"] = str(POLL_AFTER_SECONDS)
    return Response(status=200, body=body, headers=headers)


def _ok(body: JsonValue) -> Response:
    return Response(status=200, body=json_text.canonical(body))


def _etag(body: bytes) -> str:
    """A strong validator: equal exactly for equal bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _ref(tenant_id: str, request: Request) -> JobRef:
    """The job that the path names; what cannot be an id of ours is not looked up."""
    job_id = request.path_parameters["job_id"]
    if not is_id(job_id, prefix="job_"):
        raise JobNotFound(NO_SUCH_JOB)
    return JobRef(tenant_id, job_id)


def with_request_id(response: Response, request: Request) -> Response:
    """The answer with the id that names it in our logs."""
    return replace(response, headers={**response.headers, "Request-Id": request.request_id})
