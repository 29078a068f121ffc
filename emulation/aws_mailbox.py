"""The messages of one queue, where send, receive and delete cost the same at any length.

Pure: it reads no clock and takes no lock. Times are Unix milliseconds, given by the caller, and pass lazily:
a letter whose time has come is moved when somebody asks.
"""

import heapq
from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, Protocol, TypeVar

# Entries of letters deleted or moved since stay in the heap until their time; past twice the letters there
# are, they are swept, at a constant cost per letter. This least size keeps short queues from sweeping at all.
SWEEP_AT_LEAST = 64


class Letter(Protocol):
    """What a mailbox needs to know of a message."""

    @property
    def id(self) -> str: ...


L = TypeVar("L", bound=Letter)


class Place(Enum):
    READY = auto()  # may be received
    DELAYED = auto()  # sent with a delay that has not passed
    IN_FLIGHT = auto()  # received, and hidden from others until its visibility timeout passes


@dataclass(slots=True)
class _Slot(Generic[L]):
    letter: L
    sequence: int
    place: Place
    due_ms: float  # when a hidden letter becomes ready


class Mailbox(Generic[L]):
    """Holds letters in the order of their arrival, each in exactly one place.

    >>> from types import SimpleNamespace
    >>> mailbox = Mailbox()
    >>> mailbox.put(SimpleNamespace(id="a"), due_ms=0)
    >>> mailbox.pop(now_ms=5).id, mailbox.pop(now_ms=5)
    ('a', None)
    >>> mailbox.hold("a", due_ms=9)
    >>> mailbox.count(Place.IN_FLIGHT, now_ms=8), mailbox.count(Place.READY, now_ms=9)
    (1, 1)
    """

    def __init__(self) -> None:
        self._slots: dict[str, _Slot[L]] = {}
        self._ready: list[tuple[int, str]] = []  # a heap by arrival
        self._hidden: list[tuple[float, str]] = []  # a heap by due time
        self._count: Counter[Place] = Counter()
        self._arrivals = 0

    def put(self, letter: L, *, due_ms: float) -> None:
        """Adds a letter that is delayed until `due_ms`, a time in the past for no delay."""
        self._arrivals += 1
        self._slots[letter.id] = _Slot(letter, self._arrivals, Place.DELAYED, due_ms)
        self._count[Place.DELAYED] += 1
        heapq.heappush(self._hidden, (due_ms, letter.id))

    def pop(self, *, now_ms: float) -> L | None:
        """The oldest ready letter, now in flight; the caller holds, releases or removes it."""
        self._settle(now_ms)
        while self._ready:
            slot = self._slots.get(heapq.heappop(self._ready)[1])
            if slot is not None and slot.place is Place.READY:
                self._move(slot, Place.IN_FLIGHT)
                slot.due_ms = float("inf")
                return slot.letter
        return None

    def hold(self, letter_id: str, *, due_ms: float) -> None:
        """Keeps a letter in flight until `due_ms`."""
        slot = self._slots[letter_id]
        self._move(slot, Place.IN_FLIGHT)
        slot.due_ms = due_ms
        heapq.heappush(self._hidden, (due_ms, letter_id))
        self._sweep()

    def release(self, letter_id: str) -> None:
        """Makes a letter ready, in its old place in the order."""
        slot = self._slots[letter_id]
        self._move(slot, Place.READY)
        heapq.heappush(self._ready, (slot.sequence, letter_id))

    def remove(self, letter_id: str) -> None:
        self._count[self._slots.pop(letter_id).place] -= 1

    def get(self, letter_id: str) -> L | None:
        slot = self._slots.get(letter_id)
        return slot.letter if slot else None

    def oldest(self) -> L | None:
        """The letter that arrived first of those still here."""
        return next((slot.letter for slot in self._slots.values()), None)

    def place(self, letter_id: str, *, now_ms: float) -> Place | None:
        self._settle(now_ms)
        slot = self._slots.get(letter_id)
        return slot.place if slot else None

    def count(self, place: Place, *, now_ms: float) -> int:
        self._settle(now_ms)
        return self._count[place]

    def at(self, place: Place, *, now_ms: float) -> list[L]:
        """The letters in a place, at a cost of all letters."""
        self._settle(now_ms)
        return [slot.letter for slot in self._slots.values() if slot.place is place]

    def _settle(self, now_ms: float) -> None:
        while self._hidden and self._hidden[0][0] <= now_ms:
            due_ms, letter_id = heapq.heappop(self._hidden)
            if self._is_current(due_ms, letter_id):
                self.release(letter_id)

    def _is_current(self, due_ms: float, letter_id: str) -> bool:
        slot = self._slots.get(letter_id)
        return slot is not None and slot.place is not Place.READY and slot.due_ms == due_ms

    def _move(self, slot: _Slot[L], place: Place) -> None:
        self._count[slot.place] -= 1
        self._count[place] += 1
        slot.place = place

    def _sweep(self) -> None:
        if len(self._hidden) > max(SWEEP_AT_LEAST, 2 * len(self._slots)):
            self._hidden = [entry for entry in self._hidden if self._is_current(*entry)]
            heapq.heapify(self._hidden)
