"""A mailbox does quickly what a list of letters does slowly."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from emulation.aws_mailbox import Mailbox, Place


@dataclass(frozen=True, slots=True)
class Letter:
    id: str


@dataclass(slots=True)
class ListOfLetters:
    """The model: (id, due, was received), in the order of arrival."""

    entries: list[tuple[str, float, bool]] = field(default_factory=list)

    def place(self, entry: tuple[str, float, bool], now_ms: float) -> Place:
        _, due_ms, was_received = entry
        if due_ms <= now_ms:
            return Place.READY
        return Place.IN_FLIGHT if was_received else Place.DELAYED

    def count(self, place: Place, now_ms: float) -> int:
        return sum(self.place(entry, now_ms) is place for entry in self.entries)

    def first_ready(self, now_ms: float) -> str | None:
        ready = (entry[0] for entry in self.entries if self.place(entry, now_ms) is Place.READY)
        return next(ready, None)

    def hold(self, letter_id: str, due_ms: float) -> None:
        self.entries = [(i, due_ms, True) if i == letter_id else (i, d, r) for i, d, r in self.entries]

    def remove(self, letter_id: str) -> None:
        self.entries = [entry for entry in self.entries if entry[0] != letter_id]


actions = st.tuples(st.sampled_from(["put", "receive", "delete", "wait"]), st.integers(0, 3))


@given(st.lists(actions, max_size=400))
def test_letters_are_where_a_list_has_them_when_sent_received_deleted_and_waited_for(
    steps: list[tuple[str, int]],
) -> None:
    mailbox, model, now_ms = Mailbox[Letter](), ListOfLetters(), 0.0
    for number, (action, amount) in enumerate(steps):
        if action == "put":
            mailbox.put(Letter(str(number)), due_ms=now_ms + amount)
            model.entries.append((str(number), now_ms + amount, False))
        elif action == "wait":
            now_ms += amount
        elif action == "receive":
            expected, letter = model.first_ready(now_ms), mailbox.pop(now_ms=now_ms)
            assert (letter.id if letter else None) == expected
            if letter:
                mailbox.hold(letter.id, due_ms=now_ms + amount)
                model.hold(letter.id, now_ms + amount)
        elif action == "delete" and model.entries:
            doomed = model.entries[amount % len(model.entries)][0]
            mailbox.remove(doomed)
            model.remove(doomed)
        for place in Place:
            assert mailbox.count(place, now_ms=now_ms) == model.count(place, now_ms)


def test_memory_is_bounded_when_letters_are_received_and_deleted_while_time_stands_still() -> None:
    mailbox = Mailbox[Letter]()
    for number in range(1000):
        mailbox.put(Letter(str(number)), due_ms=0)
        letter = mailbox.pop(now_ms=0)
        assert letter is not None
        mailbox.hold(letter.id, due_ms=30_000)
        mailbox.remove(letter.id)

    assert len(vars(mailbox)["_hidden"]) < 100
