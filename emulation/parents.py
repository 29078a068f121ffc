"""A child process that does not outlive its parent, however that ends, and leaves none of its own."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def ending_with_us(number: signal.Signals) -> Callable[[], None] | None:
    """For the child, first of all: it gets the signal when the thread that started it ends; Linux alone can.

    All that runs between fork and exec is loaded here, before the fork, so it fits `preexec_fn`.
    """
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask_the_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)

    return ask_the_kernel


def ending_by_ourselves() -> None:
    """Takes back, in the child, what `ending_with_us` asked for: it now ends by itself with its parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, 0)


async def end_session(leader: asyncio.subprocess.Process) -> None:
    """Kills a process that was started with `start_new_session`, and all that it started; safe to repeat."""
    if leader.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(leader.pid, signal.SIGKILL)
    await leader.wait()
