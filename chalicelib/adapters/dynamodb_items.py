"""Jobs, claims and usage events as DynamoDB items, and back."""

import zlib
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter

from chalicelib.adapters.dynamodb import Item
from chalicelib.domain.idempotency import FORGOTTEN_AFTER, Claim
from chalicelib.domain.job import Job, JobRef, Status
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.prices import Meter

JOBS = "jobs"
JOB_INPUTS = "job_inputs"
IDEMPOTENCY = "idempotency"
ENTITLEMENTS = "entitlements"
USAGE_EVENTS = "usage_events"
# Spreads the sweep's sparse index; each shard is one query a minute. What a worker holds, or left behind, has
# shards of its own, which are read first: else thousands that wait for their turn would be before it.
DUE_SHARDS = 4
DUE_INDEX = "due"
# Jobs that any worker may take, by tenant and then by age. One partition starts some thousand jobs a second.
READY_INDEX = "ready"
READY = "1"

_JOB = TypeAdapter(Job)
_STORED = tuple(field.name for field in fields(Job) if field.name != "ref")


def encode_job(job: Job) -> Item:
    """The job's item; attributes without a value are absent, so a finished job leaves the sweep's index."""
    document = _JOB.dump_python(job, mode="json", exclude_none=True)
    ref = document.pop("ref")
    if inclusion := document.get("confirmation", {}).get("inclusion"):
        # Words of 256 bits, where a number of DynamoDB's has 38 digits.
        inclusion |= {name: str(inclusion[name]) for name in ("word", "mask")}
    if job.due_at is not None:
        document["due_at"] = sortable(job.due_at)
        is_held = job.status is Status.RUNNING and not job.is_ready
        document["due_shard"] = zlib.crc32(job.ref.job_id.encode()) % DUE_SHARDS + DUE_SHARDS * is_held
    if job.is_ready:
        document |= {"ready": READY, "ready_key": ready_key(job.ref.tenant_id, job.ref.job_id)}
    return {**ref, **document}


def ready_key(tenant_id: str, job_id: str) -> str:
    """What sorts the ready jobs: a tenant's are together, the oldest first."""
    return f"{tenant_id}#{job_id}"


def decode_job(item: Mapping[str, Any]) -> Job:
    """The job of an item."""
    document = {name: item[name] for name in _STORED if name in item}
    return _JOB.validate_python(
        {**document, "ref": {"tenant_id": item["tenant_id"], "job_id": item["job_id"]}}
    )


def sortable(moment: datetime) -> str:
    """The moment as text that sorts as time does."""
    return moment.isoformat(timespec="microseconds")


def key_of(ref: JobRef) -> Mapping[str, str]:
    """The primary key of the job's rows."""
    return {"tenant_id": ref.tenant_id, "job_id": ref.job_id}


def encode_claim(claim: Claim) -> Item:
    """The claim's item. `expires_at` decides; `delete_at`, in Unix seconds as TTL wants it, only tidies."""
    return {
        "tenant_id": claim.tenant_id,
        "key": claim.storage_key,
        "fingerprint": claim.fingerprint,
        "job_id": claim.job_ref.job_id,
        "response_body": claim.response_body,
        "expires_at": sortable(claim.expires_at),
        "delete_at": int((claim.expires_at + FORGOTTEN_AFTER).timestamp()),
    }


def decode_claim(item: Mapping[str, Any], asked: Claim) -> Claim:
    """The claim that holds the key of the claim that `asked` for it."""
    return Claim(
        tenant_id=asked.tenant_id,
        operation=asked.operation,
        key=asked.key,
        fingerprint=item["fingerprint"],
        job_ref=JobRef(asked.tenant_id, item["job_id"]),
        response_body=bytes(item["response_body"].value),
        expires_at=datetime.fromisoformat(item["expires_at"]),
    )


def encode_event(event: UsageEvent) -> Item:
    """The event's item, in the shape of CloudEvents 1.0."""
    return {
        "tenant_day": tenant_day(event.ref.tenant_id, event.time.date()),
        "event_id": event.event_id,
        "specversion": "1.0",
        "source": "zama-jobs",
        "type": f"zama.jobs.{event.meter}",
        "subject": event.ref.tenant_id,
        "time": sortable(event.time),
        "data": {
            "job_id": event.ref.job_id,
            "meter": event.meter.value,
            "quantity": str(event.quantity),
            "unit": event.unit,
            "plan": event.plan,
            "price_version": event.price_version,
            "outcome": event.outcome.value,
            "gas_used": str(event.gas_used),
        },
    }


def decode_event(item: Mapping[str, Any]) -> UsageEvent:
    """The event of an item."""
    data = item["data"]
    return UsageEvent(
        ref=JobRef(item["subject"], data["job_id"]),
        meter=Meter(data["meter"]),
        time=datetime.fromisoformat(item["time"]),
        quantity=int(data["quantity"]),
        unit=data["unit"],
        plan=data["plan"],
        price_version=data["price_version"],
        outcome=Status(data["outcome"]),
        gas_used=int(data["gas_used"]),
    )


def tenant_day(tenant_id: str, day: date) -> str:
    """The partition of the tenant's events of that day (UTC)."""
    return f"{tenant_id}#{day.isoformat()}"
