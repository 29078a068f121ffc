"""Which of a tenant's jobs a list holds, and in which order: by job id, newest first.

An id begins with the millisecond in which its job was created, so a span of time is a range of ids and
nothing is scanned. Ids never change, so whatever is added or moves between two pages, no job that was there
at the start is skipped or shown twice. Jobs of one millisecond have an arbitrary order, always the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ulid.base32 import encode_timestamp

from chalicelib.domain.job import Job, Status

UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
# A ULID has 48 bits of time, which last until the year 10889.
LAST_MILLISECOND = 2**48 - 1
# Sorts after every id: a ULID's first character is at most 7.
AFTER_EVERY_ID = "job_8"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """What a list holds; None asks for nothing. Spans that meet neither overlap nor leave a gap.

    `created_after` is inclusive and `created_before` exclusive, as Replicate's parameters of these names are.
    """

    status: Status | None = None
    type: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None

    @property
    def first_id(self) -> str:
        """No id of the span sorts before this."""
        return _first_id_at(self.created_after) if self.created_after else "job_"

    @property
    def end_id(self) -> str:
        """Every id of the span sorts before this, and no id equals it."""
        return _first_id_at(self.created_before) if self.created_before else AFTER_EVERY_ID

    def matches(self, job: Job) -> bool:
        """Whether the list holds the job as it is now."""
        return (
            self.first_id <= job.ref.job_id < self.end_id
            and self.status in (None, job.status)
            and self.type in (None, job.type)
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Some jobs of a list, perhaps none. The next page begins after `position`; without one there is none."""

    jobs: Sequence[Job]
    position: str | None


def page_of(found: Sequence[Job], *, limit: int) -> Page:
    """The first `limit` of the jobs; that there was one more tells that there is a next page."""
    return Page(found[:limit], found[limit - 1].ref.job_id if len(found) > limit else None)


def unix_milliseconds(moment: datetime) -> int:
    """The millisecond in which the moment lies, counted from 1970.

    >>> unix_milliseconds(datetime(1970, 1, 1, 0, 0, 1, 1999, tzinfo=UTC))
    1001
    """
    return (moment - UNIX_EPOCH) // MILLISECOND


def ulid_time(milliseconds: int) -> str:
    """The ten characters with which each ULID of that millisecond begins.

    >>> ulid_time(0), ulid_time(2**48 - 1)
    ('0000000000', '7ZZZZZZZZZ')
    """
    return encode_timestamp(min(max(milliseconds, 0), LAST_MILLISECOND).to_bytes(6, "big"))


def _first_id_at(moment: datetime) -> str:
    """Rounded up: a job is shown at the beginning of its millisecond, and compared as it is shown."""
    return f"job_{ulid_time(-((UNIX_EPOCH - moment) // MILLISECOND))}"
