"""Submitting a job: one transaction decides, one message wakes a worker.

Phases: *admit* (claim, job, input, entitlements and usage event commit together), then *send*. A crash
between them leaves the job in the outbox for the sweep; a retry with the same key finds the claim.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import JsonValue, ValidationError

from chalicelib.domain import errors, idempotency, limits
from chalicelib.domain.entitlements import Plan, period_of
from chalicelib.domain.errors import FieldError
from chalicelib.domain.job import USUAL_DEADLINE, Job, JobRef, new_job, postpone
from chalicelib.domain.metering import events_of
from chalicelib.domain.payload import UploadedInput
from chalicelib.domain.prices import PriceBook
from chalicelib.domain.spend import most_micros
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.domain.upload_expiry import upload_has_expired
from chalicelib.job_types.contract import JobInput, JobType
from chalicelib.ports import Admission, Change, Clock, Ids, Jobs, Queue, Tenants, Uploads, Usage
from chalicelib.use_cases.estimate_wait import EstimateWait

OPERATION = "POST /v1/jobs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A submit as it arrived: `canonical_body` is its RFC 8785 JSON. With an `input_upload`, no `input`."""

    tenant_id: str
    idempotency_key: str
    type: str
    input: JsonValue
    input_upload: str | None = None
    path: ConfirmationPath = ConfirmationPath.DIRECT
    deadline: timedelta = USUAL_DEADLINE
    canonical_body: bytes
    trace_id: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The job that the key names and the answer's exact bytes, the same on every replay."""

    job_ref: JobRef
    body: bytes
    is_replay: bool
    retry_after_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitJob:
    """Guarantees one job a key and tenant, whatever is retried, raced or killed."""

    jobs: Jobs
    uploads: Uploads
    usage: Usage
    queue: Queue
    tenants: Tenants
    plans: Mapping[str, Plan]
    prices: PriceBook
    estimate_wait: EstimateWait
    job_types: Mapping[str, JobType]
    clock: Clock
    ids: Ids

    def __call__(
        self,
        submission: Submission,
        *,
        render: Callable[[Job], bytes],
        canonical: Callable[[JsonValue], bytes],
    ) -> Accepted:
        """`render` makes the answer's body, which is stored with the claim; `canonical` is RFC 8785."""
        job_type = job_type_of(self.job_types, submission.type)
        plan = self._plan_of(submission.tenant_id)
        now = self.clock.now()
        content = None if submission.input_upload else canonical(submission.input)
        job = self._new_job(submission, job_type, plan, now=now, inline_bytes=len(content or b""))
        claim = _claim(submission, job, body=render(job))
        (accepted,) = events_of(job, self.prices)
        admission = Admission(
            claim=claim,
            job=job,
            input=content,
            plan=plan,
            event=accepted,
        )
        holder = self._admit(admission, now=now)
        if holder.fingerprint != claim.fingerprint:
            raise errors.IdempotencyKeyReused(
                "This Idempotency-Key belongs to another request. Use a fresh key for a new job."
            )
        if holder.job_ref == job.ref:
            self._send(job)
        return Accepted(
            job_ref=holder.job_ref,
            body=holder.response_body,
            is_replay=holder.job_ref != job.ref,
            retry_after_seconds=self.estimate_wait.until_one_starts(submission.tenant_id),
        )

    def _new_job(
        self, submission: Submission, job_type: JobType, plan: Plan, *, now: datetime, inline_bytes: int
    ) -> Job:
        job = new_job(
            JobRef(submission.tenant_id, self.ids.new_id("job_", at=now)),
            job_type=job_type.name,
            type_version=job_type.version,
            plan=plan.name,
            now=now,
            trace_id=submission.trace_id,
            request_id=submission.request_id,
            path=submission.path,
            inline_bytes=inline_bytes,
            deadline=submission.deadline,
            cost_units=_cost_units(job_type, submission),
        )
        job = self._reserving(replace(job, price_version=self.prices.in_force(now).name), job_type)
        if submission.input_upload is not None:
            uploaded = self._uploaded_input(submission.input_upload, job, plan)
            job = self._reserving(replace(job, uploaded_input=uploaded), job_type)
        return job

    def _reserving(self, job: Job, job_type: JobType) -> Job:
        return replace(job, reserved_micros=most_micros(job, self.prices, most_units=job_type.most_units))

    def _uploaded_input(self, upload_id: str, job: Job, plan: Plan) -> UploadedInput:
        """What was kept of an upload lasts longer than the upload: a replayed submit still finds it."""
        tenant_id, now = job.ref.tenant_id, job.created_at
        uploaded = self.uploads.kept(tenant_id, upload_id)
        if uploaded is None and not upload_has_expired(upload_id, now=now):
            # A refused submit would leave the copy, for months and for nothing.
            refusal = self._refusal(job, plan)
            # Of two with one key, one may have been accepted meanwhile: then the other is its replay.
            uploaded = self.uploads.kept(tenant_id, upload_id) if refusal else None
            if refusal and not uploaded:
                raise refusal
            uploaded = uploaded or self.uploads.keep(tenant_id, upload_id)
        if uploaded is None:
            raise errors.UploadNotReady("No upload of yours with this id has been sent, or it has expired.")
        return uploaded

    def _refusal(self, job: Job, plan: Plan) -> errors.DomainError | None:
        """Why there is no room for the job now; whether there is, its admission decides."""
        counts, now = self.usage.counts(job.ref.tenant_id, period=period_of(job.created_at)), job.created_at
        refusal = limits.refusal(plan, counts, needed_micros=job.reserved_micros, now=now)
        return refusal and self._told(refusal, job.ref.tenant_id)

    def _plan_of(self, tenant_id: str) -> Plan:
        tenant = self.tenants.get(tenant_id)
        if tenant is None or tenant.is_suspended:
            raise errors.TenantSuspended("This tenant may not submit jobs; ask your administrator.")
        return self.plans[tenant.plan]

    def _admit(self, admission: Admission, *, now: datetime) -> idempotency.Claim:
        try:
            return self.jobs.admit(admission, now=now)
        except errors.ActiveJobsExceeded as refused:
            raise self._told(refused, admission.claim.tenant_id) from refused

    def _told(self, refused: errors.DomainError, tenant_id: str) -> errors.DomainError:
        """The refusal, with how long to wait for the end of a job if that is what it takes."""
        if not isinstance(refused, errors.ActiveJobsExceeded):
            return refused
        wait = self.estimate_wait.until_one_ends(tenant_id)
        return errors.ActiveJobsExceeded(refused.detail, **{**refused.facts, "retry_after": wait})

    def _send(self, job: Job) -> None:
        """The job is accepted already, so trouble here is the sweep's, not the caller's."""
        try:
            self.queue.wake_runner(job.ref, trace_id=job.trace_id)
            self.jobs.save([Change(job, postpone(job, now=self.clock.now()))])
        except (errors.Unavailable, errors.Superseded):
            return


def _claim(submission: Submission, job: Job, *, body: bytes) -> idempotency.Claim:
    return idempotency.Claim(
        tenant_id=submission.tenant_id,
        operation=OPERATION,
        key=submission.idempotency_key,
        fingerprint=idempotency.fingerprint(OPERATION, submission.canonical_body),
        job_ref=job.ref,
        response_body=body,
        expires_at=job.created_at + idempotency.KEPT_FOR,
    )


def _cost_units(job_type: JobType, submission: Submission) -> int | None:
    """What the run will cost; an uploaded input is the worker's to validate, and to find the cost of."""
    if submission.input_upload is not None:
        return None
    return job_type.cost(validate_input(job_type, submission.input))


def job_type_of(job_types: Mapping[str, JobType], name: str) -> JobType:
    """The job type of this name, which can be run here, or `UnknownJobType` or `JobTypeUnavailable`."""
    if name not in job_types:
        raise errors.UnknownJobType(f"The job types are {', '.join(sorted(job_types))}.")
    if not job_types[name].is_available:
        raise errors.JobTypeUnavailable(f"This service runs without {job_types[name].requires}.")
    return job_types[name]


def validate_input(job_type: JobType, job_input: JsonValue) -> JobInput:
    """The typed input, or every reason why there is none."""
    try:
        return job_type.input_model.model_validate(job_input)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        raise errors.InvalidRequest(
            tuple(FieldError.at(("input", *problem["loc"]), problem["msg"]) for problem in problems)
        ) from error
