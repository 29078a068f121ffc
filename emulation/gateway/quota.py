"""A usage plan's quota as pure functions: (state, quota, now) to (state, decision).

Invariant: in one window of the calendar (UTC) at most `limit` requests are admitted, plus what UpdateUsage
granted; a denied request changes nothing.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum

from emulation.gateway.token_bucket import Decision

# A WEEK with offset 0 starts on a Sunday (the SDKs' text on QuotaSettings.offset); other documents say
# Monday.
WEEK_STARTS_ON = 6  # date.weekday(): Monday is 0


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


@dataclass(frozen=True, slots=True)
class Consumption:
    """What one key used in one window, and what UpdateUsage added to the plan's limit for that window."""

    period: Period
    window_start: date
    used: int = 0
    granted: int = 0

    def remaining(self, quota: Quota) -> int:
        """What is left under the limit as it is now, never less than nothing."""
        return max(0, quota.limit + self.granted - self.used)


def day_of(now: float) -> date:
    """The UTC day of a moment.

    >>> day_of(86_399.0), day_of(86_400.0)
    (datetime.date(1970, 1, 1), datetime.date(1970, 1, 2))
    """
    return datetime.fromtimestamp(now, UTC).date()


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


def current(state: Consumption | None, quota: Quota, day: date) -> Consumption:
    """The consumption of the window that `day` falls in: the one given, or a fresh one after it.

    A clock that steps back into an earlier window keeps the later one, so that no quota is handed out twice.
    """
    start = window_start(quota, day)
    if state is None or state.period is not quota.period or start > state.window_start:
        return Consumption(quota.period, start)
    return state


def spend(state: Consumption | None, quota: Quota, day: date) -> tuple[Consumption, Decision]:
    """Counts one request if the quota has room for it."""
    consumption = current(state, quota, day)
    if consumption.remaining(quota) < 1:
        return consumption, Decision.DENIED
    spent = Consumption(quota.period, consumption.window_start, consumption.used + 1, consumption.granted)
    return spent, Decision.ADMITTED


def set_remaining(state: Consumption | None, quota: Quota, day: date, remaining: int) -> Consumption:
    """Leaves exactly `remaining` for the rest of the window, above the plan's limit too."""
    consumption = current(state, quota, day)
    return replace(consumption, granted=remaining + consumption.used - quota.limit)
