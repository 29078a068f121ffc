"""What is in a protobuf message, told without reading it (protobuf.dev/programming-guides/encoding)."""

from collections.abc import Iterator

_VARINT, _LENGTH_DELIMITED = 0, 2


class NoMessage(ValueError):
    """The bytes are no protobuf message of integers and strings."""


def field_numbers(message: bytes) -> Iterator[int]:
    """The number of each field, in its order; raises `NoMessage` where the bytes are none.

    >>> list(field_numbers(bytes.fromhex("089601" "1a03666865")))
    [1, 3]
    """
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        value, at = _varint(message, at)
        wire_type = tag & 7
        if wire_type not in (_VARINT, _LENGTH_DELIMITED):
            raise NoMessage(f"a field of the wire type {wire_type}")
        if wire_type == _LENGTH_DELIMITED:
            at += value
        if at > len(message):
            raise NoMessage("the last field is cut short")
        yield tag >> 3


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """The integer that begins there, and where the next thing does."""
    value = 0
    for shift, byte in zip(range(0, 70, 7), message[at : at + 10], strict=False):  # of 64 bits at most
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at + shift // 7 + 1
    raise NoMessage("an integer without an end")
