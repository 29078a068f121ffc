"""When a schedule is due, and its function's event; pure. Imitates EventBridge's `rate` expressions."""

import re
from datetime import UTC, datetime
from typing import Any

from emulation.worker import ACCOUNT, REGION

_SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


def period_seconds(expression: str) -> float:
    """How long lies between two firings. `cron` and `at` expressions are not run here, and say so.

    >>> period_seconds("rate(1 minute)"), period_seconds("rate(2 hours)")
    (60.0, 7200.0)
    >>> period_seconds("cron(0 0 1 * ? *)")
    Traceback (most recent call last):
    ValueError: schedule 'cron(0 0 1 * ? *)' is not understood: rate(n minutes, hours or days) is
    """
    match = _RATE.fullmatch(expression)
    if match is None or int(match[1]) == 0:
        raise ValueError(f"schedule {expression!r} is not understood: rate(n minutes, hours or days) is")
    return int(match[1]) * _SECONDS[match[2]]


def next_due(due: float, now: float, period: float) -> float:
    """The first moment after `now` on the grid that `due` lies on, so that missed firings are one.

    >>> next_due(60.0, 60.0, 60.0), next_due(60.0, 3600.0, 60.0), next_due(60.0, 3659.5, 60.0)
    (120.0, 3660.0, 3660.0)
    """
    return due + period * ((now - due) // period + 1)


def event_at(now: float, rule: str, event_id: str) -> dict[str, Any]:
    """The event of a firing, as EventBridge sends it."""
    return {
        "version": "0",
        "id": event_id,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}"],
        "detail": {},
    }
