"""What waits, by the queues' own counts, and how long runs take, by a row a minute."""

from datetime import datetime, timedelta

from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.dynamodb_items import ENTITLEMENTS
from chalicelib.adapters.sqs import CONFIRM_QUEUE, RUN_QUEUE, SqsQueue
from chalicelib.domain.polling import CONFIRMED_A_SECOND, Backlog, run_rate
from chalicelib.ports import Clock

RUN_TIMES = "run_times"
MINUTE = timedelta(minutes=1)
# Two minutes are read; the rest is for whoever wonders about the last hour.
KEPT_FOR = timedelta(hours=1)


class AwsBacklogs:
    """The `Backlogs` port.

    A row takes a thousand writes a second; of more, some are lost, and the mean is that of a sample.
    """

    def __init__(self, tables: Tables, queue: SqsQueue, clock: Clock) -> None:
        self._tables = tables
        self._queue = queue
        self._clock = clock

    def of_runs(self, tenant_id: str) -> Backlog:
        """See `ports.Backlogs.of_runs`."""
        rows = self._tables.query(
            RUN_TIMES,
            KeyConditionExpression="step = :step AND #minute >= :minute",
            ExpressionAttributeNames={"#minute": "minute"},
            values={f":{name}": value for name, value in _key(self._clock.now() - MINUTE).items()},
        )
        runs = sum(int(row["runs"]) for row in rows)
        milliseconds = sum(int(row["milliseconds"]) for row in rows)
        rate = run_rate(runs=runs, run_seconds=milliseconds / 1000)
        active = self._tables.get(ENTITLEMENTS, {"tenant_id": tenant_id, "counter": "active"})
        # Of the active ones some wait for the chain, but never more for a worker than there are messages.
        return Backlog(min(self._queue.depth(RUN_QUEUE), int(active["jobs"]) if active else 0), rate)

    def of_confirmations(self) -> Backlog:
        """See `ports.Backlogs.of_confirmations`."""
        return Backlog(self._queue.depth(CONFIRM_QUEUE), CONFIRMED_A_SECOND)

    def add_run(self, seconds: float) -> None:
        """See `ports.Backlogs.add_run`."""
        now = self._clock.now()
        self._tables.count(
            RUN_TIMES,
            _key(now),
            added={"runs": 1, "milliseconds": round(seconds * 1000)},
            delete_at=now + KEPT_FOR,
        )


def _key(moment: datetime) -> dict[str, str]:
    return {"step": "run", "minute": f"{moment:%FT%H:%MZ}"}
