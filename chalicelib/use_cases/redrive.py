"""Dead letters: which jobs they are about, and their way back to the functions.

A letter is sent before it is removed: who is cut off in between has doubled a message, which does no harm.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chalicelib.domain.audit import Act, AuditEvent
from chalicelib.domain.dead_letter import DeadLetter, DeadQueue
from chalicelib.domain.job import Job
from chalicelib.ports import Clock, DeadLetters, Deed, Ids, Jobs, Registry


@dataclass(frozen=True, slots=True)
class LetterSeen:
    """A letter, and each job that it names as it is now; None for one that is not there."""

    letter: DeadLetter
    jobs: tuple[Job | None, ...]

    @property
    def is_wanted(self) -> bool:
        """Whether its message may still do something: one of its jobs has not ended."""
        return any(job is not None and not job.is_terminal for job in self.jobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDeadLetters:
    """Shows the letters and leaves them where they are."""

    letters: DeadLetters
    jobs: Jobs

    def __call__(self, queue: DeadQueue) -> list[LetterSeen]:
        """All but those that somebody else is looking at now, the oldest first."""
        found: dict[str, DeadLetter] = {}
        try:
            # One that is found again was hidden for long enough: they are so many that all have been seen.
            while new := [each for each in self.letters.look(queue) if each.message_id not in found]:
                found |= {letter.message_id: letter for letter in new}
        finally:
            self.letters.put_back(list(found.values()))
        return sorted(map(self.seen, found.values()), key=lambda seen: seen.letter.sent_at)

    def seen(self, letter: DeadLetter) -> LetterSeen:
        """The letter with its jobs."""
        return LetterSeen(letter, tuple(self.jobs.get_many(letter.refs)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrive:
    """Every letter's message goes back to its function, or nowhere if all of its jobs have ended.

    Repeatable, and by several at once: a letter that two deal with is sent twice. An audit event for each
    look tells what is going to be done, so that nothing is done untold.
    """

    list: ListDeadLetters
    letters: DeadLetters
    registry: Registry
    clock: Clock
    ids: Ids

    def __call__(self, queue: DeadQueue, *, actor: str, tell: Callable[[LetterSeen], None]) -> None:
        """`tell` is called with each letter when it is gone."""
        for look in self._looks(queue):
            self.registry.commit(Deed(event=self._event(queue, look, actor)))
            for seen in look:
                if seen.is_wanted:
                    self.letters.send_again(seen.letter)
                self.letters.remove(seen.letter)
                tell(seen)

    def _looks(self, queue: DeadQueue) -> Iterator[Sequence[LetterSeen]]:
        while look := self.letters.look(queue):
            yield [self.list.seen(letter) for letter in look]

    def _event(self, queue: DeadQueue, look: Sequence[LetterSeen], actor: str) -> AuditEvent:
        sent_again = [seen.letter.message_id for seen in look if seen.is_wanted]
        removed = [seen.letter.message_id for seen in look if not seen.is_wanted]
        return AuditEvent(
            event_id=self.ids.new_id("aud_"),
            at=self.clock.now(),
            actor=actor,
            act=Act.LETTERS_REDRIVEN,
            subject=queue,
            facts={"sent_again": " ".join(sent_again), "removed": " ".join(removed)},
        )
