"""`jobs result`."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated

import typer

from client.cli.bars import received
from client.cli.files import write_whole
from client.cli.session import AsJson, JobId, Stack, Tenant, session


def result(
    context: typer.Context,
    job_id: JobId,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it there, whole or not at all."),
    ] = None,
    stack: Stack = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Print a job's result once its SHA-256 is checked; with --json, the API's document of it."""
    with session(context, stack, tenant, as_json=as_json) as now:
        stored = now.client.stored_result(job_id)
        if output is not None or not as_json:
            chunks = received(now.screen, now.client.content_of(stored), stored.size_bytes)
            if output is None:
                _print_whole(chunks)
            else:
                write_whole(output, chunks)
                now.screen.note(f"{stored.size_bytes:,} bytes, SHA-256 checked: {output}")
        if as_json:
            now.screen.answer(stored.document, "")


def _print_whole(chunks: Iterable[bytes]) -> None:
    """Prints the exact bytes once all of them are there and right."""
    with TemporaryFile() as draft:
        draft.writelines(chunks)
        draft.seek(0)
        stdout = typer.get_binary_stream("stdout")
        shutil.copyfileobj(draft, stdout)
        if stdout.isatty():
            stdout.write(b"\n")
        stdout.flush()
