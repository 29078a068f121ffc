"""Problems and their pages, and the service's health."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.domain.errors import ERRORS_AT_MOST, POINTER_CHARACTERS
from chalicelib.domain.limits import LimitName
from chalicelib.web.schemas.base import Sparse, Timestamp, Url, WholeNumber, Wire, open_enum

Title = Annotated[str, Field(max_length=128)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
ErrorStatus = Annotated[int, Field(ge=400, le=599)]


class ProblemError(Wire):
    """One place of the request that is wrong: a JSON Pointer (RFC 6901), and why."""

    pointer: Annotated[str, Field(max_length=POINTER_CHARACTERS)]
    detail: Annotated[str, Field(max_length=1024)]


class ProblemLimit(Wire):
    """The limit of the plan that has no room: it allows so much, of which so much is used."""

    name: Annotated[str, open_enum(*LimitName)]
    allowed: WholeNumber
    used: WholeNumber
    needed: WholeNumber
    resets_at: Timestamp | None


class Problem(Sparse):
    """An error (RFC 9457), whoever answers: the gateway, the authorizer or a function."""

    type: Url
    title: Title
    status: ErrorStatus
    detail: Annotated[str, Field(max_length=1024)]
    # A path, of at most the request line's length that the gateway takes.
    instance: Annotated[str, Field(max_length=16_384)]
    code: Code
    request_id: Annotated[str, Field(max_length=64)]
    retryable: bool
    errors: Annotated[tuple[ProblemError, ...], Field(max_length=ERRORS_AT_MOST)] | None = None
    limit: ProblemLimit | None = None


class ProblemPage(Wire):
    """What a problem's code means, and what to do about it."""

    type: Url
    code: Code
    status: ErrorStatus
    title: Title
    retryable: bool
    advice: Annotated[str, Field(max_length=512)]


class Health(Wire):
    """The function runs; nothing is said of the services behind it."""

    status: Literal["ok"] = "ok"
