"""Jobs, claims, entitlements and usage events in DynamoDB: what belongs together commits together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.adapters.dynamodb import (
    Tables,
    TransactionRefused,
    put_if_absent,
    to_attributes,
    update_if,
)
from chalicelib.adapters.dynamodb_items import (
    DUE_INDEX,
    DUE_SHARDS,
    ENTITLEMENTS,
    IDEMPOTENCY,
    JOB_INPUTS,
    JOBS,
    USAGE_EVENTS,
    decode_claim,
    decode_job,
    encode_claim,
    encode_event,
    encode_job,
    key_of,
    sortable,
)
from chalicelib.domain.entitlements import Plan, next_period_start, period_of
from chalicelib.domain.errors import ActiveJobsExceeded, JobQuotaExceeded, Superseded, Unavailable
from chalicelib.domain.idempotency import Claim
from chalicelib.domain.job import Job, JobRef
from chalicelib.ports import Admission, Change

# About what a job takes from acceptance to its end, so about when the next place is free.
ACTIVE_RETRY_SECONDS = 5


class DynamoDbJobs:
    """The `Jobs` port."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def admit(self, admission: Admission, *, now: datetime) -> Claim:
        """See `ports.Jobs.admit`."""
        try:
            self._tables.transact(_admission_actions(admission, now=now))
        except TransactionRefused as refused:
            return _refusal(refused, admission, now=now)
        except Unavailable:
            return self._claim_after_ambiguity(admission.claim, now=now)
        return admission.claim

    def _claim_after_ambiguity(self, claim: Claim, *, now: datetime) -> Claim:
        """The answer was lost: what the table says is what happened."""
        key = {"tenant_id": claim.tenant_id, "key": claim.storage_key}
        found = self._tables.get(IDEMPOTENCY, key)
        if found is None or found["expires_at"] <= now.timestamp():
            raise Unavailable("The job may or may not have been accepted; retry with the same key.")
        return decode_claim(found, claim)

    def get(self, ref: JobRef) -> Job | None:
        """See `ports.Jobs.get`."""
        found = self._tables.get(JOBS, key_of(ref))
        return decode_job(found) if found else None

    def input_of(self, ref: JobRef) -> bytes:
        """See `ports.Jobs.input_of`."""
        found = self._tables.get(JOB_INPUTS, key_of(ref))
        assert found is not None, "the input commits with the job"
        return bytes(found["input"].value)

    def save(self, changes: Sequence[Change]) -> None:
        """See `ports.Jobs.save`."""
        actions = [_change_action(change) for change in changes]
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

    def due(self, *, now: datetime, limit: int) -> Sequence[Job]:
        """See `ports.Jobs.due`."""
        found: list[Job] = []
        for shard in range(DUE_SHARDS):
            found += [
                decode_job(item)
                for item in self._tables.query(
                    JOBS,
                    IndexName=DUE_INDEX,
                    KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                    values={":shard": shard, ":now": sortable(now)},
                    limit=limit // DUE_SHARDS,
                )
            ]
        return found


def _admission_actions(admission: Admission, *, now: datetime) -> list[Mapping[str, Any]]:
    """In the order that `_refusal` reads: claim, active, admitted, then what cannot be refused."""
    job, plan = admission.job, admission.plan
    tenant_id = job.ref.tenant_id
    return [
        _claim_action(admission.claim, now=now),
        _count_action(tenant_id, "active", limit=plan.active_jobs),
        _count_action(tenant_id, f"admitted#{period_of(now)}", limit=plan.jobs_per_month),
        put_if_absent(JOBS, encode_job(job), key="job_id"),
        put_if_absent(JOB_INPUTS, {**key_of(job.ref), "input": admission.input}, key="job_id"),
        put_if_absent(USAGE_EVENTS, encode_event(admission.event), key="event_id"),
    ]


def _refusal(refused: TransactionRefused, admission: Admission, *, now: datetime) -> Claim:
    """The older claim if there is one, for it outranks a spent limit; else the limit's error."""
    plan: Plan = admission.plan
    if 0 in refused.failed:
        return decode_claim(refused.failed[0], admission.claim)
    if 1 in refused.failed:
        raise ActiveJobsExceeded(
            f"Your plan {plan.name} allows {plan.active_jobs} active jobs at once.",
            retry_after=ACTIVE_RETRY_SECONDS,
        )
    if 2 in refused.failed:
        resets_at = next_period_start(now)
        raise JobQuotaExceeded(
            f"Your plan {plan.name} allows {plan.jobs_per_month} jobs a month, until {resets_at:%FT%TZ}.",
            retry_after=int((resets_at - now).total_seconds()) + 1,
        )
    raise Unavailable("The job could not be accepted; retry with the same key.")


def _claim_action(claim: Claim, *, now: datetime) -> Mapping[str, Any]:
    return {
        "Put": {
            "TableName": IDEMPOTENCY,
            "Item": to_attributes(encode_claim(claim)),
            # TTL may lag by days, so an expired row counts as absent here, whether or not it is still there.
            "ConditionExpression": "attribute_not_exists(tenant_id) OR expires_at <= :now",
            "ExpressionAttributeValues": to_attributes({":now": int(now.timestamp())}),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def _count_action(tenant_id: str, counter: str, *, limit: int) -> Mapping[str, Any]:
    return {
        "Update": {
            "TableName": ENTITLEMENTS,
            "Key": to_attributes({"tenant_id": tenant_id, "counter": counter}),
            "UpdateExpression": "ADD jobs :one",
            "ConditionExpression": "attribute_not_exists(jobs) OR jobs < :limit",
            "ExpressionAttributeValues": to_attributes({":one": 1, ":limit": limit}),
        }
    }


def _change_action(change: Change) -> Mapping[str, Any]:
    before, after = encode_job(change.before), encode_job(change.after)
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return update_if(
        JOBS,
        key_of(change.before.ref),
        before={name: before[name] for name in ("status", "version", "lease_epoch")},
        changed={name: after.get(name) for name in names},
    )


def _release_actions(changes: Sequence[Change]) -> list[Mapping[str, Any]]:
    """One update a tenant: a transaction may touch a row only once."""
    ended = Counter(
        change.before.ref.tenant_id
        for change in changes
        if change.after.is_terminal and not change.before.is_terminal
    )
    return [
        {
            "Update": {
                "TableName": ENTITLEMENTS,
                "Key": to_attributes({"tenant_id": tenant_id, "counter": "active"}),
                "UpdateExpression": "ADD jobs :ended",
                "ExpressionAttributeValues": to_attributes({":ended": -count}),
            }
        }
        for tenant_id, count in ended.items()
    ]
