"""A usage plan's quota as pure functions: (state, cost, now) to (state, decision), for one key.

Invariant: in one window of the calendar (UTC) at most `limit` requests are admitted, plus what UpdateUsage
granted, however often the quota is edited or the clock is set meanwhile; a denied request changes nothing.
"""

import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from emulation.gateway.token_bucket import Decision

# A WEEK with offset 0 starts on a Sunday (the SDKs' text on QuotaSettings.offset); other documents say
# Monday.
WEEK_STARTS_ON = 6  # date.weekday(): Monday is 0


_EPOCH = date(1970, 1, 1).toordinal()


class Period(Enum):
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


# The offsets that CreateUsagePlan accepts. They fit the reading "the day the period starts", which
# `window_start` follows; the other reading, requests subtracted in the first period, would not need such a
# range.
OFFSETS = {Period.DAY: range(1), Period.WEEK: range(7), Period.MONTH: range(28)}


@dataclass(frozen=True, slots=True)
class Quota:
    limit: int
    period: Period
    offset: int = 0


class Window(NamedTuple):
    period: Period
    start: date


class DayUsage(NamedTuple):
    """Requests counted on a day, and what was left in the window at its end (or now)."""

    used: int
    remaining: int


@dataclass(slots=True)
class History:
    """What one key used on each day, and what UpdateUsage added to the limit of a window.

    It knows nothing of the quota, so that an edited one, or one edited back, still counts what was used.
    """

    days: dict[date, DayUsage] = field(default_factory=dict)
    granted: dict[Window, int] = field(default_factory=dict)

    def used_on(self, day: date) -> int:
        """Requests counted on the day."""
        usage = self.days.get(day)
        return usage.used if usage is not None else 0


class Consumption(NamedTuple):  # made for each request, in half a frozen dataclass's time
    """The history of the window that `day` is in, added up, so that a request need not add it up again."""

    quota: Quota
    day: date
    used: int
    granted: int

    @property
    def remaining(self) -> int:
        """What is left, never less than nothing."""
        left = self.quota.limit + self.granted - self.used
        return left if left > 0 else 0


def day_of(now: float) -> date:
    """The UTC day of a moment.

    >>> day_of(86_399.0), day_of(86_400.0)
    (datetime.date(1970, 1, 1), datetime.date(1970, 1, 2))
    """
    return _day(int(now // 86_400))


@lru_cache(maxsize=64)
def _day(number: int) -> date:
    return date.fromordinal(_EPOCH + number)


def moment_of(day: date) -> float:
    """When the day starts, in UTC.

    >>> moment_of(date(1970, 1, 2))
    86400.0
    """
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def window_start(quota: Quota, day: date) -> date:
    """The first day of the window that `day` falls in.

    >>> window_start(Quota(1, Period.MONTH), date(2026, 11, 23))
    datetime.date(2026, 11, 1)
    >>> window_start(Quota(1, Period.MONTH, offset=24), date(2026, 11, 23))
    datetime.date(2026, 10, 25)
    >>> window_start(Quota(1, Period.WEEK), date(2026, 11, 23))
    datetime.date(2026, 11, 22)
    """
    match quota.period:
        case Period.DAY:
            return day
        case Period.WEEK:
            first_weekday = WEEK_STARTS_ON + quota.offset
            return day - timedelta(days=(day.weekday() - first_weekday) % 7)
        case Period.MONTH:
            first_day = 1 + quota.offset
            if day.day >= first_day:
                return day.replace(day=first_day)
            return (day.replace(day=1) - timedelta(days=1)).replace(day=first_day)


def window_of(quota: Quota, day: date) -> Window:
    """The window that `day` falls in; those of another period are others, even if they start together."""
    return Window(quota.period, window_start(quota, day))


def window_end(quota: Quota, day: date) -> date:
    """The first day of the window after the one that `day` falls in.

    >>> window_end(Quota(1, Period.MONTH, offset=24), date(2026, 11, 23))
    datetime.date(2026, 11, 25)
    """
    start = window_start(quota, day)
    match quota.period:
        case Period.DAY:
            return start + timedelta(days=1)
        case Period.WEEK:
            return start + timedelta(days=7)
        case Period.MONTH:
            return (start.replace(day=1) + timedelta(days=31)).replace(day=start.day)


def window_seconds(quota: Quota, day: date) -> float:
    """How long the window that `day` falls in is."""
    return (window_end(quota, day) - window_start(quota, day)).total_seconds()


def seconds_until_reset(quota: Quota, now: float) -> float:
    """How long until the next window starts with something left: never, under a limit of 0.

    >>> seconds_until_reset(Quota(1, Period.DAY), 86_399.5)
    0.5
    """
    return moment_of(window_end(quota, day_of(now))) - now if quota.limit else math.inf


def current(state: Consumption | None, quota: Quota, day: date, history: History) -> Consumption:
    """The consumption of the window that `day` falls in: the one given, while it is of this quota and day.

    The window's later days count too: a clock that was set back hands out nothing twice.
    """
    if state is not None and state.quota is quota and state.day == day:
        return state
    window = window_of(quota, day)
    days = (window_end(quota, day) - window.start).days
    used = sum(history.used_on(window.start + timedelta(days=each)) for each in range(days))
    return Consumption(quota, day, used, history.granted.get(window, 0))


def spend(state: Consumption, cost: int) -> tuple[Consumption, Decision]:
    """Counts `cost` requests if the quota has room for them."""
    if state.remaining < cost:
        return state, Decision.DENIED
    return Consumption(state.quota, state.day, state.used + cost, state.granted), Decision.ADMITTED


def set_remaining(state: Consumption, remaining: int) -> Consumption:
    """Leaves exactly `remaining` for the rest of the window, above the plan's limit too."""
    return state._replace(granted=remaining + state.used - state.quota.limit)
