"""The HTTP API as methods, one a route; an answer of 400 or more is raised as `ApiProblem`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from client.documents import JOB, RESULT, ApiProblem, Job, Result, Submitted, retry_after_seconds, succeeded
from client.oauth import ClientCredentials
from client.system import System

# The gateway gives up after 29 seconds and says so; a client that waits less would not know.
TIMEOUT_SECONDS = 30.0
# For answers that name no time of their own.
POLL_SECONDS = 1
# A confirmation takes seconds; after ten minutes something is wrong that waiting does not cure.
WAIT_SECONDS = 600.0


class StillRunning(Exception):
    """The jobs did not end in the time given; they go on, and can be waited for again."""


class JobsClient:
    """One client of one tenant; may be shared between threads.

    A request is never repeated behind the caller's back, except with a fresh token when the service refuses
    the one it had, and except polls. To retry a submit, pass the same `idempotency_key`.
    """

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: str,
        *,
        transport: httpx.BaseTransport | None = None,
        system: System | None = None,
    ) -> None:
        self._system = system or System()
        token_url = f"{base_url}/v1/oauth/token"
        self._http = httpx.Client(
            base_url=base_url,
            auth=ClientCredentials(token_url, client_id, client_secret, self._system),
            timeout=TIMEOUT_SECONDS,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def submit(
        self, job_type: str, job_input: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> Submitted:
        """The job of this key: a new one, or the one that an earlier request with the key made."""
        key = idempotency_key or self._system.new_idempotency_key()
        response = self._http.post(
            "/v1/jobs", json={"type": job_type, "input": job_input}, headers={"Idempotency-Key": key}
        )
        job = JOB.validate_json(succeeded(response).content)
        return Submitted(job, replayed=response.headers.get("Idempotent-Replayed") == "true")

    def get(self, job_id: str) -> Job:
        """The job as last committed."""
        return JOB.validate_json(self._read(job_id).content)

    def cancel(self, job_id: str) -> Job:
        """The canceled job; repeating the call gives the same."""
        return JOB.validate_json(succeeded(self._http.post(f"/v1/jobs/{job_id}/cancel")).content)

    def result(self, job_id: str) -> Result:
        """The result of a job that is `confirming` or `succeeded`."""
        return RESULT.validate_json(succeeded(self._http.get(f"/v1/jobs/{job_id}/result")).content)

    def wait(
        self,
        job_id: str,
        on_progress: Callable[[Job], None] | None = None,
        *,
        timeout_seconds: float = WAIT_SECONDS,
    ) -> Job:
        """The job once it is succeeded, failed or canceled; `on_progress` sees it at every poll."""
        for job in self.follow(job_id, timeout_seconds=timeout_seconds):
            if on_progress:
                on_progress(job)
        return job

    def follow(self, *job_ids: str, timeout_seconds: float = WAIT_SECONDS) -> Iterator[Job]:
        """Each job at every poll, as often as the service's `Retry-After` allows, until all have ended.

        What the service calls retryable is retried. Raises `StillRunning` when the time is up.
        """
        deadline = self._system.monotonic() + timeout_seconds
        open_ids = list(job_ids)
        while True:
            polls = [self._poll(job_id) for job_id in open_ids]
            yield from (poll.job for poll in polls if poll.job)
            open_ids = [poll.job_id for poll in polls if poll.job is None or not poll.job.is_terminal]
            if not open_ids:
                return
            again_after = max(poll.again_after_seconds for poll in polls)
            if self._system.monotonic() + again_after > deadline:
                raise StillRunning(f"{', '.join(open_ids)} did not end in {timeout_seconds:.0f} seconds.")
            self._system.pause(again_after)

    def _poll(self, job_id: str) -> "_Poll":
        try:
            response = self._read(job_id)
        except ApiProblem as problem:
            if not problem.retryable:
                raise
            return _Poll(job_id, None, problem.retry_after or POLL_SECONDS)
        job = JOB.validate_json(response.content)
        return _Poll(job_id, job, retry_after_seconds(response) or POLL_SECONDS)

    def _read(self, job_id: str) -> httpx.Response:
        return succeeded(self._http.get(f"/v1/jobs/{job_id}"))


@dataclass(frozen=True, slots=True)
class _Poll:
    """What one poll saw: the job, unless the service had none to show just now."""

    job_id: str
    job: Job | None
    again_after_seconds: int
