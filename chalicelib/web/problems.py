"""The catalogue of problems: every error answer of ours is one of these rows (RFC 9457).

One row is the whole truth about a code: the specification's error responses, the gateway's own answers, the
pages at `/v1/problems/{code}` and DESIGN.md's table are made of it.
"""

from collections.abc import Mapping
from types import MappingProxyType

from chalicelib.web import challenges
from chalicelib.web.problem import SOON, WHEN_ADMITTED, GatewayAnswer, Problem

_ROWS = (
    Problem("malformed_json", 400, "Malformed JSON", "Send one valid JSON document in UTF-8."),
    Problem(
        "invalid_request",
        400,
        "Invalid request",
        "Correct every place that `errors` names.",
        gateway=GatewayAnswer(
            types=("BAD_REQUEST_BODY", "DEFAULT_4XX"), detail="The request is not one that this API takes."
        ),
    ),
    Problem(
        "idempotency_key_missing",
        400,
        "Idempotency-Key missing",
        "Send an Idempotency-Key header; repeat it on retries of the same request.",
        # The only parameter outside a path that an operation requires.
        gateway=GatewayAnswer(
            types=("BAD_REQUEST_PARAMETERS",),
            detail="Send an Idempotency-Key header: a fresh one a job, the same on a retry.",
        ),
    ),
    Problem(
        "idempotency_key_invalid",
        400,
        "Idempotency-Key invalid",
        "Send one key of 1 to 255 printable ASCII characters.",
    ),
    Problem("invalid_cursor", 400, "Invalid cursor", "List again without a cursor, from the beginning."),
    Problem("unknown_job_type", 400, "Unknown job type", "Use one of the types that `detail` names."),
    Problem(
        "unauthorized",
        401,
        "Unauthorized",
        "Get a token from POST /v1/oauth/token and send it.",
        gateway=GatewayAnswer(
            types=("UNAUTHORIZED",),
            detail="Send an access token as a bearer credential.",
            challenge=challenges.either(),
        ),
    ),
    Problem(
        "invalid_token",
        401,
        "Invalid token",
        "Get a fresh token: this one is expired, revoked or not ours.",
        gateway=GatewayAnswer(
            types=("ACCESS_DENIED",),
            detail="The access token is expired, revoked or not one of ours.",
            challenge=challenges.either(error="invalid_token"),
        ),
    ),
    Problem(
        "invalid_dpop_proof",
        401,
        "Invalid DPoP proof",
        "Send a fresh proof for this request, with the key that the token is bound to.",
    ),
    Problem(
        "spend_cap_exceeded",
        402,
        "Spend cap exceeded",
        "Wait for the next month, or raise the plan; jobs that end make room for what they did not use.",
        retryable=True,
    ),
    Problem(
        "forbidden",
        403,
        "Forbidden",
        "Ask your administrator for a plan that includes this API.",
        gateway=GatewayAnswer(
            types=("INVALID_API_KEY", "WAF_FILTERED"), detail="Your plan does not include this operation."
        ),
    ),
    Problem("insufficient_scope", 403, "Insufficient scope", "Get a token with the scope in `detail`."),
    Problem("tenant_suspended", 403, "Tenant suspended", "Ask your administrator to reinstate you."),
    Problem(
        "route_not_found",
        404,
        "Route not found",
        "Check the path.",
        # No method here is signed for, so what is wrong with a signature is a path that does not exist.
        gateway=GatewayAnswer(
            types=(
                "MISSING_AUTHENTICATION_TOKEN",
                "RESOURCE_NOT_FOUND",
                "INVALID_SIGNATURE",
                "EXPIRED_TOKEN",
            ),
            detail="No operation has this path.",
        ),
    ),
    Problem("job_not_found", 404, "Job not found", "Check the id; jobs of other tenants are not shown."),
    Problem("invoice_not_found", 404, "Invoice not found", "Ask for a month that has begun, as YYYY-MM."),
    Problem("problem_not_found", 404, "Problem not found", "See the list of codes in openapi.yml."),
    Problem("method_not_allowed", 405, "Method not allowed", "Use one of the methods that `Allow` names."),
    Problem("job_not_cancelable", 409, "Job not cancelable", "Wait for its end: nothing can stop it now."),
    Problem("result_not_ready", 409, "Result not ready", "Poll the job until it has one.", retryable=True),
    Problem("upload_not_ready", 409, "Upload not ready", "Send the bytes to the upload's `url` first."),
    Problem("no_result", 409, "No result", "Read the job: it failed or was canceled."),
    Problem(
        "operation_removed", 410, "Operation removed", "Use what the Link header names as its successor."
    ),
    Problem(
        "payload_too_large",
        413,
        "Payload too large",
        "Send at most what `detail` says.",
        gateway=GatewayAnswer(types=("REQUEST_TOO_LARGE",), detail="The gateway takes at most 10 MiB."),
    ),
    Problem(
        "unsupported_media_type",
        415,
        "Unsupported media type",
        "Send application/json, in UTF-8 and not compressed.",
        gateway=GatewayAnswer(types=("UNSUPPORTED_MEDIA_TYPE",), detail="Send the body as application/json."),
    ),
    Problem("job_error", 422, "Job error", "Correct the input and submit a new job."),
    Problem(
        "run_limit_exceeded",
        422,
        "Run limit exceeded",
        "Submit a smaller input: a run has not so much memory or time.",
    ),
    Problem(
        "deadline_exceeded",
        422,
        "Deadline exceeded",
        "Submit a new job with a longer `deadline_seconds`; one that never began cost nothing.",
    ),
    Problem(
        "job_type_unavailable",
        422,
        "Job type unavailable",
        "Use another job type: GET /v1/job-types says which are available.",
    ),
    Problem(
        "idempotency_key_reused",
        422,
        "Idempotency-Key reused",
        "Use a fresh key for a new request, or repeat the first one unchanged.",
    ),
    Problem(
        "rate_limited",
        429,
        "Rate limited",
        "Slow down; wait for Retry-After seconds.",
        retryable=True,
        gateway=GatewayAnswer(
            types=("THROTTLED",),
            detail="More requests a second than your plan allows.",
            retry_after=WHEN_ADMITTED,
        ),
    ),
    Problem(
        "quota_exceeded",
        429,
        "Request quota exceeded",
        "Wait for the quota's next period.",
        retryable=True,
        gateway=GatewayAnswer(
            types=("QUOTA_EXCEEDED",),
            detail="The requests of this period are used up.",
            retry_after=WHEN_ADMITTED,
        ),
    ),
    Problem(
        "too_many_attempts",
        429,
        "Too many attempts",
        "Wait until the minute is over; if a credential was wrong, correct it first.",
        retryable=True,
    ),
    Problem(
        "active_jobs_exceeded",
        429,
        "Too many active jobs",
        "Wait until one of your jobs has ended.",
        retryable=True,
    ),
    Problem(
        "job_quota_exceeded",
        429,
        "Job quota exceeded",
        "Wait for the next month, or change plan.",
        retryable=True,
    ),
    Problem(
        "internal_error",
        500,
        "Internal error",
        "Retry, a submit with the same Idempotency-Key; tell us the `request_id`.",
        retryable=True,
        gateway=GatewayAnswer(
            types=(
                "API_CONFIGURATION_ERROR",
                "AUTHORIZER_CONFIGURATION_ERROR",
                "AUTHORIZER_FAILURE",
                "INTEGRATION_FAILURE",
                "DEFAULT_5XX",
            ),
            detail="Something went wrong on our side; retrying with the same key is safe.",
            retry_after=SOON,
        ),
    ),
    Problem(
        "attempts_exhausted",
        500,
        "Attempts exhausted",
        "Submit the job again; this one costs nothing.",
        retryable=True,
    ),
    Problem(
        "unavailable",
        503,
        "Temporarily unavailable",
        "Retry, a submit with the same Idempotency-Key.",
        retryable=True,
    ),
    Problem(
        "timeout",
        504,
        "Timed out",
        "Retry, a submit with the same Idempotency-Key.",
        retryable=True,
        gateway=GatewayAnswer(
            types=("INTEGRATION_TIMEOUT",),
            detail="The operation took too long; retrying with the same key is safe.",
            retry_after=SOON,
        ),
    ),
)

CATALOGUE: Mapping[str, Problem] = MappingProxyType({row.code: row for row in _ROWS})
