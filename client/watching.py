"""Waiting for jobs: by long polls where one is open, else as often as the service's `Retry-After` allows."""

from collections.abc import Iterator, Sequence

import httpx

from client.documents import JOB, ApiProblem, Job, retry_after_seconds, succeeded
from client.system import System

# The longest that the service waits with an answer; it may be less, and then it says so.
LONG_POLL_SECONDS = 20
# For answers that name no time of their own.
POLL_SECONDS = 1
# Connections that may be lost in a row, a second after each: a service that starts anew is there by then.
LOST_CONNECTIONS = 15


class StillRunning(Exception):
    """The jobs did not end in the time given; they go on, and can be waited for again."""


class Watch:
    """One job that is asked for again and again; `due` is when it may be asked for next."""

    def __init__(self, http: httpx.Client, system: System, job_id: str, *, deadline: float) -> None:
        self._http = http
        self._system = system
        self._deadline = deadline
        self._etag: str | None = None
        self._lost = 0
        self.job_id = job_id
        self.due = system.monotonic()

    def end(self) -> Job | None:
        """The job as soon as it has ended, or after a long poll, if the service has it to show."""
        self._await_turn()
        return self._look(self._patience())

    def change(self, *, is_last: bool) -> Job | None:
        """The job if it is not as it was seen last; only the last job is waited for with the answer."""
        self._await_turn()
        if self._etag is None:
            return self._look({})
        return self._look({"If-None-Match": self._etag, **(self._patience() if is_last else {})})

    def _await_turn(self) -> None:
        if self.due > self._deadline:
            raise StillRunning(f"{self.job_id} did not end in the time given.")
        self._system.pause(max(0.0, self.due - self._system.monotonic()))

    def _patience(self) -> dict[str, str]:
        left_seconds = int(min(LONG_POLL_SECONDS, self._deadline - self._system.monotonic()))
        return {"Prefer": f"wait={left_seconds}"} if left_seconds > 0 else {}

    def _look(self, headers: dict[str, str]) -> Job | None:
        """What the service calls retryable is no error here, and neither is a lost connection."""
        try:
            response = succeeded(self._http.get(f"/v1/jobs/{self.job_id}", headers=headers))
        except httpx.TransportError:
            self._lost += 1
            if self._lost > LOST_CONNECTIONS:
                raise
            self.due = self._system.monotonic() + POLL_SECONDS
            return None
        except ApiProblem as problem:
            if not problem.retryable:
                raise
            self.due = self._system.monotonic() + (problem.retry_after or POLL_SECONDS)
            return None
        self._lost = 0
        has_waited = "Preference-Applied" in response.headers
        pause_seconds = 0 if has_waited else retry_after_seconds(response) or POLL_SECONDS
        self.due = self._system.monotonic() + pause_seconds
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return None
        self._etag = response.headers.get("ETag")
        return JOB.validate_json(response.content)


def end_of(watch: Watch) -> Job:
    """The job once it is succeeded, failed or canceled; `StillRunning` when its time is up."""
    while True:
        job = watch.end()
        if job is not None and job.is_terminal:
            return job


def changes_of(watches: Sequence[Watch]) -> Iterator[Job]:
    """Each job as it is and then whenever it is seen to have changed, until all have ended."""
    still_open = list(watches)
    while still_open:
        watch = min(still_open, key=lambda each: each.due)
        job = watch.change(is_last=len(still_open) == 1)
        if job is not None:
            yield job
            if job.is_terminal:
                still_open.remove(watch)
