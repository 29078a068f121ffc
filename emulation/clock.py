"""The stack's time: the only module of `emulation` that reads a clock, waits or makes ids.

Quotas, buckets, tokens, queue visibility, retention and schedules follow a `Clock`, so that a test can move
it. What waits in real time (a long poll, a time-out, a child process) follows `monotonic`, which nobody can
move.
"""

import asyncio
import random
import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time that the stack's services live in."""

    def now(self) -> float:
        """Unix seconds, UTC."""
        ...


class SystemClock:
    """Follows the machine's clock."""

    __slots__ = ()

    def now(self) -> float:
        return time.time()


class ManualClock:
    """Stands still until advanced, and never goes back; safe to share between threads.

    >>> clock = ManualClock(1000.0)
    >>> clock.advance(0.5)
    >>> clock.now()
    1000.5
    """

    __slots__ = ("_lock", "_now")

    def __init__(self, start: float) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> float:
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> None:
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"a clock is advanced by seconds, 0 or more, not by {seconds}")
        with self._lock:
            self._now += seconds


def monotonic() -> float:
    """Seconds since an arbitrary moment, never going back, whatever the stack's clock does."""
    return time.monotonic()


async def pause(seconds: float) -> None:
    """Lets the event loop run for `seconds` of real time."""
    await asyncio.sleep(seconds)


def wait(stopping: threading.Event, seconds: float) -> bool:
    """Waits `seconds` of real time, or until `stopping` is set; says whether it is set."""
    return stopping.wait(seconds)


def request_id() -> str:
    """A fresh id in the form that AWS gives its requests."""
    digits = f"{random.getrandbits(128):032x}"  # unique, not secret: a third of uuid4's time, no system call
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
