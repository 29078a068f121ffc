"""Jobs, claims and usage events as DynamoDB items, and back."""

import zlib
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter

from chalicelib.adapters.cloud_events import cloud_event, usage_event
from chalicelib.adapters.dynamodb import Item
from chalicelib.domain.idempotency import FORGOTTEN_AFTER, Claim
from chalicelib.domain.job import Job, JobRef, Status
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.usage import EntitlementCounts

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
    """The event's item: the CloudEvent that an export has, its id in the key."""
    document = cloud_event(event)
    return {**key_of_event(event), **{name: document[name] for name in document if name != "id"}}


decode_event = usage_event
"""The event of an item."""


def entitlement_counts(
    *, active: Mapping[str, Any] | None, admitted: Mapping[str, Any] | None
) -> EntitlementCounts:
    """Of a tenant's two rows; one that is not there counts nothing."""
    active, admitted = active or {}, admitted or {}
    return EntitlementCounts(
        jobs_admitted=int(admitted.get("jobs", 0)),
        active_jobs=int(active.get("jobs", 0)),
        spent_micros=int(admitted.get("micros", 0)),
    )


def key_of_event(event: UsageEvent) -> Mapping[str, str]:
    """The primary key of the event's row."""
    return {"tenant_day": tenant_day(event.ref.tenant_id, event.time.date()), "event_id": event.event_id}


def tenant_day(tenant_id: str, day: date) -> str:
    """The partition of the tenant's events of that day (UTC)."""
    return f"{tenant_id}#{day.isoformat()}"
