"""Dead letters in memory, with the promises of the real ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count

from chalicelib.domain import wake_up
from chalicelib.domain.dead_letter import DeadLetter, DeadQueue
from chalicelib.domain.job import JobRef
from chalicelib.ports.administration import HIDDEN_FOR

A_LOOK = 10


@dataclass(slots=True)
class _Kept:
    letter: DeadLetter
    hidden_until: datetime


class MemoryDeadLetters:
    """The `DeadLetters` port; `bury` is what queues do, and `sent` holds what was sent again."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._receipts = count()
        self._kept: list[_Kept] = []
        self.sent: list[tuple[DeadQueue, str, str | None]] = []

    def bury(self, queue: DeadQueue, refs: Sequence[JobRef], *, traceparent: str | None = None) -> None:
        """Adds a letter about these jobs."""
        now, number = self._now(), next(self._receipts)
        letter = DeadLetter(
            queue=queue,
            message_id=f"letter-{number}",
            receipt="",
            body=wake_up.encode(refs),
            traceparent=traceparent,
            refs=tuple(refs),
            sent_at=now,
            received=0,
        )
        self._kept.append(_Kept(letter, now))

    def look(self, queue: DeadQueue) -> Sequence[DeadLetter]:
        """See `ports.DeadLetters.look`."""
        now = self._now()
        shown = [each for each in self._kept if each.letter.queue is queue and each.hidden_until <= now]
        for each in shown[:A_LOOK]:
            receipt = f"receipt-{next(self._receipts)}"
            each.letter = replace(each.letter, receipt=receipt, received=each.letter.received + 1)
            each.hidden_until = now + HIDDEN_FOR
        return [each.letter for each in shown[:A_LOOK]]

    def put_back(self, letters: Sequence[DeadLetter]) -> None:
        """See `ports.DeadLetters.put_back`."""
        receipts = {letter.receipt for letter in letters}
        for each in self._kept:
            if each.letter.receipt in receipts:
                each.hidden_until = self._now()

    def send_again(self, letter: DeadLetter) -> None:
        """See `ports.DeadLetters.send_again`."""
        self.sent.append((letter.queue, letter.body, letter.traceparent))

    def remove(self, letter: DeadLetter) -> None:
        """See `ports.DeadLetters.remove`."""
        self._kept = [each for each in self._kept if each.letter.receipt != letter.receipt]
