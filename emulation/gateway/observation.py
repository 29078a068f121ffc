"""What is left in every bucket and quota, and when each resets: `GET /_aws/usage`, as one JSON document.

It reads the state that enforcement decides by, and changes nothing. A bucket is told by its layer and by what
it belongs to; tokens are whole, moments are UTC, and what never comes is null.
"""

from datetime import UTC, datetime
from typing import Any

from emulation.gateway import quota as quotas
from emulation.gateway.api import Stage, UsagePlan, View
from emulation.gateway.quota import Quota
from emulation.gateway.token_bucket import Limit, seconds_until
from emulation.gateway.usage import ACCOUNT, EVERY_METHOD, BucketName, Ledger, plan_layers, stage_bucket

# A wait of a thousand years: dates cannot hold what is far beyond, and it is as good as never.
_FAR_SECONDS = 1_000 * 365 * 86_400


def observe(view: View, ledger: Ledger, account: Limit, now: float) -> dict[str, Any]:
    """Everything that holds at `now`."""
    return _Observer(view, ledger, now).document(account)


class _Observer:
    def __init__(self, view: View, ledger: Ledger, now: float) -> None:
        self._view = view
        self._ledger = ledger
        self._now = now

    def document(self, account: Limit) -> dict[str, Any]:
        return {
            "now": moment_text(self._now),
            "account": self._bucket(ACCOUNT, account),
            "stages": [self._stage(stage) for stage in self._view.stages.values()],
            "plans": [self._plan(plan) for plan in self._view.plans.values()],
            "absent_plans": self._absent_plans(),
        }

    def _absent_plans(self) -> list[dict[str, Any]]:
        """Requests a day that were counted under plans deleted since, or not yet made again in this run."""
        counted: dict[str, dict[str, dict[str, int]]] = {}
        for plan_id, key_id, history in self._ledger.counters.histories():
            if plan_id not in self._view.plans:
                days = {day.isoformat(): usage.used for day, usage in sorted(history.days.items())}
                counted.setdefault(plan_id, {})[key_id] = days
        return [{"id": plan_id, "used": used} for plan_id, used in counted.items()]

    def _stage(self, stage: Stage) -> dict[str, Any]:
        """`*/*` limits each method by itself, so that its bucket is told with each one that has used it."""
        api_id = stage.deployment.api_id
        limits = {name: limit for name, limit in stage.limits.items() if name != EVERY_METHOD}
        if (every := stage.limits.get(EVERY_METHOD)) is not None:
            limits = dict.fromkeys(self._ledger.stage_methods(api_id, stage.name), every) | limits
        buckets = [
            self._bucket(stage_bucket(api_id, stage.name, name), limit) for name, limit in limits.items()
        ]
        return {"api_id": api_id, "stage": stage.name, "buckets": buckets}

    def _plan(self, plan: UsagePlan) -> dict[str, Any]:
        return {
            "id": plan.plan_id,
            "name": plan.name,
            "throttle": _throttle(plan.limit) if plan.limit else None,
            "quota": self._quota(plan.quota) if plan.quota else None,
            "stages": [{"api_id": api_id, "stage": stage} for api_id, stage in plan.method_limits],
            "keys": [self._key(plan, key_id) for key_id in plan.key_ids],
        }

    def _quota(self, quota: Quota) -> dict[str, Any]:
        start = quotas.window_start(quota, quotas.day_of(self._now))
        return {
            "limit": quota.limit,
            "period": quota.period.value,
            "offset": quota.offset,
            "window_start": start.isoformat(),
            "resets_at": self._resets_at(quota),
        }

    def _key(self, plan: UsagePlan, key_id: str) -> dict[str, Any]:
        key = self._view.keys_by_id.get(key_id)
        counted = None
        if plan.quota is not None:
            consumption = self._ledger.counters.consumption(plan.plan_id, key_id, plan.quota, self._now)
            counted = {
                "used": consumption.used,
                "remaining": consumption.remaining,
                "resets_at": self._resets_at(plan.quota),
            }
        return {
            "id": key_id,
            "name": key.name if key else None,
            "enabled": key.enabled if key else False,
            "quota": counted,
            "buckets": [self._bucket(*layer) for layer in plan_layers(plan, key_id)],
        }

    def _bucket(self, name: BucketName, limit: Limit) -> dict[str, Any]:
        bucket = self._ledger.bucket(name, limit, self._now)
        wait = seconds_until(bucket, limit, limit.burst, now=self._now)
        return {
            "layer": name.layer,
            "api_id": name.api_id or None,
            "stage": name.stage or None,
            "method": name.method or None,
            **_throttle(limit),
            "remaining": bucket.remaining,
            "full_at": moment_text(self._now + wait) if 0 < wait < _FAR_SECONDS else None,
        }

    def _resets_at(self, quota: Quota) -> str:
        return moment_text(quotas.moment_of(quotas.window_end(quota, quotas.day_of(self._now))))


def _throttle(limit: Limit) -> dict[str, float]:
    return {"rate_limit": limit.rate, "burst_limit": limit.burst}


def moment_text(now: float) -> str:
    """The moment in ISO 8601, in UTC.

    >>> moment_text(1_795_410_000.5)
    '2026-11-23T05:00:00.500000Z'
    """
    return datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z")
