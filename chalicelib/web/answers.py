"""Documents and errors as answers: every answer of a function is made here."""

import hashlib
from collections.abc import Mapping

from chalicelib.domain.errors import DomainError, InvalidProof, InvalidRequest
from chalicelib.use_cases.verify_proof import ALGORITHMS
from chalicelib.web.http import Request, Response
from chalicelib.web.problem import REALM, type_url
from chalicelib.web.problem import Problem as ProblemRow
from chalicelib.web.problems import CATALOGUE
from chalicelib.web.schemas.base import Wire
from chalicelib.web.schemas.service import Problem, ProblemError

PROBLEM_JSON = "application/problem+json"
# No cookie is ever a credential here and no preflight passes, so a page of elsewhere reads what is public.
CORS: Mapping[str, str] = {"Access-Control-Allow-Origin": "*"}
# What a problem says of waiting when nobody knows better: long enough not to add to an overload.
RETRY_AFTER_SECONDS = 1


def ok(document: Wire, *, headers: Mapping[str, str] | None = None) -> Response:
    """200 with the document."""
    return Response(status=200, body=document.to_bytes(), headers=headers or {})


def problem_answer(error: DomainError, request: Request) -> Response:
    """The error as RFC 9457 says, with `Retry-After` where waiting helps."""
    row = CATALOGUE[error.code]
    document = Problem(
        type=type_url(error.code, base_url=request.base_url),
        title=row.title,
        status=row.status,
        detail=error.detail,
        instance=request.path,
        code=row.code,
        request_id=request.request_id,
        retryable=row.retryable,
        errors=_places(error),
    )
    return Response(
        status=row.status,
        body=document.to_bytes(),
        headers=_headers(error, row),
        media_type=PROBLEM_JSON,
    )


def etag(body: bytes) -> str:
    """A strong validator: equal exactly for equal bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _places(error: DomainError) -> tuple[ProblemError, ...] | None:
    if not isinstance(error, InvalidRequest):
        return None
    return tuple(ProblemError(pointer=each.pointer, detail=each.detail) for each in error.errors)


def _headers(error: DomainError, row: ProblemRow) -> Mapping[str, str]:
    headers = {}
    if row.retryable:
        headers["Retry-After"] = str(error.facts.get("retry_after", RETRY_AFTER_SECONDS))
    if "allow" in error.facts:
        headers["Allow"] = str(error.facts["allow"])
    if "scope" in error.facts:
        scope = error.facts["scope"]
        headers["WWW-Authenticate"] = f'{REALM}, error="insufficient_scope", scope="{scope}"'
    if error.code == InvalidProof.code:
        headers["WWW-Authenticate"] = (
            f'DPoP realm="zama-jobs", error="{error.code}", algs="{" ".join(ALGORITHMS)}"'
        )
    return headers
