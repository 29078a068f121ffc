"""The months that are invoiced, and when which of their events are counted."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from chalicelib.domain.entitlements import next_period_start, period_of
from chalicelib.domain.metering import UsageEvent

# How a month is written, in the specification too.
MONTH_NAME = r"2[0-9]{3}-(0[1-9]|1[0-2])"
# Who finds on the first of a month, be it a weekend, that an event is missing has a working day to write it.
GRACE = timedelta(days=3)
# Past the longest that a function may run: what it was to commit at a cut-off is committed by then, or never.
SETTLED_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month in UTC, from its first moment."""

    start: datetime

    @classmethod
    def named(cls, name: str) -> "Month":
        """The month of a name such as 2026-11; a `ValueError` if there is none.

        >>> Month.named("2026-02").days[-1]
        datetime.date(2026, 2, 28)
        """
        if not re.fullmatch(MONTH_NAME, name):
            raise ValueError(name)
        year, month = map(int, name.split("-"))
        return cls(datetime(year, month, 1, tzinfo=UTC))

    @classmethod
    def last_closed(cls, now: datetime) -> "Month":
        """The latest month that can be invoiced.

        >>> [Month.last_closed(datetime(2026, 12, 4, 0, minute, tzinfo=UTC)).name for minute in (0, 1)]
        ['2026-10', '2026-11']
        """
        settled = now - GRACE - SETTLED_AFTER
        return cls.named(period_of(Month.named(period_of(settled)).start - timedelta(days=1)))

    @property
    def name(self) -> str:
        """Its year and number."""
        return period_of(self.start)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return next_period_start(self.start)

    @property
    def days(self) -> tuple[date, ...]:
        """Each of its days."""
        first = self.start.date()
        return tuple(first + timedelta(days=n) for n in range((self.end - self.start).days))

    @property
    def closes_at(self) -> datetime:
        """From when on its invoice can be issued: nothing can come any more that belongs in it."""
        return self.end + GRACE + SETTLED_AFTER

    def is_closed(self, *, now: datetime) -> bool:
        """Whether its invoice can be issued."""
        return now >= self.closes_at


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOffs:
    """Which events an invoice is of: those that happened, and were taken in, up to these moments."""

    event_time: datetime
    ingestion_time: datetime

    def include(self, event: UsageEvent) -> bool:
        """Whether the event, of the right month, is counted."""
        return event.time <= self.event_time and event.ingested_at <= self.ingestion_time

    @classmethod
    def of_draft(cls, month: Month, *, now: datetime) -> "CutOffs":
        """All that is known of the month by now; to the millisecond, as it is told to tenants."""
        told = _told(now)
        return cls(event_time=min(told, month.end), ingestion_time=min(told, month.end + GRACE))

    @classmethod
    def of_invoice(cls, month: Month) -> "CutOffs":
        """The month's events, and three days for those that are late."""
        return cls(event_time=month.end, ingestion_time=month.end + GRACE)

    @classmethod
    def of_adjustment(cls, month: Month, *, now: datetime) -> "CutOffs":
        """The month's events, whenever they were taken in; to the millisecond, as it is told to tenants.

        >>> CutOffs.of_adjustment(
        ...     Month.named("2026-11"), now=datetime(2027, 1, 1, 0, 1, 0, 999, tzinfo=UTC)
        ... ).ingestion_time.isoformat()
        '2027-01-01T00:00:00+00:00'
        """
        return cls(event_time=month.end, ingestion_time=_told(now - SETTLED_AFTER))


def _told(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1_000 * 1_000)
