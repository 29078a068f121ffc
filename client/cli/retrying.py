"""Doing again what can be done again, a bounded number of times, and saying so."""

from collections.abc import Callable
from typing import TypeVar

import httpx

from client.cli.screen import Screen
from client.documents import ApiProblem
from client.system import System

# With the pauses between them, a quarter of a minute: as long as a service takes to start anew.
ATTEMPTS = 5
# Whoever is to wait for longer wants to decide that.
LONGEST_PAUSE_SECONDS = 60

Answer = TypeVar("Answer")


def persistently(request: Callable[[], Answer], *, system: System, screen: Screen) -> Answer:
    """The answer to a request that may be repeated; the last refusal is raised when no attempt is left."""
    for attempt in range(1, ATTEMPTS):
        try:
            return request()
        except (ApiProblem, httpx.TransportError) as error:
            pause_seconds = _pause_seconds(error, attempt)
            if pause_seconds is None:
                raise
            what = error.code if isinstance(error, ApiProblem) else "no connection"
            screen.note(f"{what}: again in {pause_seconds} s (attempt {attempt + 1} of {ATTEMPTS})")
            system.pause(pause_seconds)
    return request()


def _pause_seconds(error: ApiProblem | httpx.TransportError, attempt: int) -> int | None:
    """How long to wait: as long as the service says, else twice as long each time; None not to try again."""
    if isinstance(error, ApiProblem):
        if not error.retryable:
            return None
        if error.retry_after is not None:
            return error.retry_after if error.retry_after <= LONGEST_PAUSE_SECONDS else None
    return int(2 ** (attempt - 1))
