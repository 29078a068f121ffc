"""The API's operations: the one table that app.py's routes, the scopes, and the specification are made of.

`problems` are the codes that only an operation's own function answers with; `problems_of` adds what the
gateway and every function may answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from chalicelib.web.deprecation import Deprecation


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path. Without a scope anyone may call it.

    `query` are the parameters that it knows, any other being refused; with None it ignores them all.
    """

    id: str
    method: str
    path: str
    scope: str | None = None
    query: tuple[str, ...] | None = ()
    problems: tuple[str, ...] = ()
    deprecation: Deprecation | None = None


SUBMIT_JOB = Operation(
    id="submitJob",
    method="POST",
    path="/v1/jobs",
    scope="jobs:write",
    problems=(
        "malformed_json",
        "idempotency_key_missing",
        "idempotency_key_invalid",
        "unknown_job_type",
        "job_type_unavailable",
        "upload_not_ready",
        "tenant_suspended",
        "unsupported_media_type",
        "idempotency_key_reused",
        "active_jobs_exceeded",
        "job_quota_exceeded",
        "spend_cap_exceeded",
    ),
)
LIST_JOBS = Operation(
    id="listJobs",
    method="GET",
    path="/v1/jobs",
    scope="jobs:read",
    query=("limit", "cursor", "status", "type", "created_after", "created_before"),
    problems=("invalid_cursor",),
)
GET_JOB = Operation(
    id="getJob",
    method="GET",
    path="/v1/jobs/{job_id}",
    scope="jobs:read",
    problems=("job_not_found",),
)
CANCEL_JOB = Operation(
    id="cancelJob",
    method="POST",
    path="/v1/jobs/{job_id}/cancel",
    scope="jobs:cancel",
    problems=("job_not_found", "job_not_cancelable"),
)
CREATE_UPLOAD = Operation(
    id="createUpload",
    method="POST",
    path="/v1/uploads",
    scope="jobs:write",
    problems=("malformed_json", "unsupported_media_type"),
)
GET_RESULT = Operation(
    id="getResult",
    method="GET",
    path="/v1/jobs/{job_id}/result",
    scope="jobs:read",
    problems=("job_not_found", "result_not_ready", "no_result"),
)
LIST_JOB_TYPES = Operation(id="listJobTypes", method="GET", path="/v1/job-types", scope="jobs:read")
GET_USAGE = Operation(
    id="getUsage",
    method="GET",
    path="/v1/usage",
    scope="usage:read",
    query=("from", "to"),
    problems=("unavailable",),
)
GET_INVOICE = Operation(
    id="getInvoice",
    method="GET",
    path="/v1/invoices/{period}",
    scope="usage:read",
    problems=("invoice_not_found",),
)
ISSUE_TOKEN = Operation(
    id="issueToken",
    method="POST",
    path="/v1/oauth/token",
    query=None,  # RFC 6749 §3.2: what is not recognized is ignored
    problems=("too_many_attempts", "unavailable"),
)
REVOKE_TOKEN = Operation(
    id="revokeToken",
    method="POST",
    path="/v1/oauth/revoke",
    query=None,  # RFC 7009 §2.1 refers to RFC 6749 here
    problems=("too_many_attempts", "unavailable"),
)
GET_KEYS = Operation(id="getKeys", method="GET", path="/.well-known/jwks.json", problems=("unavailable",))
GET_PROBLEM = Operation(
    id="getProblem",
    method="GET",
    path="/v1/problems/{code}",
    problems=("problem_not_found",),
)
GET_HEALTH = Operation(id="getHealth", method="GET", path="/v1/health")

OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        operation.id: operation
        for operation in (
            SUBMIT_JOB,
            LIST_JOBS,
            GET_JOB,
            CANCEL_JOB,
            GET_RESULT,
            CREATE_UPLOAD,
            LIST_JOB_TYPES,
            GET_USAGE,
            GET_INVOICE,
            ISSUE_TOKEN,
            REVOKE_TOKEN,
            GET_KEYS,
            GET_PROBLEM,
            GET_HEALTH,
        )
    }
)


# Whatever the operation, the gateway may answer these itself, or a function that fails.
ANYWHERE = ("rate_limited", "payload_too_large", "internal_error", "timeout")
# On operations that ask for a credential: its proof, if it is bound, may be one that nobody can look up.
WITH_A_CREDENTIAL = (
    "unauthorized",
    "invalid_token",
    "invalid_dpop_proof",
    "forbidden",
    "insufficient_scope",
    "quota_exceeded",
    "unavailable",
)


def problems_of(operation: Operation) -> frozenset[str]:
    """Every code that a caller of the operation may see."""
    return frozenset(
        (
            *operation.problems,
            *ANYWHERE,
            *(WITH_A_CREDENTIAL if operation.scope else ()),
            *(("invalid_request",) if operation.query is not None else ()),
            *(("operation_removed",) if operation.deprecation else ()),
        )
    )


def methods_of(path: str) -> tuple[str, ...]:
    """The methods that the path has, in the order of the alphabet, as `Allow` lists them."""
    return tuple(sorted(each.method for each in OPERATIONS.values() if each.path == path))


# What API Gateway's ANY stands for, and so what a method that is not there can be.
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def other_methods(path: str) -> tuple[str, ...]:
    """The methods that the path does not have."""
    return tuple(method for method in METHODS if method not in methods_of(path))


def paths() -> tuple[str, ...]:
    """Every path once, in the table's order."""
    return tuple(dict.fromkeys(each.path for each in OPERATIONS.values()))
