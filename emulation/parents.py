"""A child process that does not outlive its parent, however that ends."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def ending_with_us(number: signal.Signals) -> Callable[[], None] | None:
    """For `preexec_fn`: the child gets the signal when the thread that started it ends; Linux alone can.

    All that runs between fork and exec is loaded here, before the fork.
    """
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask_the_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)

    return ask_the_kernel
