"""Time and chance."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time."""

    def now(self) -> datetime:
        """The time in UTC: what leases, periods and expiries follow."""

    def monotonic(self) -> float:
        """Seconds for what waits in real time: heartbeats and long polls."""

    def pause(self, seconds: float) -> None:
        """Returns when these seconds of real time are over."""


class Ids(Protocol):
    """Chance."""

    def new_id(self, prefix: str, *, at: datetime | None = None) -> str:
        """A fresh identifier such as `job_01J…`: a ULID, so ordered by time.

        It carries the moment `at`, which lists of jobs rely on, or else the machine's time.
        """

    def part_of(self, seconds: float) -> float:
        """Any part of so many seconds, all equally likely."""

    def salt(self) -> bytes:
        """32 unpredictable bytes."""

    def new_private_key(self) -> bytes:
        """The 32 unpredictable bytes of a key that signs for the chain."""

    def new_client_secret(self) -> str:
        """A client's secret of 256 unpredictable bits, in the form of `domain.client_secret`."""
