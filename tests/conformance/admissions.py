"""Jobs as a submit makes them, for whatever stores them."""

from datetime import datetime

from chalicelib.adapters.system import RandomIds
from chalicelib.domain import job as domain
from chalicelib.domain.entitlements import Plan
from chalicelib.domain.idempotency import KEPT_FOR, Claim
from chalicelib.domain.job import Job, JobRef
from chalicelib.domain.metering import UsageEvent, events_of
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.ports import Admission, Jobs
from tests.unit.world import PRICES, START

PLAN = Plan(name="test", jobs_per_month=5, active_jobs=3, spend_cap_micros=10**12, currency="USD")
IDS = RandomIds()


def admission(
    tenant: str, key: str = "k", *, body: bytes = b"{}", plan: Plan = PLAN, now: datetime = START
) -> Admission:
    job = domain.new_job(
        JobRef(tenant, IDS.new_id("job_")),
        job_type="sha256.chain",
        plan=plan.name,
        now=now,
        trace_id="t",
        request_id="r",
        path=ConfirmationPath.COMPACT,
    )
    claim = Claim(
        tenant_id=tenant,
        operation="POST /v1/jobs",
        key=key,
        fingerprint=body.hex(),
        job_ref=job.ref,
        response_body=b'{"id":1}',
        expires_at=now + KEPT_FOR,
    )
    return Admission(claim=claim, job=job, input=b'{"n":1}', plan=plan, event=accepted(job))


def accepted(job: Job) -> UsageEvent:
    [event] = events_of(job, PRICES)
    return event


def admitted(jobs: Jobs, tenant: str, key: str = "k") -> Job:
    wanted = admission(tenant, key)
    jobs.admit(wanted, now=START)
    return wanted.job
