"""Admission under throttles and quotas, and the counters that GetUsage and UpdateUsage read and write.

Invariant: a request that is refused spends nothing. Every layer is asked first, and only if all of them admit
is a token taken from each and the quota counted; nothing else runs in between, because all of it runs in the
event loop's thread and nowhere awaits. Exact and immediate, where the real service is late and says "best
effort".
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum, auto
from typing import NamedTuple, TypeAlias

from emulation.gateway import quota as quotas
from emulation.gateway.api import Method, Stage, UsagePlan
from emulation.gateway.exchange import Caller
from emulation.gateway.quota import Consumption, DayUsage, History, Quota
from emulation.gateway.token_bucket import Bucket, Decision, Limit, take

Layer: TypeAlias = tuple[Hashable, Limit]  # the bucket's name, and the limit it is under
EVERY_METHOD = "*/*"


class Admission(Enum):
    ADMITTED = auto()
    THROTTLED = auto()
    QUOTA_EXCEEDED = auto()


# What a request over both limits is told: nobody we found knows the service's order. Neither is spent.
DENIAL_ORDER = (Admission.THROTTLED, Admission.QUOTA_EXCEEDED)


@dataclass(slots=True)
class _Counter:
    """One key under one plan's quota: what happened, and the current window's sum of it."""

    history: History = field(default_factory=History)
    consumption: Consumption | None = None

    def current(self, quota: Quota, now: float) -> Consumption:
        self.consumption = quotas.current(self.consumption, quota, quotas.day_of(now), self.history)
        return self.consumption

    def record(self, consumption: Consumption, *, requests: int) -> None:
        used = self.history.used_on(consumption.day) + requests
        self.history.days[consumption.day] = DayUsage(used, consumption.remaining)
        self.consumption = consumption


class _Counting(NamedTuple):
    """A request about to be counted."""

    counter: _Counter
    decision: Decision
    consumption: Consumption


def layers(stage: Stage, method: Method, caller: Caller) -> list[Layer]:
    """The throttles that bind a request: plan per method, plan, stage. All of them do; none replaces another.

    A plan's buckets belong to the key; the plan's own is shared by its stages. The stage's belong to the
    method, for all callers together: `*/*` sets the same limit for each method, not one bucket for all.
    """
    found: list[Layer] = []
    api_id, plan, key = stage.deployment.api_id, caller.plan, caller.key
    if plan is not None and key is not None:
        limit = plan.method_limits.get((api_id, stage.name), {}).get(method.limit_key)
        if limit is not None:
            found.append((("method", plan.plan_id, key.key_id, api_id, stage.name, method.limit_key), limit))
        if plan.limit is not None:
            found.append((("plan", plan.plan_id, key.key_id), plan.limit))
    limit = stage.limits.get(method.limit_key) or stage.limits.get(EVERY_METHOD)
    if limit is not None:
        found.append((("stage", api_id, stage.name, method.limit_key), limit))
    return found


class Ledger:
    """Every bucket and every counter of the data plane."""

    def __init__(self) -> None:
        self._buckets: dict[Hashable, Bucket] = {}
        self._counters: dict[tuple[str, str], _Counter] = {}

    def admit(self, throttles: Sequence[Layer], caller: Caller, now: float) -> Admission:
        """Counts the request if every throttle and then the quota admit it; else leaves all as it was."""
        denials = set()
        taken: list[tuple[Hashable, Bucket]] = []
        for name, limit in throttles:
            bucket, decision = take(self._buckets.get(name), limit, now)
            taken.append((name, bucket))
            if decision is Decision.DENIED:
                denials.add(Admission.THROTTLED)
        counting = self._counting(caller, now)
        if counting is not None and counting.decision is Decision.DENIED:
            denials.add(Admission.QUOTA_EXCEEDED)
        if denials:
            return next(denial for denial in DENIAL_ORDER if denial in denials)
        self._buckets.update(taken)
        if counting is not None:
            counting.counter.record(counting.consumption, requests=1)
        return Admission.ADMITTED

    def usage(self, plan: UsagePlan, key_id: str, days: Sequence[date], now: float) -> list[DayUsage]:
        """What the key used on each of the days, and what was left; zeros if the plan has no quota."""
        if plan.quota is None or not days:
            return [DayUsage(0, 0) for _ in days]
        history = dict(self._walk(plan.plan_id, key_id, plan.quota, days[-1], first=days[0], now=now))
        return [history[day] for day in days]

    def set_remaining(self, plan: UsagePlan, key_id: str, remaining: int, now: float) -> None:
        """Leaves `remaining` requests for the rest of the current window."""
        assert plan.quota is not None, "a plan without a quota leaves nothing to set"
        counter = self._counter(plan.plan_id, key_id)
        consumption = quotas.set_remaining(counter.current(plan.quota, now), remaining)
        counter.history.granted[quotas.window_of(plan.quota, consumption.day)] = consumption.granted
        counter.record(consumption, requests=0)

    def _counting(self, caller: Caller, now: float) -> _Counting | None:
        """What counting the request would come to, or None if no quota counts it."""
        plan, key = caller.plan, caller.key
        if plan is None or key is None or plan.quota is None:
            return None
        counter = self._counter(plan.plan_id, key.key_id)
        consumption, decision = quotas.spend(counter.current(plan.quota, now))
        return _Counting(counter, decision, consumption)

    def _counter(self, plan_id: str, key_id: str) -> _Counter:
        return self._counters.setdefault((plan_id, key_id), _Counter())

    def _walk(
        self, plan_id: str, key_id: str, quota: Quota, last: date, *, first: date, now: float
    ) -> Iterator[tuple[date, DayUsage]]:
        """Each day up to `last`, from the start of the window `first` is in: what was left carries over."""
        counter = self._counters.get((plan_id, key_id), _Counter())
        today = counter.current(quota, now)
        day = quotas.window_start(quota, first)
        remaining = quota.limit
        while day <= last:
            if quotas.window_start(quota, day) == day:
                remaining = quota.limit
            recorded = counter.history.days.get(day)
            if recorded is not None:
                remaining = recorded.remaining
            if day == today.day:  # by the limit as it is now, which may have been edited since
                remaining = today.remaining
            yield day, DayUsage(recorded.used if recorded else 0, remaining)
            day += timedelta(days=1)
