"""Admission in DynamoDB: claim, entitlements, job, input and usage event commit together, or none of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.adapters.dynamodb import Tables, TransactionRefused, to_attributes
from chalicelib.adapters.dynamodb_actions import put_if_absent
from chalicelib.adapters.dynamodb_items import (
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
    entitlement_counts,
    key_of,
)
from chalicelib.domain import limits
from chalicelib.domain.entitlements import period_of
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.idempotency import Claim
from chalicelib.ports import Admission


def admit(tables: Tables, admission: Admission, *, now: datetime) -> Claim:
    """See `ports.Jobs.admit`.

    An expired holder whose job has ended is replaced by a second transaction, conditional on that holder:
    of two that see it one wins, and the other finds a claim that is kept for a month.
    """
    holder = _claim(tables, admission, now=now)
    if not holder.has_expired(now=now) or _is_unfinished(tables, holder):
        return holder
    return _claim(tables, admission, now=now, ended=holder)


def _is_unfinished(tables: Tables, holder: Claim) -> bool:
    found = tables.get(JOBS, key_of(holder.job_ref))
    return found is not None and not decode_job(found).is_terminal


def _claim(tables: Tables, admission: Admission, *, now: datetime, ended: Claim | None = None) -> Claim:
    """The claim that holds the key; it is the admission's own if nobody's, or only `ended`'s, was there."""
    try:
        tables.transact(_actions(admission, now=now, ended=ended))
    except TransactionRefused as refused:
        return _refusal(refused, admission, now=now)
    except Unavailable:
        return _claim_after_ambiguity(tables, admission.claim, ended=ended)
    return admission.claim


def _claim_after_ambiguity(tables: Tables, claim: Claim, *, ended: Claim | None) -> Claim:
    """The answer was lost: what the table says is what happened."""
    found = tables.get(IDEMPOTENCY, {"tenant_id": claim.tenant_id, "key": claim.storage_key})
    if found is None or (ended and found["job_id"] == ended.job_ref.job_id):
        raise Unavailable("The job may or may not have been accepted; retry with the same key.")
    return decode_claim(found, claim)


def _actions(admission: Admission, *, now: datetime, ended: Claim | None) -> list[Mapping[str, Any]]:
    """In the order that `_refusal` reads: claim, active, admitted, then what cannot be refused."""
    job, plan = admission.job, admission.plan
    tenant_id, period = job.ref.tenant_id, period_of(now)
    return [
        _claim_action(admission.claim, ended=ended),
        _count_action(tenant_id, "active", {"jobs": (1, plan.active_jobs)}),
        _count_action(
            tenant_id,
            f"admitted#{period}",
            {"jobs": (1, plan.jobs_per_month), "micros": (job.reserved_micros, plan.spend_cap_micros)},
        ),
        put_if_absent(JOBS, encode_job(job), key="job_id"),
        *_input_actions(admission),
        put_if_absent(USAGE_EVENTS, encode_event(admission.event), key="event_id"),
    ]


def _input_actions(admission: Admission) -> list[Mapping[str, Any]]:
    if admission.input is None:
        return []
    return [put_if_absent(JOB_INPUTS, {**key_of(admission.job.ref), "input": admission.input}, key="job_id")]


def _refusal(refused: TransactionRefused, admission: Admission, *, now: datetime) -> Claim:
    """The older claim if there is one, for it outranks a spent limit; else the limit's error."""
    if 0 in refused.failed:
        return decode_claim(refused.failed[0], admission.claim)
    # The row of a limit that has room is not told: it counts as none.
    counts = entitlement_counts(active=refused.failed.get(1), admitted=refused.failed.get(2))
    needed_micros = admission.job.reserved_micros
    if refusal := limits.refusal(admission.plan, counts, needed_micros=needed_micros, now=now):
        raise refusal
    raise Unavailable("The job could not be accepted; retry with the same key.")


def _claim_action(claim: Claim, *, ended: Claim | None) -> Mapping[str, Any]:
    """The key is free when no row has it, or exactly the row of the claim whose time and job are over."""
    put: dict[str, Any] = {
        "TableName": IDEMPOTENCY,
        "Item": to_attributes(encode_claim(claim)),
        "ConditionExpression": "attribute_not_exists(tenant_id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if ended is not None:
        put["ConditionExpression"] += " OR job_id = :ended"
        put["ExpressionAttributeValues"] = to_attributes({":ended": ended.job_ref.job_id})
    return {"Put": put}


def _count_action(tenant_id: str, counter: str, added: Mapping[str, tuple[int, int]]) -> Mapping[str, Any]:
    """Adds to each attribute if it then is not above its limit; of a row that is not there, it is 0."""
    values = {f":{name}": number for name, (number, _) in added.items()}
    values |= {f":{name}_left": limit - number for name, (number, limit) in added.items()}
    conditions = [
        f"(attribute_not_exists({name}) OR {name} <= :{name}_left)"
        if number <= limit
        else f"{name} <= :{name}_left"  # which is never so, row or not
        for name, (number, limit) in added.items()
    ]
    return {
        "Update": {
            "TableName": ENTITLEMENTS,
            "Key": to_attributes({"tenant_id": tenant_id, "counter": counter}),
            "UpdateExpression": "ADD " + ", ".join(f"{name} :{name}" for name in added),
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeValues": to_attributes(values),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }
