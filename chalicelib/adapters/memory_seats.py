"""Seats in memory."""

import threading
from datetime import datetime

from chalicelib.domain.seats import Seat


class MemorySeats:
    """The `Seats` port."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[tuple[str, int], Seat] = {}

    def take(self, seat: Seat, *, now: datetime) -> bool:
        """See `ports.Seats.take`."""
        with self._lock:
            holder = self._taken.get(_place(seat))
            if holder is not None and now < holder.ends_at:
                return False
            self._taken[_place(seat)] = seat
            return True

    def give_back(self, seat: Seat) -> None:
        """See `ports.Seats.give_back`."""
        with self._lock:
            if self._taken.get(_place(seat)) == seat:
                del self._taken[_place(seat)]


def _place(seat: Seat) -> tuple[str, int]:
    return seat.tenant_id, seat.number
