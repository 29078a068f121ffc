"""`python -m emulation`: runs a project's functions behind a local API Gateway, with its services, chain."""

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.markup import escape

from emulation import added
from emulation.demo.command import demo
from emulation.environment import isolated
from emulation.settings import ClockKind, Options
from emulation.state_dir import AlreadyRunning, NotRunning, read_description

DEFAULT_PORT = 4566
DEFAULT_STATE_DIR = Path(".local")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
StateDir = Annotated[
    Path, typer.Option(file_okay=False, help="Where this stack keeps its logs and stack.json.")
]


app.command()(demo)


@app.callback()
def main() -> None:
    """A local stack for a Chalice project: API Gateway, AWS services, triggers, and a chain."""


@app.command()
def up(
    *,
    port: Annotated[int, typer.Option(help="The edge's port; 0 takes any free one.")] = DEFAULT_PORT,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    clock: Annotated[
        ClockKind, typer.Option(help="A manual clock stands still until moved.")
    ] = ClockKind.SYSTEM,
    aws_endpoint: Annotated[
        str | None, typer.Option(help="Pass all AWS APIs but API Gateway on to this URL.")
    ] = None,
    function: Annotated[
        list[str] | None, typer.Option(metavar="NAME=MODULE:HANDLER", help="Add a function of yours.")
    ] = None,
    usage_dir: Annotated[
        Path | None, typer.Option(help="Keep what each API key has used here, across restarts.")
    ] = None,
    project: Annotated[Path, typer.Option(help="The Chalice project to run.")] = Path(),
) -> None:
    """Start a stack and stay until Ctrl-C."""
    if aws_endpoint and clock is ClockKind.MANUAL:
        typer.echo(
            f"--clock manual needs the stack's own services: the clock of {aws_endpoint} cannot be moved",
            err=True,
        )
        raise typer.Exit(2)
    try:
        added.parse(function or ())
    except added.InvalidFunction as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    options = Options(
        port=port,
        state_dir=state_dir.resolve(),
        clock=clock,
        aws_endpoint=aws_endpoint,
        functions=tuple(function or ()),
        usage_dir=usage_dir.resolve() if usage_dir else None,
    )
    raise typer.Exit(_up(options, project.resolve()))


@app.command()
def env(state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Print the functions' environment of the running stack as `export` lines, for `eval`."""
    with _running_stack():
        for name, value in read_description(state_dir)["environment"].items():
            typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def usage(
    *,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it, for programs.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Print it and go, on a terminal too.")] = False,
) -> None:
    """Show what is left of each API key's quotas and buckets, and when it resets, until Ctrl-C."""
    from emulation import usage_command  # here, so that the other commands start without it

    with _running_stack():
        if as_json:
            usage_command.print_document(state_dir)
        elif once or not sys.stdout.isatty():
            usage_command.show_once(state_dir)
        else:
            usage_command.watch(state_dir)


@contextmanager
def _running_stack() -> Iterator[None]:
    """Ends the command with a line if there is no stack."""
    try:
        yield
    except NotRunning as reason:
        typer.echo(str(reason), err=True)
        raise typer.Exit(1) from None


def _up(options: Options, folder: Path) -> int:
    surroundings = isolated(os.environ)  # boto3 reads it in this process too
    os.environ.clear()
    os.environ.update(surroundings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_until_signalled(options, folder))


async def _until_signalled(options: Options, folder: Path) -> int:
    """The exit status of a stack that ran until a signal, or failed; later signals do not disturb a stop."""
    from emulation import stack  # here, so that the other commands start without it
    from emulation.progress import Progress

    console = Console()
    running = asyncio.create_task(stack.run(options, folder, Progress(console)))

    def stop() -> None:
        if not running.cancelling():
            running.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        await running
    except asyncio.CancelledError:
        console.print("Stopped: nothing is left running.", highlight=False)
        return 0
    except AlreadyRunning as error:
        Console(stderr=True).print(f"[red]✗[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        return 2
    except (stack.CannotStart, stack.ProcessEnded) as error:
        Console(stderr=True).print(f"[red]✗[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        return 1
    raise AssertionError("a stack runs until it is cancelled")


if __name__ == "__main__":
    app()
