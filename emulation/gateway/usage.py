"""Admission under throttles and quotas: one decision over every layer that binds a request.

Invariant: a request that is refused spends nothing. Every layer is asked first, and only if all of them admit
is a token taken from each and the quota counted; nothing else runs in between, because all of it runs in the
event loop's thread and nowhere awaits. Exact and immediate, where the real service is late and says "best
effort".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple, TypeAlias

from emulation.gateway import quota as quotas
from emulation.gateway.api import Method, Stage, UsagePlan, View
from emulation.gateway.counters import Counters, UsageStore
from emulation.gateway.exchange import Caller
from emulation.gateway.token_bucket import Bucket, Decision, Limit, microseconds, seconds_until, take, take_at

EVERY_METHOD = "*/*"
# From this many on, full buckets are dropped now and then: a full one is as good as none.
MANY_BUCKETS = 4_096


class BucketName(NamedTuple):
    """Whose bucket it is: what the layer does not divide by is empty."""

    layer: str
    plan_id: str = ""
    key_id: str = ""
    api_id: str = ""
    stage: str = ""
    method: str = ""


Layer: TypeAlias = tuple[BucketName, Limit]
ACCOUNT = BucketName("account")


class Admission(Enum):
    ADMITTED = auto()
    THROTTLED = auto()
    QUOTA_EXCEEDED = auto()


# What a request over both limits is told: nobody we found knows the service's order. Neither is spent.
DENIAL_ORDER = (Admission.THROTTLED, Admission.QUOTA_EXCEEDED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The admission, and if it is a denial how long until one request would pass: infinite if never."""

    admission: Admission
    retry_after_seconds: float = 0.0


_ADMITTED = Verdict(Admission.ADMITTED)


def plan_layers(plan: UsagePlan, key_id: str) -> list[Layer]:
    """The plan's throttles of one key: the methods' own on each of its stages, and the plan's over all."""
    found = [
        (BucketName("method", plan.plan_id, key_id, api_id, stage, method), limit)
        for (api_id, stage), limits in plan.method_limits.items()
        for method, limit in limits.items()
    ]
    if plan.limit is not None:
        found.append((BucketName("plan", plan.plan_id, key_id), plan.limit))
    return found


def stage_bucket(api_id: str, stage: str, method: str) -> BucketName:
    """The bucket of a stage's method, which all its callers share."""
    return BucketName("stage", "", "", api_id, stage, method)


def layers(stage: Stage, method: Method, caller: Caller, account: Limit) -> list[Layer]:
    """The throttles that bind a request: plan per method, plan, stage, account. None replaces another.

    A plan's buckets belong to the key; the plan's own is shared by its stages. The stage's belong to the
    method, for all callers together: `*/*` sets the same limit for each method, not one bucket for all.
    """
    found: list[Layer] = []
    api_id, plan, key, name = stage.deployment.api_id, caller.plan, caller.key, method.limit_key
    if plan is not None and key is not None:
        limits = plan.method_limits.get((api_id, stage.name))
        limit = limits.get(name) if limits else None
        if limit is not None:
            found.append((BucketName("method", plan.plan_id, key.key_id, api_id, stage.name, name), limit))
        if plan.limit is not None:
            found.append((BucketName("plan", plan.plan_id, key.key_id), plan.limit))
    limit = stage.limits.get(name) or stage.limits.get(EVERY_METHOD)
    if limit is not None:
        found.append((stage_bucket(api_id, stage.name, name), limit))
    found.append((ACCOUNT, account))
    return found


def layers_in(view: View, stage: Stage, method: Method, caller: Caller, account: Limit) -> list[Layer]:
    """The same, worked out once as long as the view holds."""
    plan, key = caller.plan, caller.key
    whose = (plan.plan_id, key.key_id) if plan is not None and key is not None else None
    signature = whose, stage.deployment.api_id, stage.name, method.limit_key
    found: list[Layer] | None = view.memo.get(signature)
    if found is None:
        found = view.memo[signature] = layers(stage, method, caller, account)
    return found


class Ledger:
    """Every bucket and every counter of the data plane."""

    def __init__(self, store: UsageStore | None = None) -> None:
        self.counters = Counters(store)
        self._buckets: dict[BucketName, tuple[Bucket, Limit]] = {}
        self._drop_at = MANY_BUCKETS

    def admit(self, throttles: Sequence[Layer], caller: Caller, now: float) -> Verdict:
        """Counts the request if every throttle and then the quota admit it; else spends nothing."""
        denials: dict[Admission, float] = {}
        taken: dict[BucketName, tuple[Bucket, Limit]] = {}
        buckets, at = self._buckets, microseconds(now)
        for name, limit in throttles:
            kept = buckets.get(name)
            bucket, decision = take_at(kept[0] if kept is not None else None, limit, 1, at)
            if decision is Decision.ADMITTED:
                taken[name] = bucket, limit
            else:
                buckets[name] = bucket, limit  # nothing is spent, but a clock set far back is followed
                wait = seconds_until(bucket, limit, 1, now=now)
                denials[Admission.THROTTLED] = max(wait, denials.get(Admission.THROTTLED, 0.0))
        counting = None
        plan, key = caller.plan, caller.key
        if plan is not None and key is not None and plan.quota is not None:
            counting = self.counters.counting(plan.plan_id, key.key_id, plan.quota, now)
            if counting.decision is Decision.DENIED:
                denials[Admission.QUOTA_EXCEEDED] = quotas.seconds_until_reset(plan.quota, now)
        if denials:
            told = next(denial for denial in DENIAL_ORDER if denial in denials)
            return Verdict(told, max(denials.values()))
        if counting is not None:
            self.counters.count(counting)  # first, because it fails if it cannot be stored
        buckets.update(taken)
        if len(buckets) > self._drop_at:
            self._drop_full(now)
        return _ADMITTED

    def bucket(self, name: BucketName, limit: Limit, now: float) -> Bucket:
        """The bucket as it is at `now`, full if nobody has used it."""
        return take(self._kept(name), limit, cost=0, now=now)[0]

    def stage_methods(self, api_id: str, stage: str) -> list[str]:
        """The methods whose bucket in the stage somebody has used."""
        return [name.method for name in self._buckets if name[:1] + name[3:5] == ("stage", api_id, stage)]

    def _kept(self, name: BucketName) -> Bucket | None:
        kept = self._buckets.get(name)
        return kept[0] if kept is not None else None

    def _drop_full(self, now: float) -> None:
        self._buckets = {
            name: kept
            for name, kept in self._buckets.items()
            if seconds_until(*kept, kept[1].burst, now=now) > 0
        }
        self._drop_at = max(MANY_BUCKETS, 2 * len(self._buckets))
