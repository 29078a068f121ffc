"""What may stand in the head of a response: nothing else is HTTP, or would stay one header."""

import re

_STATUSES = range(200, 600)  # one in the hundreds announces another response, it does not answer
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def status_of(code: str | int) -> int:
    """The status that a number, perhaps in a text, stands for, or ValueError."""
    if int(code) not in _STATUSES:
        raise ValueError(f"{code} is not the status of a response")
    return int(code)


def is_header(name: str, value: str) -> bool:
    """Whether the name is a token, and the value has no control characters but tabs (RFC 9110, 5.1 and 5.5).

    >>> is_header("X-Fine", "a\\tb"), is_header("X Bad", ""), is_header("X-Bad", "a\\r\\nSet-Cookie: b")
    (True, False, False)
    """
    return _NAME.fullmatch(name) is not None and _CONTROLS.search(value) is None
