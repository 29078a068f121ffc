"""The catalogue of problems: every error answer of ours is one of these rows (RFC 9457).

One row is the whole truth about a code: its status, its title, whether a retry can help, and what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem. `title` never varies; `detail` is written where the problem is found."""

    code: str
    status: int
    title: str
    retryable: bool
    advice: str


_ROWS = (
    Problem(
        "malformed_json",
        400,
        "Malformed JSON",
        retryable=False,
        advice="Send one valid JSON document in UTF-8.",
    ),
    Problem(
        "invalid_request",
        400,
        "Invalid request",
        retryable=False,
        advice="Correct every place that `errors` names.",
    ),
    Problem(
        "idempotency_key_missing",
        400,
        "Idempotency-Key missing",
        retryable=False,
        advice="Send an Idempotency-Key header; repeat it on retries of the same request.",
    ),
    Problem(
        "idempotency_key_invalid",
        400,
        "Idempotency-Key invalid",
        retryable=False,
        advice="Send one key of 1 to 255 printable ASCII characters.",
    ),
    Problem(
        "unknown_job_type",
        400,
        "Unknown job type",
        retryable=False,
        advice="Use one of the types that `detail` names.",
    ),
    Problem(
        "unauthorized",
        401,
        "Unauthorized",
        retryable=False,
        advice="Get a token from POST /v1/oauth/token and send it.",
    ),
    Problem(
        "invalid_token",
        401,
        "Invalid token",
        retryable=False,
        advice="Get a fresh token: this one is expired or not ours.",
    ),
    Problem(
        "forbidden",
        403,
        "Forbidden",
        retryable=False,
        advice="Ask your administrator for a plan that includes this API.",
    ),
    Problem(
        "insufficient_scope",
        403,
        "Insufficient scope",
        retryable=False,
        advice="Get a token with the scope in `detail`.",
    ),
    Problem(
        "tenant_suspended",
        403,
        "Tenant suspended",
        retryable=False,
        advice="Ask your administrator to reinstate you.",
    ),
    Problem(
        "route_not_found", 404, "Route not found", retryable=False, advice="Check the path and the method."
    ),
    Problem(
        "job_not_found",
        404,
        "Job not found",
        retryable=False,
        advice="Check the id; jobs of other tenants are not shown.",
    ),
    Problem(
        "problem_not_found",
        404,
        "Problem not found",
        retryable=False,
        advice="See the list of codes in openapi.yml.",
    ),
    Problem(
        "job_not_cancelable",
        409,
        "Job not cancelable",
        retryable=False,
        advice="Wait for the job's end, or leave it be.",
    ),
    Problem(
        "result_not_ready",
        409,
        "Result not ready",
        retryable=True,
        advice="Poll the job until it is `confirming` or later.",
    ),
    Problem(
        "no_result",
        409,
        "No result",
        retryable=False,
        advice="Read the job: it failed or was canceled.",
    ),
    Problem(
        "payload_too_large",
        413,
        "Payload too large",
        retryable=False,
        advice="Send at most what `detail` says.",
    ),
    Problem(
        "unsupported_media_type",
        415,
        "Unsupported media type",
        retryable=False,
        advice="Send application/json.",
    ),
    Problem(
        "idempotency_key_reused",
        422,
        "Idempotency-Key reused",
        retryable=False,
        advice="Use a fresh key for a new request, or repeat the first one unchanged.",
    ),
    Problem(
        "rate_limited", 429, "Rate limited", retryable=True, advice="Slow down; wait for Retry-After seconds."
    ),
    Problem(
        "quota_exceeded",
        429,
        "Request quota exceeded",
        retryable=True,
        advice="Wait for the quota's next period.",
    ),
    Problem(
        "active_jobs_exceeded",
        429,
        "Too many active jobs",
        retryable=True,
        advice="Wait until one of your jobs has ended.",
    ),
    Problem(
        "job_quota_exceeded",
        429,
        "Job quota exceeded",
        retryable=True,
        advice="Wait for the next month, or change plan.",
    ),
    Problem(
        "internal_error",
        500,
        "Internal error",
        retryable=True,
        advice="Retry with the same Idempotency-Key; tell us the id.",
    ),
    Problem(
        "unavailable",
        503,
        "Temporarily unavailable",
        retryable=True,
        advice="Retry with the same Idempotency-Key.",
    ),
    Problem("timeout", 504, "Timed out", retryable=True, advice="Retry with the same Idempotency-Key."),
    Problem("job_error", 422, "Job error", retryable=False, advice="Correct the input and submit a new job."),
    Problem(
        "attempts_exhausted",
        500,
        "Attempts exhausted",
        retryable=True,
        advice="Submit the job again; this one costs nothing.",
    ),
)

CATALOGUE: Mapping[str, Problem] = MappingProxyType({row.code: row for row in _ROWS})


def document(
    code: str, *, base_url: str, instance: str, request_id: str, detail: str, **extra: object
) -> dict[str, object]:
    """The problem document of RFC 9457, with our members `code`, `request_id` and `retryable`."""
    problem = CATALOGUE[code]
    return {
        "type": type_url(code, base_url=base_url),
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "instance": instance,
        "code": code,
        "request_id": request_id,
        "retryable": problem.retryable,
        **extra,
    }


def type_url(code: str, *, base_url: str) -> str:
    """Where the problem's page is."""
    return f"{base_url}/v1/problems/{code}"
