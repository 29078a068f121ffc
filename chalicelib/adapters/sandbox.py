"""Runs in a forked process each, which ends alone: killed, out of bounds, or by a bug in a C library.

The function that starts a run is single-threaded, for a fork copies only the thread that forks, with every
lock as another may just hold it. A fork costs milliseconds where a new interpreter takes a second.
"""

import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Never

from chalicelib.adapters.confinement import Bounds, bind, end_with, give_up_all_but, inherited_bytes
from chalicelib.adapters.event_frames import EventReader, InvalidFrame, frame
from chalicelib.adapters.run_events import CHECKPOINT_SECONDS, CONTENT_BYTES, Pace, broken_by, events_of
from chalicelib.domain.errors import Unavailable
from chalicelib.ports.sandbox import Began, Bound, Broke, Event, Exceeded, Stepped, Work

# Ten times as often as anybody is told of progress.
STEP_SECONDS = 0.05
# What a Unix socket of Linux holds by default, so one read empties it.
CHUNK_BYTES = 208 * 1024
STOP = b"\0"
OUT_OF_MEMORY = frame(Exceeded(Bound.MEMORY))


class ForkedSandbox:
    """The `Sandbox` port. Linux holds all bounds; elsewhere a run's memory is not bounded.

    A run sees the standard output and error, so its prints are the function's logs, and none of the
    function's other descriptors, nor its environment: a connection that it needs it must open itself.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        bounds: Bounds | None = None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
        content_bytes: int = CONTENT_BYTES,
    ) -> None:
        self._monotonic = monotonic
        self._bounds = bounds or Bounds()
        self._pace = Pace(step_seconds=STEP_SECONDS, checkpoint_seconds=checkpoint_seconds)
        self._content_bytes = content_bytes

    def start(self, work: Work) -> "ForkedRun":
        """See `ports.Sandbox.start`. Raises `Unavailable` when there can be no more processes."""
        ours, theirs = socket.socketpair()
        _flush()  # else the child would say again what is still in a buffer
        parent = os.getpid()
        try:
            child = _fork()
        except OSError as error:
            ours.close()
            theirs.close()
            raise Unavailable("No process can be started; try again.") from error
        if child == 0:
            self._run(work, theirs, parent)
        theirs.close()
        return ForkedRun(
            child,
            ours,
            monotonic=self._monotonic,
            reader=EventReader(content_bytes=self._content_bytes),
            much_memory_bytes=inherited_bytes() + self._bounds.memory_bytes // 4,
        )

    def _run(self, work: Work, channel: socket.socket, parent: int) -> Never:
        try:
            end_with(parent)
            give_up_all_but(channel.fileno())
            self._tell(work, channel, spare_memory=bind(self._bounds))
        except Exception as error:  # outermost: of the confinement, or of the channel, which is then gone
            _say(channel, broken_by(error))
        finally:
            os._exit(0)

    def _tell(self, work: Work, channel: socket.socket, *, spare_memory: Callable[[], None]) -> None:
        events = events_of(
            work,
            pace=self._pace,
            monotonic=self._monotonic,
            stop_asked=lambda: _is_asked_to_stop(channel),
            content_bytes=self._content_bytes,
        )
        try:
            for event in events:
                _say(channel, event)
        except MemoryError:  # even for the words
            spare_memory()
            channel.sendall(OUT_OF_MEMORY[0])
            channel.sendall(OUT_OF_MEMORY[1])


class ForkedRun:
    """The `Running` port. The process is gone, and reaped, once the last event is told."""

    def __init__(
        self,
        child: int,
        channel: socket.socket,
        *,
        monotonic: Callable[[], float],
        reader: EventReader,
        much_memory_bytes: int,
    ) -> None:
        self._child = child
        self._channel = channel
        self._monotonic = monotonic
        self._reader = reader
        self._status: int | None = None
        self._much_memory_bytes = much_memory_bytes
        self._peak_bytes = 0

    def next(self, *, timeout_seconds: float) -> Event | None:
        """See `ports.Running.next`."""
        assert self._status is None, "nothing follows a run's last event"
        until = self._monotonic() + timeout_seconds
        try:
            event = self._read(until)
        except InvalidFrame as error:
            event = Broke(f"its process sent {error}")
        if event is not None and not isinstance(event, Began | Stepped):
            self.kill()
        return event

    def _read(self, until: float) -> Event | None:
        remaining = until - self._monotonic()
        while (event := self._reader.take()) is None:
            self._channel.settimeout(max(remaining, 0))
            try:
                piece = self._channel.recv(CHUNK_BYTES)
            except (TimeoutError, BlockingIOError):
                return None
            except ConnectionResetError:  # it ended without having read that it should stop
                piece = b""
            if not piece:
                return self._end()
            self._reader.feed(piece)
            # A message may trickle in for ever: once the time is over, what has arrived is enough.
            if (remaining := until - self._monotonic()) <= 0:
                return self._reader.take()
        return event

    def _end(self) -> Event:
        """What became of a process that ended, or closed its end of the channel, without a last word."""
        self.kill()
        assert self._status is not None
        if not os.WIFSIGNALED(self._status):
            return Broke(f"exit status {os.waitstatus_to_exitcode(self._status)}")
        if (number := os.WTERMSIG(self._status)) == signal.SIGXCPU:
            return Exceeded(Bound.PROCESSOR_TIME)
        # A library that is refused memory may abort, as Rust's do, and what it is refused may be
        # twice as much as it has. What dies of something else with so much in hand is taken for one of them.
        if self._peak_bytes > self._much_memory_bytes:
            return Exceeded(Bound.MEMORY)
        return Broke(f"signal {number}")

    def stop(self) -> None:
        """See `ports.Running.stop`."""
        with suppress(OSError):  # it has ended, which `next` tells
            self._channel.send(STOP)

    def kill(self) -> None:
        """See `ports.Running.kill`. How a process that is ending already has ended stays as it is."""
        if self._status is None:
            os.kill(self._child, signal.SIGKILL)
            _, self._status, used = os.wait4(self._child, 0)
            self._peak_bytes = used.ru_maxrss * 1024  # as Linux counts; elsewhere no memory is bounded
            self._channel.close()


def _fork() -> int:
    """Forks; the child holds back all signals, for the handlers are still the function's."""
    parent, held_back = os.getpid(), signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        with warnings.catch_warnings():
            # Of threads, from Python 3.12 on. The functions have none; where there are some, as in a
            # test's process, the child takes no lock but those that Python or the C library renews.
            warnings.simplefilter("ignore", DeprecationWarning)
            return os.fork()
    finally:
        if os.getpid() == parent:
            signal.pthread_sigmask(signal.SIG_SETMASK, held_back)


def _is_asked_to_stop(channel: socket.socket) -> bool:
    """Whether the parent has said so. Ends this process if the parent is gone: nobody wants the run then."""
    try:
        said = channel.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    if not said:
        os._exit(1)
    return True


def _say(channel: socket.socket, event: Event) -> None:
    header, content = frame(event)
    if not isinstance(event, Began | Stepped):
        _flush()  # the parent kills this process as soon as it has read the last event
    channel.sendall(header)
    channel.sendall(content)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError, OSError):  # closed
            stream.flush()
