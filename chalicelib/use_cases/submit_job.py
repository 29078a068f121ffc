"""Submitting a job: one transaction decides, one message wakes a worker.

Phases: *admit* (claim, job, input, entitlements and usage event commit together), then *send*. A crash
between them leaves the job in the outbox for the sweep; a retry with the same key finds the claim.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue, ValidationError

from chalicelib.domain import errors, idempotency
from chalicelib.domain.entitlements import Plan
from chalicelib.domain.errors import FieldError
from chalicelib.domain.job import Job, JobRef, new_job, postpone
from chalicelib.domain.metering import job_accepted
from chalicelib.domain.prices import PriceBook
from chalicelib.job_types.contract import JobInput, JobType
from chalicelib.ports import Admission, Change, Clock, Ids, Jobs, Queue, Tenants

OPERATION = "POST /v1/jobs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A submit as it arrived: `canonical_body` is RFC 8785 JSON of {type, input}."""

    tenant_id: str
    idempotency_key: str
    type: str
    input: JsonValue
    canonical_body: bytes
    trace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The job that the key names and the answer's exact bytes, the same on every replay."""

    job_ref: JobRef
    body: bytes
    is_replay: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitJob:
    """Guarantees one job a key and tenant, whatever is retried, raced or killed."""

    jobs: Jobs
    queue: Queue
    tenants: Tenants
    plans: Mapping[str, Plan]
    prices: PriceBook
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
        self._validate(submission)
        plan = self._plan_of(submission.tenant_id)
        now = self.clock.now()
        ref = JobRef(submission.tenant_id, self.ids.new_id("job_"))
        job = new_job(ref, job_type=submission.type, now=now, trace_id=submission.trace_id)
        claim = idempotency.Claim(
            tenant_id=submission.tenant_id,
            operation=OPERATION,
            key=submission.idempotency_key,
            fingerprint=idempotency.fingerprint(OPERATION, submission.canonical_body),
            job_ref=ref,
            response_body=render(job),
            expires_at=now + idempotency.KEPT_FOR,
        )
        holder = self.jobs.admit(
            Admission(
                claim=claim,
                job=job,
                input=canonical(submission.input),
                plan=plan,
                event=job_accepted(job, self.prices),
            ),
            now=now,
        )
        if holder.fingerprint != claim.fingerprint:
            raise errors.IdempotencyKeyReused(
                "This Idempotency-Key belongs to another request. Use a fresh key for a new job."
            )
        if holder.job_ref == ref:
            self._send(job)
        return Accepted(job_ref=holder.job_ref, body=holder.response_body, is_replay=holder.job_ref != ref)

    def _validate(self, submission: Submission) -> None:
        validate_input(self.job_types, submission.type, submission.input)

    def _plan_of(self, tenant_id: str) -> Plan:
        tenant = self.tenants.get(tenant_id)
        if tenant is None or tenant.suspended:
            raise errors.TenantSuspended("This tenant may not submit jobs; ask your administrator.")
        return self.plans[tenant.plan]

    def _send(self, job: Job) -> None:
        """The job is accepted already, so trouble here is the sweep's, not the caller's."""
        try:
            self.queue.wake_runner(job.ref)
            self.jobs.save([Change(job, postpone(job, now=self.clock.now()))])
        except (errors.Unavailable, errors.Superseded):
            return


def validate_input(job_types: Mapping[str, JobType], type_name: str, job_input: JsonValue) -> JobInput:
    """The typed input, or every reason why there is none."""
    job_type = job_types.get(type_name)
    if job_type is None:
        raise errors.UnknownJobType(f"The job types are {', '.join(sorted(job_types))}.")
    try:
        return job_type.input_model.model_validate(job_input)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        raise errors.InvalidRequest(
            tuple(FieldError.at(("input", *problem["loc"]), problem["msg"]) for problem in problems)
        ) from error
