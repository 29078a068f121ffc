"""Dead letters: messages that no function could deal with, kept for a person to look at."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.job import JobRef


class DeadQueue(StrEnum):
    """Where dead letters are, by what their messages were to do."""

    RUN = "run"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message as one look found it: `receipt` is that look's, and of no use after the next one.

    `refs` are the jobs that it names; none where its text is not ours. `received` counts looks too.
    """

    queue: DeadQueue
    message_id: str
    receipt: str
    body: str
    traceparent: str | None
    refs: tuple[JobRef, ...]
    sent_at: datetime
    received: int
