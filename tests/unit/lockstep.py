"""Acts side by side on one clock: one at a time, each until it pauses; the time moves when all do."""

import threading
from collections.abc import Callable
from datetime import timedelta
from heapq import heappop, heappush

from chalicelib.adapters.memory import ManualClock


class SharedClock(ManualClock):
    """The `Clock` port for acts that are to run as if at once; the same every time."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self._waiting: list[tuple[float, int]] = []
        self._turns: list[threading.Semaphore] = []
        self._back = threading.Semaphore(0)
        self._acting = 0

    def pause(self, seconds: float) -> None:
        """See `ports.Clock.pause`; whoever is to go on before does."""
        me = self._acting
        self._come_back(me, seconds)
        self._back.release()
        self._turns[me].acquire()

    def run(self, *acts: Callable[[], object]) -> None:
        """Returns when all have ended; raises what the first one raised."""
        failures: list[BaseException] = []

        def play(me: int, act: Callable[[], object]) -> None:
            self._turns[me].acquire()
            try:
                act()
            except BaseException as error:
                failures.append(error)
            self._back.release()

        for me, act in enumerate(acts):
            self._turns.append(threading.Semaphore(0))
            self._come_back(me, 0.0)
            threading.Thread(target=play, args=(me, act), daemon=True).start()
        while self._waiting and not failures:
            moment, self._acting = heappop(self._waiting)
            self.advance(timedelta(seconds=moment - self.monotonic()))
            self._turns[self._acting].release()
            self._back.acquire()
        if failures:
            raise failures[0]

    def _come_back(self, me: int, seconds: float) -> None:
        heappush(self._waiting, (self.monotonic() + seconds, me))
