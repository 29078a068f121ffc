"""`python -m emulation usage`: what is left of every bucket and quota of the stack that runs, live."""

import json
import threading
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

from rich.console import Console
from rich.live import Live

from emulation.clock import wait
from emulation.state_dir import NotRunning, read_description
from emulation.usage_screen import picture

# A person sees a second as now, and a stack does not notice one request in it.
REFRESH_SECONDS = 1.0
ANSWER_SECONDS = 5.0
# Where nobody scrolls a terminal: enough for every plan of a small project, and a page of a log.
PLAIN_LINES, PLAIN_CELLS = 60, 120


def print_document(state_dir: Path) -> None:
    """For programs, whole and once. Raises NotRunning."""
    print(json.dumps(_read(state_dir), indent=2))


def show_once(state_dir: Path) -> None:
    """For who reads it, maybe afterwards. Raises NotRunning."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_CELLS, height=PLAIN_LINES)
    console.print(picture(_read(state_dir), lines=console.height, cells=console.width))


def watch(state_dir: Path) -> None:
    """Until Ctrl-C, which leaves the last picture where it is. Raises NotRunning when the stack has gone."""
    console, never = Console(), threading.Event()

    def now() -> Any:
        return picture(_read(state_dir), lines=console.height, cells=console.width)

    try:
        with Live(now(), console=console, auto_refresh=False) as live:
            while not wait(never, REFRESH_SECONDS):
                live.update(now(), refresh=True)
    except KeyboardInterrupt:
        return


def _read(state_dir: Path) -> Any:
    """The document of the stack; one that was killed has left its description, and no answer."""
    url = f"{read_description(state_dir)['edge_url']}/_aws/usage"
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=ANSWER_SECONDS) as answer:
            return json.load(answer)
    except OSError as error:
        raise NotRunning(state_dir) from error
