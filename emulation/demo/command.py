"""`python -m emulation demo`: the product shown with real data on a stack of its own.

It touches no stack that someone runs, exits with 0 only if every check held, and leaves no process,
whatever ends it. The logs stay if something failed.
"""

import os
import shutil
import signal
import tempfile
import traceback
from pathlib import Path
from typing import Annotated, Never

import typer

from emulation.demo.screen import CheckFailed, Screen
from emulation.demo.stack import own_stack
from emulation.environment import isolated

INTERRUPTED = 130  # what shells report for Ctrl-C


def demo(*, project: Annotated[Path, typer.Option(help="The Chalice project to show.")] = Path()) -> None:
    """Run real jobs on a stack of its own, verify them on the chain, and stop everything."""
    surroundings = isolated(os.environ)  # boto3, httpx and web3 read it in this process
    os.environ.clear()
    os.environ.update(surroundings)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    raise typer.Exit(_show(project.resolve(), Screen()))


def _show(project: Path, screen: Screen) -> int:
    """The exit status. The outermost place, so it is here that any error becomes a sentence."""
    folder = Path(tempfile.mkdtemp(prefix="jobs-demo-"))
    try:
        with own_stack(project, folder) as starting:
            from emulation.demo.story import tell  # takes a second, which the stack needs to start anyway

            tell(screen, starting, project)
    except KeyboardInterrupt:
        screen.note("Interrupted. Everything is stopped.")
        shutil.rmtree(folder)
        return INTERRUPTED
    except CheckFailed as failed:
        screen.failed(f"The first check that did not hold: {failed}", logs=folder)
        return 1
    except Exception as error:
        (folder / "demo.log").write_text(traceback.format_exc())
        screen.failed(f"{type(error).__name__}: {error}", logs=folder)
        return 1
    shutil.rmtree(folder)
    screen.closed()
    return 0


def _interrupt(_number: int, _frame: object) -> Never:
    raise KeyboardInterrupt
