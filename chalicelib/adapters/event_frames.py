"""Events as bytes on a stream: a tag, two numbers and a content, so that reading them can run no code."""

import struct
from collections.abc import Mapping
from types import MappingProxyType

from chalicelib.domain.job import Progress
from chalicelib.ports.sandbox import (
    Began,
    Bound,
    Broke,
    Ended,
    Event,
    Exceeded,
    Hindered,
    Refused,
    Stepped,
    Stopped,
)

HEADER = struct.Struct(">cQQQ")
"""The tag, two numbers that only some events have, and the content's length."""

_SAID_IN_WORDS: Mapping[bytes, type[Refused] | type[Broke] | type[Hindered]] = MappingProxyType(
    {b"r": Refused, b"k": Broke, b"h": Hindered}
)


class InvalidFrame(Exception):
    """The bytes are no event, or one beyond its bounds."""


def frame(event: Event) -> tuple[bytes, bytes]:
    """The event's header and content, apart so that a large content is not copied."""
    match event:
        case Began(cost_units):
            return _frame(b"b", first=cost_units)
        case Stepped(progress, checkpoint):
            tag = b"s" if checkpoint is None else b"c"
            return _frame(tag, checkpoint or b"", first=progress.completed, second=progress.total)
        case Stopped():
            return _frame(b"t")
        case Ended(content):
            return _frame(b"e", content)
        case Refused(detail):
            return _frame(b"r", detail.encode())
        case Exceeded(bound):
            return _frame(b"x", bound.encode())
        case Broke(detail):
            return _frame(b"k", detail.encode())
        case Hindered(detail):
            return _frame(b"h", detail.encode())


def _frame(tag: bytes, content: bytes = b"", *, first: int = 0, second: int = 0) -> tuple[bytes, bytes]:
    return HEADER.pack(tag, first, second, len(content)), content


class EventReader:
    """Events from what arrives of them, in pieces of any size."""

    def __init__(self, *, content_bytes: int) -> None:
        self._content_bytes = content_bytes
        self._arrived = bytearray()

    def feed(self, piece: bytes) -> None:
        """Adds what has arrived."""
        self._arrived += piece

    def take(self) -> Event | None:
        """The next event; None until all of it has arrived. Raises `InvalidFrame`."""
        if len(self._arrived) < HEADER.size:
            return None
        tag, first, second, length = HEADER.unpack_from(self._arrived)
        if length > self._content_bytes:
            raise InvalidFrame(f"a message of {length} bytes")
        end = HEADER.size + length
        if len(self._arrived) < end:
            return None
        with memoryview(self._arrived) as arrived:
            content = bytes(arrived[HEADER.size : end])
        del self._arrived[:end]
        return _event(tag, first, second, content)


def _event(tag: bytes, first: int, second: int, content: bytes) -> Event:
    try:
        match tag:
            case b"b":
                return Began(first)
            case b"s" | b"c" if first <= second > 0:  # what is charged is the quotient
                return Stepped(Progress(first, second), content if tag == b"c" else None)
            case b"t":
                return Stopped()
            case b"e":
                return Ended(content)
            case b"x":
                return Exceeded(Bound(content.decode()))
            case b"r" | b"k" | b"h":
                return _SAID_IN_WORDS[tag](content.decode())
    except ValueError as error:
        raise InvalidFrame(f"a content that no {tag!r} has") from error
    raise InvalidFrame(f"a message of kind {tag!r}")
