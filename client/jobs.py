"""The HTTP API as methods, one a route; an answer of 400 or more is raised as `ApiProblem`."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from types import TracebackType
from typing import Any, Self

import httpx

from client.documents import (
    JOB,
    JOBS_PAGE,
    STORED_RESULT,
    ConfirmationPath,
    Job,
    Result,
    Status,
    StoredResult,
    Submitted,
    succeeded,
)
from client.oauth import ClientCredentials
from client.payloads import UPLOAD, Content, announcement, checked, opened
from client.system import System
from client.usage import INVOICE, JOB_TYPES, USAGE, Invoice, JobTypes, Usage
from client.watching import Watch, changes_of, end_of

# The gateway gives up after 29 seconds and says so; a client that waits less would not know.
TIMEOUT_SECONDS = 30.0
# A confirmation takes seconds; after ten minutes something is wrong that waiting does not cure.
WAIT_SECONDS = 600.0
# For URLs of the object store: each is its own credential, and two are refused.
NO_TOKEN = httpx.Auth()


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
        self,
        job_type: str,
        job_input: Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
        confirmation: ConfirmationPath | None = None,
        deadline_seconds: int | None = None,
    ) -> Submitted:
        """The job of this key: a new one, or the one that an earlier request with the key made.

        What is None is the service's to choose: how the job is confirmed, and its deadline.
        """
        wanted = {"confirmation": confirmation, "deadline_seconds": deadline_seconds}
        return self._submit({"type": job_type, "input": job_input, **wanted}, idempotency_key)

    def submit_uploaded(
        self,
        job_type: str,
        upload_id: str,
        *,
        idempotency_key: str | None = None,
        confirmation: ConfirmationPath | None = None,
        deadline_seconds: int | None = None,
    ) -> Submitted:
        """As `submit`, with an input that was uploaded; to repeat it, name the same upload."""
        wanted = {"confirmation": confirmation, "deadline_seconds": deadline_seconds}
        return self._submit({"type": job_type, "input_upload": upload_id, **wanted}, idempotency_key)

    def _submit(self, wanted: Mapping[str, Any], idempotency_key: str | None) -> Submitted:
        key = idempotency_key or self._system.new_idempotency_key()
        body = {name: value for name, value in wanted.items() if value is not None}
        response = self._http.post("/v1/jobs", json=body, headers={"Idempotency-Key": key})
        job = JOB.validate_json(succeeded(response).content)
        return Submitted(job, replayed=response.headers.get("Idempotent-Replayed") == "true")

    def upload(self, content: Content) -> str:
        """The id of an upload of exactly these bytes: an input's JSON, too large to send with a submit.

        A file is read twice and never held: for its hash, and to send it.
        """
        with opened(content) as file:
            announced = self._http.post("/v1/uploads", json=announcement(file))
            upload = UPLOAD.validate_json(succeeded(announced).content)
            headers = upload.signed_headers
            succeeded(self._http.put(upload.url, headers=headers, content=file, auth=NO_TOKEN))
        return upload.id

    def get(self, job_id: str) -> Job:
        """The job as last committed."""
        return JOB.validate_json(self._read(job_id).content)

    def list(
        self,
        *,
        status: Status | None = None,
        job_type: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        page_size: int | None = None,
    ) -> Iterator[Job]:
        """The tenant's jobs, newest first; each page is asked for when its first job is.

        Times need an offset; `created_after` itself is included, `created_before` is not.
        """
        asked = {
            "status": status,
            "type": job_type,
            "created_after": created_after and created_after.isoformat(),
            "created_before": created_before and created_before.isoformat(),
            "limit": page_size,
        }
        parameters = {name: str(value) for name, value in asked.items() if value is not None}
        while True:
            response = succeeded(self._http.get("/v1/jobs", params=parameters))
            page = JOBS_PAGE.validate_json(response.content)
            yield from page.data
            if page.next_cursor is None:
                return
            parameters["cursor"] = page.next_cursor

    def cancel(self, job_id: str) -> Job:
        """The canceled job; repeating the call gives the same."""
        return JOB.validate_json(succeeded(self._http.post(f"/v1/jobs/{job_id}/cancel")).content)

    def result(self, job_id: str) -> Result:
        """The result of a job that is `confirming` or `succeeded`, whole however large."""
        stored = self.stored_result(job_id)
        return Result(
            job_id=stored.job_id,
            content=b"".join(self.content_of(stored)).decode(),
            sha256=stored.sha256,
            salt=stored.salt,
            commitment=stored.commitment,
        )

    def stored_result(self, job_id: str) -> StoredResult:
        """The same as the service has it; a large one's bytes are still to be fetched."""
        return STORED_RESULT.validate_json(succeeded(self._http.get(f"/v1/jobs/{job_id}/result")).content)

    def content_of(self, stored: StoredResult) -> Iterator[bytes]:
        """Its bytes as they come; after the last, `WrongContent` is raised unless they are the announced."""
        return checked(self._chunks(stored), sha256=stored.sha256, size_bytes=stored.size_bytes)

    def _chunks(self, stored: StoredResult) -> Iterator[bytes]:
        if stored.download_url is None:
            yield (stored.content or "").encode()
            return
        with self._http.stream("GET", stored.download_url, auth=NO_TOKEN) as response:
            if response.is_error:
                response.read()
            yield from succeeded(response).iter_bytes()

    def job_types(self) -> JobTypes:
        """What can be submitted."""
        return JOB_TYPES.validate_json(succeeded(self._http.get("/v1/job-types")).content)

    def usage(self, first: date | None = None, last: date | None = None) -> Usage:
        """What was used on these days (UTC), both included; by default, this month up to today."""
        asked = {"from": first, "to": last}
        parameters = {name: str(day) for name, day in asked.items() if day is not None}
        return USAGE.validate_json(succeeded(self._http.get("/v1/usage", params=parameters)).content)

    def invoice(self, period: str) -> Invoice:
        """The invoice of a month, such as 2026-11."""
        return INVOICE.validate_json(succeeded(self._http.get(f"/v1/invoices/{period}")).content)

    def invoice_page(self, period: str) -> bytes | None:
        """The same as a page to print, in HTML; None of a service that has none."""
        response = self._http.get(f"/v1/invoices/{period}", headers={"Accept": "text/html"})
        is_page = succeeded(response).headers.get("Content-Type", "").startswith("text/html")
        return response.content if is_page else None

    def wait(self, job_id: str, *, timeout_seconds: float = WAIT_SECONDS) -> Job:
        """The job once it is succeeded, failed or canceled, by long polls.

        What the service calls retryable is retried, and so are lost connections. Raises `StillRunning` when
        the time is up.
        """
        return end_of(self._watch(job_id, timeout_seconds))

    def follow(self, *job_ids: str, timeout_seconds: float = WAIT_SECONDS) -> Iterator[Job]:
        """Each job as it is and then whenever it is seen to have changed, until all have ended.

        Retries and raises as `wait` does.
        """
        return changes_of([self._watch(job_id, timeout_seconds) for job_id in job_ids])

    def _watch(self, job_id: str, timeout_seconds: float) -> Watch:
        deadline = self._system.monotonic() + timeout_seconds
        return Watch(self._http, self._system, job_id, deadline=deadline)

    def _read(self, job_id: str) -> httpx.Response:
        return succeeded(self._http.get(f"/v1/jobs/{job_id}"))
