"""One run of a command: its settings, its client and its screen, and how it ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import httpx
import typer

from client.cli.exit_codes import ExitCode
from client.cli.problems import ending_of
from client.cli.screen import Screen
from client.cli.settings import Settings, read_settings
from client.jobs import JobsClient
from client.system import System

AsJson = Annotated[bool, typer.Option("--json", help="Print the API's own document, as JSON.")]
Stack = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="A local stack's stack.json, in place of JOBS_URL and its like."),
]
Tenant = Annotated[
    str | None, typer.Option(metavar="NAME", help="Which of the stack's tenants to be; the first by default.")
]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id.", show_default=False)]


@dataclass(frozen=True, slots=True)
class Outside:
    """The time and the network that commands run with."""

    system: System = field(default_factory=System)
    transport: httpx.BaseTransport | None = None


@dataclass(slots=True)
class Session:
    """What a command works with. `to_go_on` is what to do should it be interrupted now."""

    client: JobsClient
    screen: Screen
    settings: Settings
    system: System
    to_go_on: str = "Run the command again: nothing is done twice."


@contextmanager
def session(
    context: typer.Context, stack: Path | None, tenant: str | None, *, as_json: bool
) -> Iterator[Session]:
    """Whatever happens within ends the process with one of our exit codes, and a word on stderr."""
    outside = context.obj or Outside()
    screen = Screen(as_json=as_json)
    opened: Session | None = None
    try:
        settings = read_settings(os.environ, stack=stack, tenant=tenant)
        credentials = settings.client_id, settings.client_secret
        with JobsClient(
            settings.base_url, *credentials, transport=outside.transport, system=outside.system
        ) as client:
            opened = Session(client, screen, settings, outside.system)
            yield opened
    except KeyboardInterrupt:
        advice = opened.to_go_on if opened else "Run the command again."
        screen.problem({"code": "interrupted", "advice": advice}, ("interrupted", advice))
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except Exception as error:
        ending = ending_of(error)
        if ending is None:
            raise
        screen.problem(ending.document, ending.lines)
        raise typer.Exit(ending.exit_code) from None
