"""Dead letters go back to their functions, and nothing is lost whoever is cut off or acts at once."""

from dataclasses import dataclass, field

import pytest

from chalicelib.adapters.memory_letters import MemoryDeadLetters
from chalicelib.domain import wake_up
from chalicelib.domain.audit import Act
from chalicelib.domain.dead_letter import DeadLetter, DeadQueue
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.job import JobRef
from chalicelib.ports.administration import HIDDEN_FOR
from chalicelib.use_cases.redrive import LetterSeen, ListDeadLetters, Redrive
from tests.unit.office import ANNA, BERT, Cut, Office
from tests.unit.world import ACME, World

NOBODYS = JobRef(ACME, "job_nobodys")


class Letters(MemoryDeadLetters):
    """Ends the process, once, before what it is told to."""

    def __init__(self, world: World) -> None:
        super().__init__(now=world.clock.now)
        self.cut_before = ""

    def send_again(self, letter: DeadLetter) -> None:
        self._cut("send_again")
        super().send_again(letter)

    def remove(self, letter: DeadLetter) -> None:
        self._cut("remove")
        super().remove(letter)

    def _cut(self, name: str) -> None:
        if name == self.cut_before:
            self.cut_before = ""
            raise Cut


@dataclass
class Post:
    """The letters about a world's jobs, and who administers them."""

    world: World
    office: Office = field(default_factory=Office)
    letters: Letters = field(init=False)

    def __post_init__(self) -> None:
        self.letters = Letters(self.world)

    def bury(self, *refs: JobRef, queue: DeadQueue = DeadQueue.RUN) -> None:
        self.letters.bury(queue, refs, traceparent="a trace")

    @property
    def listed(self) -> ListDeadLetters:
        return ListDeadLetters(letters=self.letters, jobs=self.world.jobs)

    def redrive(self, queue: DeadQueue = DeadQueue.RUN, *, actor: str = ANNA) -> list[LetterSeen]:
        gone: list[LetterSeen] = []
        act = Redrive(
            list=self.listed,
            letters=self.letters,
            registry=self.office.registry,
            clock=self.world.clock,
            ids=self.office.ids,
        )
        act(queue, actor=actor, tell=gone.append)
        return gone

    def sent(self) -> list[tuple[JobRef, ...]]:
        return [wake_up.decode(body) for _, body, _ in self.letters.sent]


@pytest.fixture
def post(world: World) -> Post:
    return Post(world)


def test_a_message_goes_back_with_its_trace_when_its_job_has_not_ended(post: Post) -> None:
    ref = post.world.submit().job_ref
    post.bury(ref)
    (gone,) = post.redrive()
    assert post.letters.sent == [(DeadQueue.RUN, wake_up.encode([ref]), "a trace")]
    assert (gone.is_wanted, post.listed(DeadQueue.RUN)) == (True, [])


def test_a_letter_is_only_removed_when_nothing_is_left_to_do(post: Post) -> None:
    canceled = post.world.submit().job_ref
    post.world.cancel_job(canceled)
    for refs in ((canceled,), (NOBODYS,), (), (canceled, NOBODYS)):
        post.bury(*refs)
    assert [seen.is_wanted for seen in post.redrive()] == [False] * 4
    assert (post.sent(), post.listed(DeadQueue.RUN)) == ([], [])


def test_a_batch_goes_back_whole_when_one_of_its_jobs_has_not_ended(post: Post) -> None:
    ended, confirming = post.world.submit("k1").job_ref, post.world.confirming("k2")
    post.world.jobs.get(ended)
    post.bury(ended, confirming, queue=DeadQueue.CONFIRM)
    post.redrive(DeadQueue.CONFIRM)
    assert post.sent() == [(ended, confirming)]


def test_the_other_queues_letters_stay_when_one_is_redriven(post: Post) -> None:
    ref = post.world.submit().job_ref
    for queue in DeadQueue:
        post.bury(ref, queue=queue)
    post.redrive(DeadQueue.CONFIRM)
    assert [len(post.listed(queue)) for queue in DeadQueue] == [1, 0]


def test_letters_stay_and_are_listed_again_when_they_are_listed(post: Post) -> None:
    refs = [post.world.submit(f"k{n}", tenant=None).job_ref for n in range(5)]
    for ref in refs * 5:
        post.bury(ref)
    first, again = post.listed(DeadQueue.RUN), post.listed(DeadQueue.RUN)
    assert len(first) == len(again) == 25
    assert {seen.letter.received for seen in again} == {2}
    assert [seen.jobs for seen in again] == [tuple(map(post.world.job, seen.letter.refs)) for seen in again]


def test_letters_are_put_back_when_the_jobs_cannot_be_read(post: Post) -> None:
    post.bury(NOBODYS)

    class Away(type(post.world.jobs)):
        def get_many(self, refs: object) -> object:
            raise Unavailable("no answer")

    with pytest.raises(Unavailable):
        ListDeadLetters(letters=post.letters, jobs=Away())(DeadQueue.RUN)
    assert len(post.listed(DeadQueue.RUN)) == 1


@pytest.mark.parametrize("cut", ["send_again", "remove"])
def test_no_message_is_lost_when_a_redrive_is_cut_off_and_repeated(post: Post, cut: str) -> None:
    refs = [post.world.submit(f"k{n}").job_ref for n in range(3)]
    for ref in refs:
        post.bury(ref)
    post.letters.cut_before = cut
    with pytest.raises(Cut):
        post.redrive()
    post.world.clock.advance(HIDDEN_FOR)
    post.redrive(actor=BERT)
    assert {ref for (ref,) in post.sent()} == set(refs)
    assert len(post.sent()) == 3 + (cut == "remove")
    assert post.listed(DeadQueue.RUN) == []


def test_each_letter_is_sent_once_when_two_redrive_at_once(post: Post) -> None:
    refs = [post.world.submit(f"k{n}").job_ref for n in range(4)]
    for ref in refs:
        post.bury(ref)
    held = post.letters.look(DeadQueue.RUN)
    assert post.redrive(actor=BERT) == []
    post.letters.put_back(held)
    assert len(post.redrive()) == 4
    assert sorted(ref.job_id for (ref,) in post.sent()) == sorted(ref.job_id for ref in refs)


def test_the_log_tells_who_sent_and_removed_what_when_letters_are_redriven(post: Post) -> None:
    post.bury(post.world.submit().job_ref)
    post.bury(NOBODYS)
    sent, removed = (seen.letter.message_id for seen in post.listed(DeadQueue.RUN))
    post.redrive(actor=ANNA)
    post.redrive(actor=BERT)
    (event,) = post.office.log()
    assert (event.actor, event.act, event.subject) == (ANNA, Act.LETTERS_REDRIVEN, "run")
    assert event.facts == {"sent_again": sent, "removed": removed}


def test_nothing_is_done_when_the_log_cannot_be_written(post: Post) -> None:
    post.bury(post.world.submit().job_ref)

    def away(_: object) -> None:
        raise Unavailable("no answer")

    post.office.registry.commit = away  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        post.redrive()
    post.world.clock.advance(HIDDEN_FOR)
    assert (post.sent(), len(post.listed(DeadQueue.RUN))) == ([], 1)
