"""Runs in processes of their own, and what they may do there."""

import json
import os
import resource
import signal
import socket
import stat
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from itertools import count

from chalicelib.adapters.confinement import Bounds
from chalicelib.adapters.sandbox import ForkedRun, ForkedSandbox
from chalicelib.adapters.system import SystemClock
from chalicelib.job_types.contract import Step
from chalicelib.ports.sandbox import Began, Event, Stepped, Work

Said = Generator[Began | Step, None, bytes]
MIB = 1024**2
MONOTONIC = SystemClock().monotonic
SANDBOX = ForkedSandbox(monotonic=MONOTONIC)
NARROW = ForkedSandbox(monotonic=MONOTONIC, bounds=Bounds(memory_bytes=64 * MIB))
BRIEF = ForkedSandbox(monotonic=MONOTONIC, bounds=Bounds(processor_seconds=1))


def doing(act: Callable[[], object]) -> Work:
    """Work that tells its process's id as its cost, and then does this; what it gives is the result."""

    def work() -> Said:
        yield Began(os.getpid())
        return json.dumps(act()).encode()

    return work


def next_of(running: ForkedRun) -> Event:
    event = running.next(timeout_seconds=20)
    assert event is not None, "the run says nothing"
    return event


def pid_of(running: ForkedRun) -> int:
    began = next_of(running)
    assert isinstance(began, Began)
    return began.cost_units


def last_of(running: ForkedRun) -> Event:
    while isinstance(event := next_of(running), Began | Stepped):
        pass
    return event


def is_gone(pid: int) -> bool:
    """Whether there is no such process: a zombie still is one."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def spin_in_python() -> None:
    while True:
        pass


def spin_in_c() -> None:
    """Never comes back to the interpreter, so it neither sees a signal nor lets another thread run."""
    deque(count(), maxlen=0)


def wait() -> None:
    signal.pause()


def channel() -> socket.socket:
    """The one socket that a run has, which none of our job types would ever touch."""
    for number in range(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                return socket.socket(fileno=number)
    raise AssertionError("there is none")
