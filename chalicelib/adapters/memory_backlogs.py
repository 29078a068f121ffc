"""What waits, in memory: the same arithmetic as the real one, for tests and examples."""

from datetime import datetime, timedelta

from chalicelib.adapters.memory import MemoryQueue
from chalicelib.domain.polling import CONFIRMED_A_SECOND, Backlog, run_rate
from chalicelib.ports import Clock

MINUTE = timedelta(minutes=1)


class MemoryBacklogs:
    """The `Backlogs` port, of the messages in this queue."""

    def __init__(self, queue: MemoryQueue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._run_seconds: dict[datetime, list[float]] = {}

    def of_runs(self, tenant_id: str) -> Backlog:
        """See `ports.Backlogs.of_runs`."""
        minute = _minute_of(self._clock.now())
        lately = self._run_seconds.get(minute, []) + self._run_seconds.get(minute - MINUTE, [])
        waiting = sum(ref.tenant_id == tenant_id for ref in self._queue.run)
        return Backlog(waiting, run_rate(runs=len(lately), run_seconds=sum(lately)))

    def of_confirmations(self) -> Backlog:
        """See `ports.Backlogs.of_confirmations`."""
        return Backlog(len(self._queue.confirm), CONFIRMED_A_SECOND)

    def add_run(self, seconds: float) -> None:
        """See `ports.Backlogs.add_run`."""
        self._run_seconds.setdefault(_minute_of(self._clock.now()), []).append(seconds)


def _minute_of(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
