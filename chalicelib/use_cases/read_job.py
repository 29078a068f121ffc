"""Reading a job, at once or when there is news of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from chalicelib.domain.confirmation_view import SeenJob
from chalicelib.domain.errors import NO_SUCH_JOB, JobNotFound, Unavailable
from chalicelib.domain.job import Job, JobRef
from chalicelib.domain.seats import Seat, seats_to_try
from chalicelib.ports import Clock, Ids, Jobs, Seats
from chalicelib.use_cases.read_confirmation import ReadConfirmation

# A worker tells of its progress every half second, so looking more often would see the same.
LOOK_EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class GetJob:
    """A job as last committed; another tenant's is the same `JobNotFound` as none."""

    jobs: Jobs

    def __call__(self, ref: JobRef) -> Job:
        """The job."""
        job = self.jobs.get(ref)
        if job is None:
            raise JobNotFound(NO_SUCH_JOB)
        return job


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """The job, and whether its reader would have waited for it as long as asked."""

    seen: SeenJob
    is_honoured: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitJob:
    """A job once there is something to say of it, or once its reader has waited long enough.

    It looks again and again, for the tables are the truth and a message that a job has moved can be lost.
    Who finds no seat does not wait: a preference may be ignored (RFC 7240 §2), an execution is scarce.
    """

    get_job: GetJob
    read_confirmation: ReadConfirmation
    seats: Seats
    clock: Clock
    ids: Ids

    def __call__(self, ref: JobRef, *, is_news: Callable[[SeenJob], bool], at_most_seconds: float) -> Awaited:
        """The job when it is terminal or news, but after this time in any case; at once if there is none."""
        deadline = self.clock.monotonic() + at_most_seconds
        seen = self._look(ref)
        if at_most_seconds <= 0 or seen.job.is_terminal or is_news(seen):
            return Awaited(seen=seen)
        with self._seat(ref.tenant_id) as seat:
            if seat is None:
                return Awaited(seen=seen, is_honoured=False)
            while (left_seconds := deadline - self.clock.monotonic()) > 0:
                self.clock.pause(min(LOOK_EVERY_SECONDS, left_seconds))
                seen = self._look(ref)
                if seen.job.is_terminal or is_news(seen):
                    break
        return Awaited(seen=seen)

    def _look(self, ref: JobRef) -> SeenJob:
        (seen,) = self.read_confirmation([self.get_job(ref)])
        return seen

    @contextmanager
    def _seat(self, tenant_id: str) -> Iterator[Seat | None]:
        """One of the tenant's seats for as long as it is needed; None if there is none to be found."""
        seat = self._take_one(tenant_id)
        try:
            yield seat
        finally:
            if seat is not None:
                with suppress(Unavailable):
                    self.seats.give_back(seat)

    def _take_one(self, tenant_id: str) -> Seat | None:
        now = self.clock.now()
        with suppress(Unavailable):
            for seat in seats_to_try(tenant_id, now=now, salt=self.ids.salt()):
                if self.seats.take(seat, now=now):
                    return seat
        return None
