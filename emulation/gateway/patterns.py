"""Patterns that somebody else wrote, matched against what a client sends.

`re` keeps every other thread waiting while it backtracks: such a pattern, and a text made for it, would stop
the edge. Here another engine does the matching, and it ends within its time.
"""

from dataclasses import dataclass
from typing import Any

import regex

# A search that ends at all ends in a small part of this; one that takes longer backtracks without end.
MATCH_SECONDS = 1.0
# In the event loop every other request waits meanwhile, and a token or a status is short.
LOOP_MATCH_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Pattern:
    """One that is matched in the event loop."""

    compiled: Any  # the engine's own type knows no time-outs

    def covers(self, text: str) -> bool:
        """Whether the pattern covers the whole text, as far as that can be told in time.

        >>> compiled("Bearer .+").covers("Bearer t"), compiled("Bearer .+").covers("x Bearer t")
        (True, False)
        """
        try:
            return self.compiled.fullmatch(text, timeout=LOOP_MATCH_SECONDS) is not None
        except TimeoutError:
            return False


def compiled(pattern: str) -> Pattern:
    """The pattern, or ValueError."""
    try:
        return Pattern(regex.compile(pattern))
    except regex.error as error:
        raise ValueError(f"{pattern!r} is not a pattern: {error}") from error


def is_found(pattern: str, text: str) -> bool:
    """Whether the pattern is found in the text; TimeoutError if that cannot be told in time.

    Call it from a thread: others run on meanwhile.
    """
    return regex.search(pattern, text, concurrent=True, timeout=MATCH_SECONDS) is not None
