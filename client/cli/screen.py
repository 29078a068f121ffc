"""What a person or a program sees: data on stdout, all else on stderr."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

# For stderr that is no terminal: lines are as long as they are.
UNBOUNDED_WIDTH = 10_000


class Screen:
    """With `as_json`, every line on stderr is a JSON document too."""

    def __init__(self, *, as_json: bool) -> None:
        console = Console(stderr=True, highlight=False)
        self.as_json = as_json
        self.console = console if console.is_terminal else Console(stderr=True, width=UNBOUNDED_WIDTH)

    def answer(self, document: Mapping[str, Any], text: str) -> None:
        """The command's whole data: one document, or text."""
        _print(json.dumps(document, indent=2, ensure_ascii=False) if self.as_json else text)

    def line(self, document: Mapping[str, Any], text: str) -> None:
        """One of the command's data: a JSON line, or a line of text."""
        _print(_json_line(document) if self.as_json else text)

    def lines(self, documents: Sequence[Mapping[str, Any]], text: str) -> None:
        """The command's whole data: a JSON line each, or text; nothing of none."""
        if documents:
            _print("\n".join(map(_json_line, documents)) if self.as_json else text)

    def note(self, text: str, **facts: str) -> None:
        """What is going on; `facts` are for programs what `text` says."""
        if self.as_json:
            self._say(_json_line({"notice": text, **facts}))
        else:
            self._say(text, style="dim")

    def problem(self, document: Mapping[str, Any], lines: Sequence[str]) -> None:
        """Why the command did not do it: a document, or a headline and what is beneath it."""
        if self.as_json:
            self._say(_json_line(document))
            return
        headline, *rest = lines
        self._say(f"✗ {headline}", style="bold red")
        for line in rest:
            self._say(f"  {line}")

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        """Shows that something goes on, where there is someone to watch."""
        if self.as_json or not self.console.is_terminal:
            yield
            return
        with self.console.status(Text(text)):
            yield

    def _say(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style), soft_wrap=True)


def _print(text: str) -> None:
    """By what sys.stdout is at the moment: bars on the same terminal stand in its place."""
    print(text, flush=True)


def _json_line(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they must be, on a terminal or not.

    >>> print(table(("ID", "STATUS"), [("job_1", "queued"), ("job_22", "running")]))
    ID      STATUS
    job_1   queued
    job_22  running
    """
    lines = (header, *rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
