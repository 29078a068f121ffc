"""`jobs wait`, and waiting at the end of a submit."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from client.cli.bars import job_bars
from client.cli.exit_codes import ExitCode
from client.cli.session import AsJson, Session, Stack, Tenant, session
from client.documents import Job, Status
from client.jobs import WAIT_SECONDS
from client.watching import StillRunning

Timeout = Annotated[float, typer.Option(metavar="SECONDS", min=1, help="Wait no longer than this.")]


def wait(
    context: typer.Context,
    job_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="The jobs' ids.", show_default=False)],
    *,
    timeout: Timeout = WAIT_SECONDS,
    stack: Stack = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Wait until all the jobs have ended, and print each as it ends (with --json, a line each)."""
    with session(context, stack, tenant, as_json=as_json) as now:
        for job in follow(now, list(dict.fromkeys(job_ids)), timeout_seconds=timeout):
            now.screen.line(job.document, f"{job.id} {job.status}")


def follow(now: Session, job_ids: Sequence[str], *, timeout_seconds: float) -> Iterator[Job]:
    """Each job as it ends; after the last, the command ends with `NO` unless all have succeeded."""
    still_open = dict.fromkeys(job_ids)
    succeeded = True
    now.to_go_on = _to_go_on(still_open)
    try:
        with job_bars(now.screen, job_ids) as show:
            for job in now.client.follow(*job_ids, timeout_seconds=timeout_seconds):
                show(job)
                if not job.is_terminal:
                    continue
                del still_open[job.id]
                now.to_go_on = _to_go_on(still_open)
                succeeded = succeeded and job.status is Status.SUCCEEDED
                yield job
                _tell_failure(now, job)
    except StillRunning:
        raise StillRunning(f"The time is up. {_to_go_on(still_open)}") from None
    if not succeeded:
        raise typer.Exit(ExitCode.NO)


def _to_go_on(still_open: dict[str, None]) -> str:
    return f"Nothing is lost, the work goes on. To wait again: jobs wait {' '.join(still_open)}"


def _tell_failure(now: Session, job: Job) -> None:
    if job.error:
        now.screen.note(f"{job.id} failed: {job.error.get('code')}: {job.error.get('detail')}")
