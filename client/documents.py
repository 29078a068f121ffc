"""What the API answers, as values.

Members that an older version of the API lacks are None; those that a later one adds are in `document` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import httpx
from pydantic import BeforeValidator, Field, TypeAdapter

from client.plan_limit import PLAN_LIMIT, PlanLimit

Word = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A value that keeps what the API sent for it, whole."""

    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


def _beside_itself(sent: Any) -> Any:
    return {**sent, "document": sent} if isinstance(sent, dict) else sent


# For the type adapters of documents: `document` is the parsed JSON, its integers exact.
AS_SENT = BeforeValidator(_beside_itself)


class Status(StrEnum):
    """Where a job is: queued → running → confirming → succeeded, or failed, or canceled."""

    QUEUED = "queued"
    RUNNING = "running"
    CONFIRMING = "confirming"  # the result is there; its hash is not yet final on the chain
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


TERMINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELED})


@dataclass(frozen=True, slots=True)
class Progress:
    """Steps done of the steps that there are to do."""

    completed: int
    total: int


class ConfirmationPath(StrEnum):
    """How a job's commitment gets on the chain."""

    DIRECT = "direct"  # in a slot of its own, which contracts can read
    COMPACT = "compact"  # by one root for a whole batch, and a proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What proves that a compact batch holds the job; see the registry's published interface."""

    word: Word
    bit: Annotated[int, Field(ge=0, le=255)]
    mask: Word
    root: Word
    siblings: tuple[Word, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Where on which chain the service says that the result's commitment is recorded, or how far that is.

    `state` goes from `pending` over `broadcast` and `mined` to `final`, and back while it is not `final`.
    What is not known yet is None, and `depth` 0; gas and a compact job's proof are known when it is `final`.
    """

    path: str
    state: str
    chain_id: int
    registry: str
    job_key: str
    transaction_hash: str | None
    block_number: int | None
    depth: int
    gas_used: int | None
    gas_price_wei: int | None
    proof: Proof | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """Compute units: what the whole run was estimated to take, if that is known, and what it has used."""

    estimated_units: int | None
    used_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Document):
    """A job as last committed. `version` rises by one with each status; `error` says why a job failed.

    `entered` has the time at which the job entered each of its states. From `confirming` on it has a
    `confirmation`. It must have begun by `deadline_at`, or it fails unbilled.
    """

    id: str
    type: str
    status: Status
    version: int
    created_at: datetime
    entered: Mapping[Status, datetime]
    progress: Progress | None
    confirmation: Confirmation | None
    error: Mapping[str, Any] | None
    url: str
    type_version: int | None = None
    deadline_at: datetime | None = None
    compute: Compute | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether the job can never change again."""
        return self.status in TERMINAL


@dataclass(frozen=True, slots=True)
class Submitted:
    """The job that a key names; `replayed` when an earlier request made it."""

    job: Job
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The exact text that was hashed, with what it takes to check it."""

    job_id: str
    content: str
    sha256: str
    salt: str
    commitment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult(Document):
    """A result as the service keeps it: its text, or, where that is large, a link that needs no token."""

    job_id: str
    content: str | None
    size_bytes: int
    download_url: str | None
    sha256: str
    salt: str
    commitment: str


@dataclass(frozen=True, slots=True)
class JobsPage:
    """Some jobs of a list, perhaps none; with a `next_cursor` there may be more."""

    data: tuple[Annotated[Job, AS_SENT], ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class FieldError:
    """One place of the request that is wrong: a JSON Pointer, and why."""

    pointer: str
    detail: str


@dataclass(slots=True, eq=False, kw_only=True)
class ApiProblem(Exception):
    """An answer of 400 or more (RFC 9457). `retryable`: the same request with the same key may succeed.

    `retry_after` is in seconds; `limit` is the plan's that has no room for a submit; `type` is where the
    problem is explained; `document` is what was sent. The token endpoint's errors (RFC 6749) have the same
    shape here.
    """

    status: int
    code: str
    detail: str
    title: str = ""
    type: str = ""
    retryable: bool = False
    errors: tuple[FieldError, ...] = ()
    request_id: str | None = None
    retry_after: int | None = None
    limit: PlanLimit | None = None
    document: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.detail}"


JOB: TypeAdapter[Job] = TypeAdapter(Annotated[Job, AS_SENT])
JOBS_PAGE = TypeAdapter(JobsPage)
STORED_RESULT: TypeAdapter[StoredResult] = TypeAdapter(Annotated[StoredResult, AS_SENT])
_FIELD_ERRORS = TypeAdapter(tuple[FieldError, ...])


def succeeded(response: httpx.Response) -> httpx.Response:
    """The response if it is no error; else raises it as `ApiProblem`."""
    if response.status_code < 400:
        return response
    body = _object(response)
    raise ApiProblem(
        status=response.status_code,
        code=str(body.get("code") or body.get("error") or "no_problem_document"),
        detail=str(body.get("detail") or body.get("error_description") or response.reason_phrase),
        title=str(body.get("title", "")),
        type=str(body.get("type", "")),
        retryable=body.get("retryable") is True,
        errors=_FIELD_ERRORS.validate_python(body.get("errors", ())),
        request_id=response.headers.get("Request-Id"),
        retry_after=retry_after_seconds(response),
        limit=PLAN_LIMIT.validate_python(body.get("limit")),
        document=body,
    )


def retry_after_seconds(response: httpx.Response) -> int | None:
    """The header's seconds; this API never sends a date."""
    text = response.headers.get("Retry-After", "")
    return int(text) if text.isdecimal() else None


def _object(response: httpx.Response) -> Mapping[str, Any]:
    """The body's members; none if it is something else, such as a proxy's page."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
