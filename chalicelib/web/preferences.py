"""What the client would prefer (RFC 7240): honoured where we can, and never a reason to refuse.

Not a structured field (RFC 8941): a value may follow a space, and the first of two instances counts.
"""

import re
from collections.abc import Sequence

# The gateway ends an answer after 29 seconds and the function after 28, which must hold the reads as well.
LONGEST_WAIT_SECONDS = 20

# Up to the next comma that is not inside a quoted string; one without an end takes the rest.
_PREFERENCE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*(?:"|\\?\Z))+')
# `wait` (§4.3) with its value as a token or quoted, which mean the same; parameters mean nothing to it.
_WAIT = re.compile(r'[ \t]*wait[ \t]*=[ \t]*(?:(\d+)|"(\d+)")[ \t]*(?:;.*)?', re.IGNORECASE | re.ASCII)
_NAME = re.compile(r"[ \t]*([^ \t=;]*)")


def wait_seconds(prefer: Sequence[str]) -> int | None:
    """The seconds of `wait` that we honour; None if it is not asked for, or not as the RFC writes it.

    >>> wait_seconds(['respond-async, Wait="5"']), wait_seconds(["wait=3600"]), wait_seconds(["wait=soon"])
    (5, 20, None)
    """
    for preference in _PREFERENCE.findall(",".join(prefer)):
        name = _NAME.match(preference)
        if name is not None and name[1].lower() == "wait":
            return _seconds(preference)
    return None


def _seconds(preference: str) -> int | None:
    found = _WAIT.fullmatch(preference)
    if found is None:
        return None
    digits = (found[1] or found[2]).lstrip("0")
    # Four digits are above the limit already, and `int` does not read some thousands of them.
    return min(int(digits[:4] or "0"), LONGEST_WAIT_SECONDS)
