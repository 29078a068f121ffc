"""A list of jobs: what may be asked, and what is answered."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from chalicelib.domain.confirmation_view import SeenJob
from chalicelib.domain.errors import FieldError, InvalidRequest
from chalicelib.domain.job import Status
from chalicelib.domain.listing import JobFilter
from chalicelib.job_types import JOB_TYPES
from chalicelib.use_cases.list_jobs import LARGEST_LIMIT
from chalicelib.web.http import Request
from chalicelib.web.schemas.base import LARGEST_INTEGER, Url, Wire
from chalicelib.web.schemas.jobs import Job, job_view

# RFC 3339, with the years and the fractions that a datetime holds exactly.
INSTANT = re.compile(
    r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-][0-2][0-9]:[0-5][0-9])"
)
WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,19}")
# More than any page has is the largest page; beyond this it is no number that JSON keeps exactly.
LIMIT_AT_MOST = LARGEST_INTEGER


def _whole_number(text: str) -> int:
    if not WHOLE_NUMBER.fullmatch(text):
        raise PydanticCustomError("whole_number", "Input should be a whole number")
    return int(text)


def _instant(text: str) -> datetime:
    try:
        if INSTANT.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:  # such as the 30th of February
        pass
    raise PydanticCustomError("instant", "Input should be an instant of RFC 3339: 2026-11-23T05:00:00Z")


def _known_type(text: str) -> str:
    if text not in JOB_TYPES:
        known = " or ".join(f"'{name}'" for name in sorted(JOB_TYPES))
        raise PydanticCustomError("job_type", "Input should be {known}", {"known": known})
    return text


Instant = Annotated[datetime, BeforeValidator(_instant)]


class JobsQuery(BaseModel):
    """The query parameters; which there are is the operation's to say."""

    model_config = ConfigDict(frozen=True)

    limit: Annotated[int, BeforeValidator(_whole_number), Field(ge=0, le=LIMIT_AT_MOST)] = 0
    cursor: str | None = None
    status: Status | None = None
    type: Annotated[str, BeforeValidator(_known_type)] | None = None
    created_after: Instant | None = None
    created_before: Instant | None = None

    @property
    def filter(self) -> JobFilter:
        """What of it the jobs are chosen by."""
        return JobFilter(
            status=self.status,
            type=self.type,
            created_after=self.created_after,
            created_before=self.created_before,
        )


def parse_query(request: Request) -> JobsQuery:
    """The query, or `InvalidRequest` with every parameter that is wrong, unknown or there twice."""
    wrong = request.wrong_parameters(JobsQuery.model_fields)
    try:
        query = JobsQuery.model_validate({name: values[0] for name, values in request.query.items()})
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        wrong += tuple(FieldError.at(("query", *e["loc"]), e["msg"]) for e in found)
    if wrong:
        raise InvalidRequest(wrong)
    return query


class JobList(Wire):
    """One page of jobs, newest first. While there is a `next_cursor`, a page may be short, even empty."""

    object: Literal["list"] = "list"
    data: Annotated[tuple[Job, ...], Field(max_length=LARGEST_LIMIT)]
    has_more: bool
    next_cursor: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$", max_length=128)] | None
    url: Url


def job_list(jobs: Sequence[SeenJob], *, next_cursor: str | None, base_url: str) -> JobList:
    """The page as its tenant sees it."""
    return JobList(
        data=tuple(job_view(job, base_url=base_url) for job in jobs),
        has_more=next_cursor is not None,
        next_cursor=next_cursor,
        url=f"{base_url}/v1/jobs",
    )
