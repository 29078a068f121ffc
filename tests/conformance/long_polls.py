"""Long polls that a test can wait for: it sees when they wait, and chooses what may wake them."""

import threading
from typing import Any

from moto.sqs.models import sqs_backends

from emulation.aws_queue import LOCK
from tests.conformance.in_process import ACCOUNT, REGION

SOON_SECONDS = 5  # of real time: far more than a wake-up takes, far less than the 20 s of a long poll


class Waiters(threading.Condition):
    """A queue's condition that says when so many polls wait; `looks_again` as ever, or only when notified."""

    def __init__(self, queue_url: str, *, expected: int, looks_again: bool) -> None:
        super().__init__(LOCK)
        self._expected = expected
        self._looks_again = looks_again
        self._threads: set[int] = set()
        self._all_wait = threading.Event()
        queue: Any = sqs_backends[ACCOUNT][REGION].queues[queue_url.rpartition("/")[2]]
        queue.arrived = self

    def wait(self, timeout: float | None = None) -> bool:
        self._threads.add(threading.get_ident())
        if len(self._threads) == self._expected:
            self._all_wait.set()
        return super().wait(timeout if self._looks_again else 2 * SOON_SECONDS)

    def all_wait(self) -> None:
        assert self._all_wait.wait(SOON_SECONDS), f"not {self._expected} polls wait: {len(self._threads)}"
