"""However a run ends, the function that watches it is told how, and its process is gone."""

import ctypes
import mmap
import os
import signal
import socket
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from pydantic_core import from_json

from chalicelib.adapters.event_frames import HEADER, EventReader
from chalicelib.adapters.sandbox import ForkedRun
from chalicelib.domain.job import Progress
from chalicelib.job_types.contract import Step
from chalicelib.ports.sandbox import Began, Bound, Broke, Ended, Exceeded, Stepped
from tests.unit.forked import (
    BRIEF,
    MIB,
    NARROW,
    SANDBOX,
    Said,
    channel,
    doing,
    is_gone,
    last_of,
    next_of,
    pid_of,
    spin_in_c,
    spin_in_python,
    wait,
)


def hoard(piece: Callable[[], object]) -> Callable[[], None]:
    def act() -> None:
        kept = []
        while True:
            kept.append(piece())

    return act


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(hoard(lambda: bytearray(MIB)), id="mebibytes"),
        pytest.param(hoard(list), id="small objects"),
        pytest.param(hoard(lambda: {1: 2}), id="dictionaries"),
        pytest.param(lambda: bytearray(2**40), id="at once"),
        pytest.param(lambda: 1 << 2**33, id="a number"),
    ],
)
def test_the_memory_is_named_when_a_run_allocates_until_it_is_refused(act: Callable[[], object]) -> None:
    running = NARROW.start(doing(act))
    pid = pid_of(running)
    assert last_of(running) == Exceeded(Bound.MEMORY)
    assert is_gone(pid)


def test_the_memory_is_named_when_a_library_aborts_for_want_of_it(tmp_path: Path) -> None:
    """As the JSON parser does, which is of Rust; however much of files the function has in memory itself."""
    dense = b"[" + b"[]," * 4_000_000 + b"[]]"
    file = tmp_path / "library"
    file.write_bytes(bytes(128 * MIB))
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert mapped.find(b"touched") == -1
        assert last_of(NARROW.start(doing(lambda: len(from_json(dense))))) == Exceeded(Bound.MEMORY)


def test_memory_is_given_when_it_is_within_the_bound() -> None:
    assert last_of(NARROW.start(doing(lambda: len(bytearray(48 * MIB))))) == Ended(b"%d" % (48 * MIB))


def test_reserved_addresses_count_for_nothing_when_they_are_not_memory() -> None:
    """As glibc's arenas are, and the mapped files of libraries."""

    def reserve() -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        return int(libc.mmap(None, ctypes.c_size_t(2**40), 0, flags, -1, 0) == ctypes.c_void_p(-1).value)

    assert last_of(NARROW.start(doing(reserve))) == Ended(b"0")


@pytest.mark.parametrize("spin", [spin_in_python, spin_in_c])
def test_the_processor_time_is_named_when_a_run_computes_for_ever(spin: Callable[[], None]) -> None:
    running = BRIEF.start(doing(spin))
    pid = pid_of(running)
    assert last_of(running) == Exceeded(Bound.PROCESSOR_TIME)
    assert is_gone(pid)


@pytest.mark.parametrize("spin", [spin_in_python, spin_in_c, wait])
def test_nothing_is_heard_and_the_process_is_gone_when_a_run_is_killed(spin: Callable[[], None]) -> None:
    running = SANDBOX.start(doing(spin))
    pid = pid_of(running)
    assert running.next(timeout_seconds=0) is None
    assert running.next(timeout_seconds=0.01) is None
    assert not is_gone(pid)
    running.kill()
    assert is_gone(pid)


@pytest.mark.parametrize(
    ("act", "detail"),
    [
        pytest.param(os.abort, "signal 6", id="abort"),
        pytest.param(lambda: ctypes.string_at(0), "signal 11", id="segmentation fault"),
        pytest.param(lambda: os._exit(3), "exit status 3", id="exit"),
        pytest.param(lambda: os.kill(os.getpid(), signal.SIGKILL), "signal 9", id="the kernel's kill"),
        pytest.param(lambda: channel().close() or spin_in_c(), "signal 9", id="a closed channel"),
        pytest.param(
            lambda: channel().sendall(HEADER.pack(b"e", 0, 0, 2**40)) or spin_in_c(),
            f"its process sent a message of {2**40} bytes",
            id="a hostile message",
        ),
        pytest.param(
            lambda: channel().sendall(b"\xff" * HEADER.size) or spin_in_c(),
            "its process sent a message of 18446744073709551615 bytes",
            id="gibberish",
        ),
    ],
)
def test_how_the_process_ended_is_told_when_it_says_nothing_of_it(
    act: Callable[[], object], detail: str
) -> None:
    running = SANDBOX.start(doing(act))
    pid = pid_of(running)
    assert last_of(running) == Broke(detail)
    assert is_gone(pid)


def test_a_number_that_is_no_progress_breaks_its_run_alone() -> None:
    def work() -> Said:
        yield Step(Progress(-1, 1))
        return b"never"

    broke = last_of(SANDBOX.start(work))
    assert isinstance(broke, Broke)
    assert broke.detail.startswith("error < event_frames.py:")


def test_a_large_result_arrives_whole_when_it_is_read_in_pieces() -> None:
    content = os.urandom(MIB) * 50

    def work() -> Said:
        yield Began(1)
        return content

    running = SANDBOX.start(work)
    event, nothing = running.next(timeout_seconds=0), 0
    while not isinstance(event, Ended):
        nothing += event is None
        event = running.next(timeout_seconds=0)
    assert event.content == content
    assert nothing > 200  # a piece for each, for none waits for the whole


class Trickle(socket.socket):
    """A message of which a byte is always there, and never the whole."""

    said = HEADER.pack(b"e", 0, 0, MIB)

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        piece, self.said = self.said, b"x"
        return piece


def test_the_watching_goes_on_when_a_message_trickles_in_for_ever() -> None:
    running = SANDBOX.start(doing(wait))
    clock = count(0, 0.001).__next__
    with Trickle() as trickle:
        watched = ForkedRun(
            pid_of(running),
            trickle,
            monotonic=clock,
            reader=EventReader(content_bytes=MIB),
            much_memory_bytes=MIB,
        )
        assert [watched.next(timeout_seconds=0.02) for _ in range(3)] == [None, None, None]
    running.kill()


def test_the_process_is_gone_when_it_is_killed_in_the_middle_of_a_message() -> None:
    def say_a_part() -> None:
        said = channel()
        said.sendall(HEADER.pack(b"e", 0, 0, 50 * MIB) + b"x" * MIB)
        wait()

    running = SANDBOX.start(doing(say_a_part))
    pid = pid_of(running)
    assert [running.next(timeout_seconds=0.05) for _ in range(3)] == [None, None, None]
    running.kill()
    assert is_gone(pid)


def test_steps_are_left_out_when_they_come_faster_than_anybody_reads() -> None:
    def work() -> Said:
        for completed in range(1, 100_001):
            yield Step(Progress(completed, 100_000))
        return b"done"

    running, steps = SANDBOX.start(work), 0
    while isinstance(event := next_of(running), Stepped):
        steps += 1
    assert event == Ended(b"done")
    assert 1 <= steps < 1_000
