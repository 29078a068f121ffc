"""Looking for secrets where none may be: each half of each, in every form that text takes on its way.

Halves, for a secret cut short is a leak too; what holds the whole in some form holds its halves in it.
"""

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# What is shorter stands somewhere by chance, or can be guessed.
PART_BYTES = 16
# Shown of what stands around a leak.
CONTEXT_BYTES = 60


@dataclass(frozen=True, slots=True)
class Secret:
    """What may be nowhere but in the sinks that it is for; `content` is text, or a key's own bytes."""

    name: str
    content: bytes
    belongs_in: frozenset[str] = frozenset()


def planted(sink: str) -> Secret:
    """One for this sink, no part of which is in another's."""
    return Secret("planted", hashlib.sha256(sink.encode()).hexdigest().encode())


@dataclass
class Sinks:
    """All that was written, answered or stored, by where."""

    written: dict[str, bytearray] = field(default_factory=lambda: defaultdict(bytearray))

    def add(self, sink: str, content: Any) -> None:
        """One more entry; what is no text is written as Python shows it."""
        entry = content if isinstance(content, bytes) else str(content).encode(errors="surrogatepass")
        self.written[sink] += entry + b"\n"

    def leaks(self, secrets: Iterator[Secret] | list[Secret]) -> list[str]:
        """Which secret is where, and in which form; empty when all is well."""
        return [
            f"{secret.name} in {sink} ({form}): {_around(content, place)!r}"
            for secret in secrets
            for form, needle in needles(secret.content)
            for sink, content in self.written.items()
            if sink not in secret.belongs_in and (place := content.find(needle)) >= 0
        ]


def needles(content: bytes) -> Iterator[tuple[str, bytes]]:
    """What to look for, with the form that it is."""
    middle = len(content) // 2
    assert middle >= PART_BYTES, f"{len(content)} bytes are too few to look for halves"
    for part in (content[:middle], content[middle:]):
        for name, encode in ENCODINGS.items():
            yield from ((name, needle) for needle in encode(part))


def _raw(part: bytes) -> list[bytes]:
    return [part]


def _base64(part: bytes) -> list[bytes]:
    """Wherever the part begins in what was encoded, less the characters that its neighbours share."""
    found = []
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + part).rstrip(b"=")
        end = len(encoded) - bool((before + len(part)) % 3)
        found.append(encoded[(0, 2, 3)[before] : end])
    return found


def _base64url(part: bytes) -> list[bytes]:
    return [each.translate(bytes.maketrans(b"+/", b"-_")) for each in _base64(part)]


def _hex(part: bytes) -> list[bytes]:
    return [part.hex().encode(), part.hex().upper().encode()]


def _percent(part: bytes) -> list[bytes]:
    """Every byte, as no encoder has to and each may."""
    return [b"".join(form % byte for byte in part) for form in (b"%%%02X", b"%%%02x")]


ENCODINGS: Mapping[str, Any] = {
    "raw": _raw,
    "base64": _base64,
    "base64url": _base64url,
    "hex": _hex,
    "percent": _percent,
}


def _around(content: bytearray, place: int) -> bytes:
    return bytes(content[max(0, place - CONTEXT_BYTES) : place + CONTEXT_BYTES])
