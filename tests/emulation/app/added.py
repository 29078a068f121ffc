"""A function that no app declares: it is given to the stack by name, `--function`."""

from typing import Any


def double(event: int, context: Any) -> int:
    return 2 * event
