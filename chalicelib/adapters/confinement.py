"""How a forked process gives up what it does not need, before it touches a tenant's input.

It is still a copy of the function's memory: this bounds what our own code does with a hostile input, and
what an accident may reach, not what hostile code could do.
"""

import ctypes
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# What the interpreter and TLS read on their own; every credential and setting is the function's alone.
KEPT_ENVIRONMENT = frozenset(
    {"HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "TZ"}
)
STANDARD_DESCRIPTORS = frozenset({0, 1, 2})
# Python itself needs some to say that it has run out: a traceback, a message.
RESERVE_BYTES = 16 * 1024 * 1024
# Between SIGXCPU, which nothing of ours catches, and SIGKILL, which nothing can.
RESERVE_SECONDS = 1

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded before any fork


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a run may use beside what the function has in use when it starts.

    Memory is what is private and writable (`RLIMIT_DATA`), and not address space: 16 threads that allocate
    a kilobyte each reserve 1,089 MiB of that, glibc's arenas, and 131 MiB of memory, their stacks. Mappings
    that processes share are not counted; no library of ours makes any. Processor time is all threads'.
    """

    memory_bytes: int = 1024**3
    processor_seconds: int = 120


def end_with(parent: int) -> None:
    """From now on this process ends when its parent does; at once if it has ended already.

    Outside Linux a run notices at its next step, at the channel's end of file.
    """
    if _LIBC:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def give_up_all_but(descriptor: int) -> None:
    """Leaves this descriptor and the standard ones, a plain environment, and no handler of a signal."""
    gc.freeze()  # the collector would otherwise touch, and so copy, every page shared with the function
    signal.set_wakeup_fd(-1)
    for each in signal.valid_signals():
        if signal.getsignal(each) not in (signal.SIG_DFL, signal.SIG_IGN):
            signal.signal(each, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _forget_descriptors(STANDARD_DESCRIPTORS | {descriptor})
    for name in os.environ.keys() - KEPT_ENVIRONMENT:
        del os.environ[name]


def _forget_descriptors(kept: frozenset[int]) -> None:
    """The null device in place of each: an object that still holds the number then closes nothing else."""
    listing = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
    null = os.open(os.devnull, os.O_RDWR)
    for each in {int(each.name) for each in Path(listing).iterdir()} - kept - {null}:
        with suppress(OSError):  # the listing's own is closed by now
            os.fstat(each)
            os.dup2(null, each, inheritable=False)
    os.close(null)


def bind(bounds: Bounds) -> Callable[[], None]:
    """Holds this process to the bounds from now on; returns what gives it the last reserve of memory."""
    with suppress(OSError):  # if the machine itself runs out, this process goes and not the function
        Path("/proc/self/oom_score_adj").write_text("1000")
    memory = _bytes_of("VmData") + bounds.memory_bytes
    _limit(resource.RLIMIT_CORE, 0, 0)
    _limit(resource.RLIMIT_CPU, bounds.processor_seconds, bounds.processor_seconds + RESERVE_SECONDS)
    _limit(resource.RLIMIT_DATA, memory, memory + RESERVE_BYTES)
    return lambda: _limit(resource.RLIMIT_DATA, memory + RESERVE_BYTES, memory + RESERVE_BYTES)


def _limit(which: int, soft: int, hard: int) -> None:
    _, most = resource.getrlimit(which)
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(which, (soft, hard))


def inherited_bytes() -> int:
    """What a fork of this process has in memory at once: a file's pages come only when they are touched."""
    return _bytes_of("RssAnon")


def _bytes_of(member: str) -> int:
    """A number of this process's status; 0 outside Linux, where `RLIMIT_DATA` hardly counts anything."""
    if sys.platform != "linux":
        return 0
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{member}:")[2].split(maxsplit=1)[0]) * 1024
