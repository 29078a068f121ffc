"""Jobs, claims, entitlements and usage events in DynamoDB: what belongs together commits together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.adapters import dynamodb_admission
from chalicelib.adapters.dynamodb import Tables, TransactionRefused, to_attributes
from chalicelib.adapters.dynamodb_actions import put_if_absent, update_if
from chalicelib.adapters.dynamodb_items import (
    DUE_INDEX,
    DUE_SHARDS,
    ENTITLEMENTS,
    JOB_INPUTS,
    JOBS,
    READY,
    READY_INDEX,
    USAGE_EVENTS,
    decode_job,
    encode_event,
    encode_job,
    key_of,
    ready_key,
    sortable,
)
from chalicelib.adapters.dynamodb_listing import read_page
from chalicelib.domain.entitlements import period_of
from chalicelib.domain.errors import Superseded
from chalicelib.domain.idempotency import Claim
from chalicelib.domain.job import Job, JobRef
from chalicelib.domain.listing import JobFilter, Page
from chalicelib.ports import Admission, Change


class DynamoDbJobs:
    """The `Jobs` port."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def admit(self, admission: Admission, *, now: datetime) -> Claim:
        """See `ports.Jobs.admit`."""
        return dynamodb_admission.admit(self._tables, admission, now=now)

    def get(self, ref: JobRef) -> Job | None:
        """See `ports.Jobs.get`."""
        found = self._tables.get(JOBS, key_of(ref))
        return decode_job(found) if found else None

    def get_many(self, refs: Sequence[JobRef]) -> Sequence[Job | None]:
        """See `ports.Jobs.get_many`."""
        found = self._tables.get_many(JOBS, [key_of(ref) for ref in refs])
        jobs = {job.ref: job for job in map(decode_job, found)}
        return [jobs.get(ref) for ref in refs]

    def page(self, tenant_id: str, wanted: JobFilter, *, after: str | None, limit: int) -> Page:
        """See `ports.Jobs.page`."""
        return read_page(self._tables, tenant_id, wanted, after=after, limit=limit)

    def input_of(self, ref: JobRef) -> bytes:
        """See `ports.Jobs.input_of`."""
        found = self._tables.get(JOB_INPUTS, key_of(ref))
        assert found is not None, "the input commits with the job"
        return bytes(found["input"].value)

    def save(self, changes: Sequence[Change]) -> None:
        """See `ports.Jobs.save`."""
        actions = [change_action(change) for change in changes]
        actions += [
            put_if_absent(USAGE_EVENTS, encode_event(event), key="event_id")
            for change in changes
            for event in change.events
        ]
        actions += _release_actions(changes)
        try:
            self._tables.transact(actions)
        except TransactionRefused as refused:
            raise Superseded from refused

    def next_ready(self, *, after: str) -> Job | None:
        """See `ports.Jobs.next_ready`."""
        # Past every id of that tenant's jobs, which have no such letter.
        return self._first_ready(ready_key(after, "~")) or self._first_ready("")

    def _first_ready(self, key: str) -> Job | None:
        found = self._tables.query(
            JOBS,
            IndexName=READY_INDEX,
            KeyConditionExpression="ready = :ready AND ready_key > :key",
            values={":ready": READY, ":key": key or "!"},
            limit=1,
        )
        return decode_job(found[0]) if found else None

    def due(self, *, now: datetime, limit: int) -> Sequence[Job]:
        """See `ports.Jobs.due`."""
        found: list[Job] = []
        for shard in (*range(DUE_SHARDS, 2 * DUE_SHARDS), *range(DUE_SHARDS)):
            if len(found) >= limit:
                break
            found += [
                decode_job(item)
                for item in self._tables.query(
                    JOBS,
                    IndexName=DUE_INDEX,
                    KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                    values={":shard": shard, ":now": sortable(now)},
                    limit=min(limit // DUE_SHARDS, limit - len(found)),
                )
            ]
        return found


def change_action(change: Change) -> Mapping[str, Any]:
    """What writes the change, if the job is still as it was read."""
    before, after = encode_job(change.before), encode_job(change.after)
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return update_if(
        JOBS,
        key_of(change.before.ref),
        before={name: before[name] for name in ("status", "version", "lease_epoch")},
        changed={name: after.get(name) for name in names},
    )


def _release_actions(changes: Sequence[Change]) -> list[Mapping[str, Any]]:
    """One update a row: a transaction may touch it only once."""
    released: Counter[tuple[str, str, str]] = Counter()
    for change in changes:
        job = change.after
        if job.is_terminal and not change.before.is_terminal:
            released[job.ref.tenant_id, "active", "jobs"] += 1
        if change.released_micros:
            released[job.ref.tenant_id, f"admitted#{period_of(job.created_at)}", "micros"] += (
                change.released_micros
            )
    return [
        {
            "Update": {
                "TableName": ENTITLEMENTS,
                "Key": to_attributes({"tenant_id": tenant_id, "counter": counter}),
                "UpdateExpression": f"ADD {name} :released",
                "ExpressionAttributeValues": to_attributes({":released": -count}),
            }
        }
        for (tenant_id, counter, name), count in released.items()
    ]
