"""What each key used of each plan's quota: the counters that enforcement, GetUsage and UpdateUsage share.

Invariant: what was counted is never forgotten, whether the key leaves the plan, comes back, or is deleted;
and only requests under a quota are counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple, Protocol

from emulation.gateway import quota as quotas
from emulation.gateway.api import UsagePlan
from emulation.gateway.quota import Consumption, DayUsage, History, Quota, Window
from emulation.gateway.token_bucket import Decision


class UsageStore(Protocol):
    """Keeps histories beyond the life of the process."""

    def histories(self) -> Iterable[tuple[str, str, History]]:
        """Everything kept so far, as (plan id, key id, history)."""
        ...

    def record(self, plan_id: str, key_id: str, day: date, usage: DayUsage) -> None:
        """Replaces that day's pair."""
        ...

    def grant(self, plan_id: str, key_id: str, window: Window, granted: int) -> None:
        """Replaces what UpdateUsage added to the limit of the window."""
        ...


@dataclass(slots=True)
class _Counter:
    """One key under one plan's quota: what happened, and the current window's sum of it."""

    plan_id: str
    key_id: str
    history: History = field(default_factory=History)
    consumption: Consumption | None = None

    def current(self, quota: Quota, now: float) -> Consumption:
        self.consumption = quotas.current(self.consumption, quota, quotas.day_of(now), self.history)
        return self.consumption


class Counting(NamedTuple):
    """A request about to be counted: what it would come to."""

    counter: _Counter
    decision: Decision
    consumption: Consumption


class Counters:
    """Every counter of the data plane. Used from the event loop's thread only."""

    def __init__(self, store: UsageStore | None = None) -> None:
        self._store = store
        self._counters = {
            (plan_id, key_id): _Counter(plan_id, key_id, history)
            for plan_id, key_id, history in (store.histories() if store else ())
        }

    def counting(self, plan_id: str, key_id: str, quota: Quota, now: float) -> Counting:
        """What counting one request would come to; it counts nothing yet."""
        counter = self._counter(plan_id, key_id)
        consumption, decision = quotas.spend(counter.current(quota, now), 1)
        return Counting(counter, decision, consumption)

    def count(self, counting: Counting) -> None:
        """Counts the request."""
        self._record(counting.counter, counting.consumption, requests=1)

    def consumption(self, plan_id: str, key_id: str, quota: Quota, now: float) -> Consumption:
        """What the key used of the window that `now` is in."""
        return self._counters.get((plan_id, key_id), _Counter(plan_id, key_id)).current(quota, now)

    def usage(self, plan: UsagePlan, key_id: str, days: Sequence[date], now: float) -> list[DayUsage]:
        """What the key used on each of the days, and what was left; zeros if the plan has no quota."""
        if plan.quota is None or not days:
            return [DayUsage(0, 0) for _ in days]
        history = dict(self._walk(plan.plan_id, key_id, plan.quota, days[-1], first=days[0], now=now))
        return [history[day] for day in days]

    def counted(self, plan_id: str, days: Sequence[date]) -> list[str]:
        """The keys of which a request was counted on one of the days, in the plan now or not."""
        return [
            key_id
            for (counted_in, key_id), counter in self._counters.items()
            if counted_in == plan_id and any(counter.history.used_on(day) for day in days)
        ]

    def histories(self) -> Iterator[tuple[str, str, History]]:
        """Everything counted, as (plan id, key id, history)."""
        for (plan_id, key_id), counter in self._counters.items():
            yield plan_id, key_id, counter.history

    def set_remaining(self, plan_id: str, key_id: str, quota: Quota, *, remaining: int, now: float) -> None:
        """Leaves `remaining` requests for the rest of the current window."""
        counter = self._counter(plan_id, key_id)
        consumption = quotas.set_remaining(counter.current(quota, now), remaining)
        window = quotas.window_of(quota, consumption.day)
        if self._store is not None:
            self._store.grant(plan_id, key_id, window, consumption.granted)
        counter.history.granted[window] = consumption.granted
        self._record(counter, consumption, requests=0)

    def _record(self, counter: _Counter, consumption: Consumption, *, requests: int) -> None:
        day = consumption.day
        pair = DayUsage(counter.history.used_on(day) + requests, consumption.remaining)
        if self._store is not None:  # first, because a full disk may refuse it
            self._store.record(counter.plan_id, counter.key_id, day, pair)
        counter.history.days[day] = pair
        counter.consumption = consumption

    def _counter(self, plan_id: str, key_id: str) -> _Counter:
        found = self._counters.get((plan_id, key_id))
        if found is None:
            found = self._counters[plan_id, key_id] = _Counter(plan_id, key_id)
        return found

    def _walk(
        self, plan_id: str, key_id: str, quota: Quota, last: date, *, first: date, now: float
    ) -> Iterator[tuple[date, DayUsage]]:
        """Each day up to `last`, from the start of the window `first` is in: what was left carries over."""
        counter = self._counters.get((plan_id, key_id), _Counter(plan_id, key_id))
        today = counter.current(quota, now)
        day = next_start = quotas.window_start(quota, first)
        remaining = quota.limit
        while day <= last:
            if day == next_start:
                remaining, next_start = quota.limit, quotas.window_end(quota, day)
            recorded = counter.history.days.get(day)
            if recorded is not None:
                remaining = recorded.remaining
            if day == today.day:  # by the limit as it is now, which may have been edited since
                remaining = today.remaining
            yield day, DayUsage(recorded.used if recorded else 0, remaining)
            day += timedelta(days=1)
