"""Documents and errors as answers: every answer of a function is made here."""

import hashlib
from collections.abc import Mapping

from chalicelib.domain.access_token import Scheme
from chalicelib.domain.errors import DomainError, InsufficientScope, InvalidProof, InvalidRequest
from chalicelib.domain.limits import Limit
from chalicelib.web.challenges import challenge
from chalicelib.web.http import Request, Response
from chalicelib.web.problem import Problem as ProblemRow
from chalicelib.web.problem import type_url
from chalicelib.web.problems import CATALOGUE
from chalicelib.web.schemas.base import Wire
from chalicelib.web.schemas.service import Problem, ProblemError, ProblemLimit

PROBLEM_JSON = "application/problem+json"
ON_EVERY_ANSWER: Mapping[str, str] = {
    # No cookie is ever a credential here and no preflight passes, so a page of elsewhere reads the public.
    "Access-Control-Allow-Origin": "*",
    # Tenants' documents, tokens and signed links: no cache keeps them. A client that has an ETag may send it.
    "Cache-Control": "no-store",
    # A browser takes JSON for nothing else, whatever a tenant wrote in it.
    "X-Content-Type-Options": "nosniff",
}
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
        limit=_limit(error),
    )
    return Response(
        status=row.status,
        body=document.to_bytes(),
        headers=_headers(error, row, request),
        media_type=PROBLEM_JSON,
    )


def etag(body: bytes) -> str:
    """A strong validator: equal exactly for equal bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _places(error: DomainError) -> tuple[ProblemError, ...] | None:
    if not isinstance(error, InvalidRequest):
        return None
    return tuple(ProblemError(pointer=each.pointer, detail=each.detail) for each in error.errors)


def _limit(error: DomainError) -> ProblemLimit | None:
    limit = error.facts.get("limit")
    if not isinstance(limit, Limit):
        return None
    return ProblemLimit(
        name=limit.name.value,
        allowed=str(limit.allowed),
        used=str(limit.used),
        needed=str(limit.needed),
        resets_at=limit.resets_at,
    )


def _headers(error: DomainError, row: ProblemRow, request: Request) -> Mapping[str, str]:
    headers = {}
    if row.retryable:
        headers["Retry-After"] = str(error.facts.get("retry_after", RETRY_AFTER_SECONDS))
    if "allow" in error.facts:
        headers["Allow"] = str(error.facts["allow"])
    if isinstance(error, InsufficientScope) and request.caller is not None:
        headers["WWW-Authenticate"] = challenge(
            request.caller.scheme, error=error.code, scope=str(error.facts["scope"])
        )
    if isinstance(error, InvalidProof):
        headers["WWW-Authenticate"] = challenge(Scheme.DPOP, error=error.code)
    return headers
