"""When an operation goes away, and what its answers say of that. Pure: whoever calls brings the time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from chalicelib.domain.errors import DomainError

# Two quarters: a client that releases once a quarter has one release to notice and one to move.
NOTICE = timedelta(days=180)


class OperationRemoved(DomainError):
    """The operation is past its sunset; it does nothing any more."""

    code = "operation_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecation:
    """From when on an operation is discouraged, and when it is gone, half a year later at the earliest.

    `link` and `successor` are paths below the API's base URL: a page that explains, and what to call instead.
    """

    deprecated_at: datetime
    sunset_at: datetime
    link: str
    successor: str | None = None

    def __post_init__(self) -> None:
        for moment in (self.deprecated_at, self.sunset_at):
            # Both headers carry whole seconds of UTC: anything finer would be lost on the way.
            if moment.tzinfo is not UTC or moment.microsecond:
                raise ValueError(f"{moment} is not a whole second of UTC")
        if self.sunset_at - self.deprecated_at < NOTICE:
            raise ValueError(f"a sunset is at least {NOTICE.days} days after the deprecation")
        for path in (self.link, self.successor or "/"):
            if not path.startswith("/"):
                raise ValueError(f"{path} is not a path below the API's base URL")


def is_sunset(deprecation: Deprecation, now: datetime) -> bool:
    """Whether the operation is gone: from its sunset on, that second included."""
    return now >= deprecation.sunset_at


def headers(deprecation: Deprecation, *, base_url: str) -> Mapping[str, str]:
    """`Deprecation` (RFC 9745), `Sunset` (RFC 8594) and the links that belong to them (RFC 8288, RFC 5829).

    >>> from datetime import datetime, UTC
    >>> row = Deprecation(deprecated_at=datetime(2027, 1, 1, tzinfo=UTC),
    ...                   sunset_at=datetime(2027, 7, 1, tzinfo=UTC), link="/why")
    >>> for name, value in headers(row, base_url="https://jobs").items():
    ...     print(f"{name}: {value}")
    Deprecation: @1798761600
    Sunset: Thu, 01 Jul 2027 00:00:00 GMT
    Link: <https://jobs/why>; rel="deprecation", <https://jobs/why>; rel="sunset"
    """
    links = {"deprecation": deprecation.link, "sunset": deprecation.link}
    if deprecation.successor is not None:
        links["successor-version"] = deprecation.successor
    return {
        "Deprecation": f"@{int(deprecation.deprecated_at.timestamp())}",
        "Sunset": format_datetime(deprecation.sunset_at, usegmt=True),
        "Link": ", ".join(f'<{base_url}{path}>; rel="{relation}"' for relation, path in links.items()),
    }
