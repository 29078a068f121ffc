"""Ports that fail at a chosen call: the process is killed there, or something else happens first."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

KILLED = 137
"""What a shell reports of a process that SIGKILL ended."""


@dataclass(frozen=True, slots=True)
class Failpoint:
    """The `nth` call of a port's method; `when` is before it takes effect or after, its answer lost."""

    port: str
    method: str
    when: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.when} {self.port}.{self.method} #{self.nth}"


class Failing:
    """The port, with an act at the failpoint; every other call passes through."""

    def __init__(self, port: Any, failpoint: Failpoint, act: Callable[[], None]) -> None:
        self._port = port
        self._failpoint = failpoint
        self._act = act
        self._calls = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name != self._failpoint.method:
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            self._calls += 1
            hit = self._calls == self._failpoint.nth
            if hit and self._failpoint.when == "before":
                self._act()
            answer = method(*args, **kwargs)
            if hit and self._failpoint.when == "after":
                self._act()
            return answer

        return call


def kill() -> None:
    """Ends this process at once, as SIGKILL does: nothing is flushed, closed or undone."""
    os._exit(KILLED)
