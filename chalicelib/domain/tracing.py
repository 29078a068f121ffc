"""Whose story the code at hand is part of: the trace ids that its log lines and its calls to others name.

W3C Trace Context (level 1, version 00). What is followed is a context variable, as OpenTelemetry has it, so
that ports need not pass it on; a message, which outlives the call, is told its trace id instead. Invariant:
a trace id is made of what is given alone, so a story told twice has the same ids.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# §3.2.2: lower case, no id of zeros, never version ff; only a later version may add what follows the flags.
_TRACEPARENT = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace_id>(?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
    r"(?P<more>-.*)?"
)
VERSION = "00"
# Sampled: each request and each run has its line in our log.
FLAGS = "01"

_followed: ContextVar[tuple[str, ...] | None] = ContextVar("followed", default=None)


def parse(traceparent: str) -> str | None:
    """The trace id of a valid `traceparent`.

    >>> parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    '4bf92f3577b34da6a3ce929d0e0e4736'
    """
    valid = _TRACEPARENT.fullmatch(traceparent)
    if valid is None or (valid["version"] == VERSION and valid["more"] is not None):
        return None
    return valid["trace_id"]


def new_trace_id(request_id: str) -> str:
    """A trace that begins with this request, or with an invocation that no request is behind."""
    return f"{_odd(request_id, size_bytes=16):032x}"


def traceparent(trace_id: str, *, step: str) -> str:
    """The header by which one of our steps names itself as the parent of what it calls.

    >>> traceparent("4bf92f3577b34da6a3ce929d0e0e4736", step="run")
    '00-4bf92f3577b34da6a3ce929d0e0e4736-abecc0249c1081e3-01'
    """
    return f"{VERSION}-{trace_id}-{_odd(trace_id, step, size_bytes=8):016x}-{FLAGS}"


@contextmanager
def story(*trace_ids: str) -> Iterator[None]:
    """Within it these are followed, or what `follow` says meanwhile; after it, whatever was before."""
    token = _followed.set(followed())
    try:
        follow(*trace_ids)
        yield
    finally:
        _followed.reset(token)


def follow(*trace_ids: str) -> None:
    """These from now on, until the story ends; without any, what is followed stays.

    Outside of a story it does nothing, for what nobody ends would be followed by whatever comes next.
    """
    known = tuple(dict.fromkeys(each for each in trace_ids if each))
    if known and _followed.get() is not None:
        _followed.set(known)


def followed() -> tuple[str, ...]:
    """The trace ids that the code at hand works for: one, or a batch's, each once and in its order."""
    return _followed.get() or ()


def _odd(*parts: str, size_bytes: int) -> int:
    """A number of these parts; odd, for an id of zeros is none."""
    digest = hashlib.sha256("\n".join(parts).encode()).digest()
    return int.from_bytes(digest[:size_bytes]) | 1
