"""What a person sees while a stack starts, runs and stops."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from emulation.clock import monotonic


class Progress:
    """Prints a line for each step that is done, with the time it took."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = self._last = monotonic()

    def done(self, step: str, detail: str) -> None:
        now = monotonic()
        took, self._last = now - self._last, now
        self._console.print(
            f"[green]✓[/] {step:<10} {escape(detail)} [dim]{took:.1f} s[/]", highlight=False, soft_wrap=True
        )

    def note(self, line: str) -> None:
        self._console.print(f"[yellow]![/] {escape(line)}", highlight=False, soft_wrap=True)

    def ready(self, description: Mapping[str, Any], path: object) -> None:
        """Says where everything is; `stack.json` at `path` says it to programs."""
        took = monotonic() - self._began
        rows = {"edge": description["edge_url"], "clock": description["clock_url"]}
        if description["api"]:
            rows["API"] = description["api"]["base_url"]
        if description["docs_url"]:
            rows["reference"] = description["docs_url"]
        if description["chain"]:
            rows["chain"] = f"{description['chain']['rpc_url']}, registry {description['chain']['registry']}"
        for name, value in rows.items():
            self._console.print(f"  {name:<10} {escape(value)}", highlight=False, soft_wrap=True)
        self._console.print(
            f"[bold green]Ready[/] in {took:.1f} s: {path}. Ctrl-C stops everything.",
            highlight=False,
            soft_wrap=True,
        )
