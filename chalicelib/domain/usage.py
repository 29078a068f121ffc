"""What a tenant used, by meter and day, and how much of its plan is left."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from chalicelib.domain.errors import FieldError, InvalidRequest
from chalicelib.domain.metering import UsageEvent, distinct
from chalicelib.domain.prices import Meter

# Any three calendar months, day by day; a day is one partition of the events, so one read or more.
LONGEST_RANGE_DAYS = 92


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days in UTC, the first and the last one included; the first is not after the last."""

    first: date
    last: date

    @property
    def days(self) -> tuple[date, ...]:
        """Every day, oldest first.

        >>> [str(day) for day in DayRange(date(2026, 11, 30), date(2026, 12, 1)).days]
        ['2026-11-30', '2026-12-01']
        """
        return tuple(self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))


def day_range(first: date | None, last: date | None, *, today: date) -> DayRange:
    """The days asked for: unless it says otherwise, up to today and from the first of that month.

    >>> day_range(None, None, today=date(2026, 11, 23)).first
    datetime.date(2026, 11, 1)
    """
    last = last or today
    first = first or last.replace(day=1)
    if first > last:
        raise _refused(f"The first day, {first}, is after the last, {last}.")
    if (last - first).days >= LONGEST_RANGE_DAYS:
        raise _refused(f"Ask for at most {LONGEST_RANGE_DAYS} days at once.")
    return DayRange(first, last)


def _refused(detail: str) -> InvalidRequest:
    return InvalidRequest((FieldError.at(("query", "from"), detail),))


def quantities(events: Iterable[UsageEvent]) -> Mapping[Meter, Mapping[date, int]]:
    """What each meter counted on each day (UTC); a day without an event is absent."""
    counted: Mapping[Meter, Counter[date]] = {meter: Counter() for meter in Meter}
    for event in distinct(events):
        counted[event.meter][event.time.date()] += event.quantity
    return counted


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementCounts:
    """What a tenant's submits have spent: jobs admitted in one period, and jobs active now.

    `spent_micros` is what the period's jobs have cost, and what those that have not ended may cost.
    """

    jobs_admitted: int
    active_jobs: int
    spent_micros: int = 0
