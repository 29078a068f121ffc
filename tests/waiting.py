"""The one place where tests wait by the clock: for what another process does without telling."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.02


def until(condition: Callable[[], T], *, within_seconds: float, what: str = "the condition") -> T:
    """The condition's first true value; fails if there is none in time."""
    deadline = time.monotonic() + within_seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not hold within {within_seconds} s"
        time.sleep(POLL_SECONDS)
    return value
