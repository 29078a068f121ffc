"""What can go wrong, in the domain's words. Wording and HTTP status live in `web.problems` alone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

# More than a person corrects at once, and few enough for an answer of any size limit.
ERRORS_AT_MOST = 100
POINTER_CHARACTERS = 256
DETAIL_CHARACTERS = 1024


class DomainError(Exception):
    """Carries a `code` of the problem catalogue and the facts that its sentence needs."""

    code: ClassVar[str]

    def __init__(self, detail: str, **facts: object) -> None:
        super().__init__(detail)
        self.detail = detail[:DETAIL_CHARACTERS]
        self.facts: Mapping[str, object] = facts


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with a request: a JSON Pointer to where, and what must change."""

    pointer: str
    detail: str

    @classmethod
    def at(cls, location: Iterable[int | str], detail: str) -> "FieldError":
        """With the location as a JSON Pointer (RFC 6901), cut short if it is endless.

        What would not be seen, or would act where it is shown, is written as in JSON text.

        >>> FieldError.at(("input", "a/b", 0), "no").pointer
        '/input/a~1b/0'
        >>> print(FieldError.at(("input", chr(7)), "no").pointer)
        /input/\\u0007
        """
        parts = (_visible(str(part)).replace("~", "~0").replace("/", "~1") for part in location)
        return cls("".join(f"/{part}" for part in parts)[:POINTER_CHARACTERS], detail[:DETAIL_CHARACTERS])


def _visible(name: str) -> str:
    """The name without control, format and other characters that have no glyph of their own."""
    shown = name[:POINTER_CHARACTERS]
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in shown)


class InvalidRequest(DomainError):
    """The request does not fit its schema; `errors` lists the first hundred things that are wrong."""

    code = "invalid_request"

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("The request does not match its schema; `errors` lists each place.")
        self.errors = errors[:ERRORS_AT_MOST]


class InvalidCursor(DomainError):
    """The cursor is not one that this list gave this tenant for this filter."""

    code = "invalid_cursor"


class MalformedJson(DomainError):
    """The body is not one JSON document."""

    code = "malformed_json"


class PayloadTooLarge(DomainError):
    """The body exceeds what this operation takes."""

    code = "payload_too_large"


class UnsupportedMediaType(DomainError):
    """The body's media type is not the one that this operation reads."""

    code = "unsupported_media_type"


class IdempotencyKeyMissing(DomainError):
    """Submitting without a key could make a job, and its cost, twice."""

    code = "idempotency_key_missing"


class IdempotencyKeyInvalid(DomainError):
    """The key is not 1 to 255 printable ASCII characters, or was given more than once."""

    code = "idempotency_key_invalid"


class IdempotencyKeyReused(DomainError):
    """The key was claimed by another request of this tenant."""

    code = "idempotency_key_reused"


class UnknownJobType(DomainError):
    """No job type of that name is offered."""

    code = "unknown_job_type"


class JobTypeUnavailable(DomainError):
    """The job type is offered by services that have what it needs, and this one has not."""

    code = "job_type_unavailable"


NO_SUCH_JOB = "No job of yours has this id."


class JobNotFound(DomainError):
    """No such job for this tenant: another tenant's job is indistinguishable from none."""

    code = "job_not_found"


class JobNotCancelable(DomainError):
    """The job is past the point of no return."""

    code = "job_not_cancelable"


class UploadNotReady(DomainError):
    """No such upload for this tenant has been sent: another tenant's is indistinguishable from none."""

    code = "upload_not_ready"


class ResultNotReady(DomainError):
    """The job has no result yet."""

    code = "result_not_ready"


class NoResult(DomainError):
    """The job ended without a result, and will never have one."""

    code = "no_result"


class InvoiceNotFound(DomainError):
    """There is no such month, or it has not begun."""

    code = "invoice_not_found"


class ActiveJobsExceeded(DomainError):
    """The tenant has as many unfinished jobs as its plan allows."""

    code = "active_jobs_exceeded"


class JobQuotaExceeded(DomainError):
    """The tenant's jobs of this period are used up."""

    code = "job_quota_exceeded"


class SpendCapExceeded(DomainError):
    """What the tenant's jobs of this period may cost leaves no room for what this one may."""

    code = "spend_cap_exceeded"


class TenantSuspended(DomainError):
    """The tenant may not submit until it is reinstated."""

    code = "tenant_suspended"


class InvalidToken(DomainError):
    """The credential is not a live access token of ours."""

    code = "invalid_token"


class InvalidProof(DomainError):
    """The request shows no proof that its sender has the key that the token is bound to."""

    code = "invalid_dpop_proof"


class TooManyAttempts(DomainError):
    """So many wrong credentials came from this address or for this client that none is looked at now."""

    code = "too_many_attempts"


class InsufficientScope(DomainError):
    """The token is valid and lacks the scope that this operation needs."""

    code = "insufficient_scope"


class Unavailable(DomainError):
    """A service that we need does not answer; nothing was decided, and a retry is safe."""

    code = "unavailable"


class Refused(Exception):
    """An act of administration that cannot be done as asked; the message says what to do instead."""


class Superseded(Exception):
    """A conditional write lost: the row is no longer what was read. Read again and decide anew."""


class LeaseHeld(Exception):
    """Another worker holds a live lease on this row."""


class ChainUnavailable(Exception):
    """The chain's node cannot be asked, or is not the chain that we are configured for."""


class NodeLags(ChainUnavailable):
    """Of several nodes behind one address, this one has not come as far as the one before it."""


class ConfirmationRejected(Exception):
    """The registry would revert this confirmation now (paused, role revoked); no nonce was used."""


class TooMuchGas(Exception):
    """The call needs more gas than one transaction may use; no nonce was used."""
