"""Runs in the process that watches them: nothing bounds them but their own word."""

from collections.abc import Callable, Generator

from chalicelib.adapters.run_events import CHECKPOINT_SECONDS, CONTENT_BYTES, Pace, events_of
from chalicelib.ports.sandbox import Event, Work


class MemorySandbox:
    """The `Sandbox` port. Each `next` runs the work just until it says something: no step is left out."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
        content_bytes: int = CONTENT_BYTES,
    ) -> None:
        self._monotonic = monotonic
        self._pace = Pace(step_seconds=0, checkpoint_seconds=checkpoint_seconds)
        self._content_bytes = content_bytes

    def start(self, work: Work) -> "MemoryRun":
        """See `ports.Sandbox.start`."""
        return MemoryRun(
            lambda stop_asked: events_of(
                work,
                pace=self._pace,
                monotonic=self._monotonic,
                stop_asked=stop_asked,
                content_bytes=self._content_bytes,
            )
        )


class MemoryRun:
    """The `Running` port."""

    def __init__(self, begin: Callable[[Callable[[], bool]], Generator[Event, None, None]]) -> None:
        self._stop_asked = False
        self._events = begin(lambda: self._stop_asked)

    def next(self, *, timeout_seconds: float) -> Event | None:
        """See `ports.Running.next`; it takes as long as the work's next step does."""
        event = next(self._events, None)
        assert event, "nothing follows a run's last event"
        return event

    def stop(self) -> None:
        """See `ports.Running.stop`."""
        self._stop_asked = True

    def kill(self) -> None:
        """See `ports.Running.kill`."""
        self._events.close()
