"""Functions that are given to the stack by name: `--function NAME=MODULE:HANDLER`, in Lambda's terms."""

import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A name as Lambda takes it; a handler is an attribute of a module that can be imported from the project.
_WRITTEN = re.compile(r"(?P<name>[A-Za-z0-9_-]{1,64})=(?P<module>[\w.]+):(?P<handler>\w+)")


class InvalidFunction(Exception):
    """A function cannot be added; the message is one line that says what to do."""

    def __init__(self, written: str, advice: str) -> None:
        super().__init__(f"--function {written}: {' '.join(advice.split())}")


@dataclass(frozen=True, slots=True)
class AddedFunction:
    """One of them, as it was written."""

    name: str
    module: str
    handler: str

    @property
    def written(self) -> str:
        return f"{self.name}={self.module}:{self.handler}"

    def load(self) -> Callable[..., Any]:
        """The handler; raises InvalidFunction if there is none."""
        try:
            handler = getattr(importlib.import_module(self.module), self.handler, None)
        except (Exception, SystemExit) as error:
            reason = f"importing {self.module} in {Path.cwd()} fails with {type(error).__name__}: {error}"
            raise InvalidFunction(self.written, reason) from error
        if not callable(handler):
            advice = f"{self.module} has no function {self.handler}: name one that takes (event, context)"
            raise InvalidFunction(self.written, advice)
        return handler  # type: ignore[no-any-return]


def parse(functions: Sequence[str]) -> tuple[AddedFunction, ...]:
    """Raises InvalidFunction unless each is well written and has a name of its own.

    >>> parse(["hello=handlers:hello"])
    (AddedFunction(name='hello', module='handlers', handler='hello'),)
    """
    parsed: dict[str, AddedFunction] = {}
    for written in functions:
        found = _WRITTEN.fullmatch(written)
        if found is None:
            raise InvalidFunction(written, "write it as NAME=MODULE:HANDLER, such as hello=handlers:hello")
        added = AddedFunction(**found.groupdict())
        if added.name in parsed:
            other = parsed[added.name].written
            raise InvalidFunction(written, f"the name is taken by {other}, so choose another")
        parsed[added.name] = added
    return tuple(parsed.values())
