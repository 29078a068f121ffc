"""`jobs get`, `jobs list` and `jobs cancel`."""

from datetime import UTC, datetime
from itertools import islice
from operator import itemgetter
from typing import Annotated, Any

import typer

from client.cli.screen import table
from client.cli.session import AsJson, JobId, Stack, Tenant, session
from client.documents import Job, Status

# A screenful.
LIST_LIMIT = 20
# The most that the API gives at once.
PAGE_SIZE = 100
# Until there is a result: what the chain takes is the service's affair.
UNDER_WAY = (Status.QUEUED, Status.RUNNING)


def moment(text: str) -> datetime:
    """The time, in UTC unless it has an offset.

    >>> moment("2026-11-23").isoformat()
    '2026-11-23T00:00:00+00:00'
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            "Give a day or a time, such as 2026-11-23 or 2026-11-23T08:00:00Z."
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _moment(described: str) -> Any:
    return typer.Option(parser=moment, metavar="TIME", help=described)


def get(
    context: typer.Context,
    job_id: JobId,
    *,
    stack: Stack = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Show a job."""
    with session(context, stack, tenant, as_json=as_json) as now:
        job = now.client.get(job_id)
        now.screen.answer(job.document, _facts(job))


def cancel(
    context: typer.Context,
    job_id: JobId,
    *,
    stack: Stack = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Cancel a job that is queued or running; to repeat it does no harm."""
    with session(context, stack, tenant, as_json=as_json) as now:
        job = now.client.cancel(job_id)
        now.screen.answer(job.document, f"{job.id} {job.status}")


def list_jobs(
    context: typer.Context,
    *,
    status: Annotated[Status | None, typer.Option(help="Only jobs of this status.")] = None,
    job_type: Annotated[str | None, typer.Option("--type", help="Only jobs of this type.")] = None,
    after: Annotated[datetime | None, _moment("Such as 2026-11-23 or 2026-11-23T08:00:00Z.")] = None,
    before: Annotated[datetime | None, _moment("Likewise.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = LIST_LIMIT,
    stack: Stack = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first: those made from --after on and before --before (with --json, a line each)."""
    with session(context, stack, tenant, as_json=as_json) as now:
        found = now.client.list(
            status=status,
            job_type=job_type,
            created_after=after,
            created_before=before,
            page_size=min(limit + 1, PAGE_SIZE),
        )
        jobs = list(islice(found, limit + 1))
        if as_json:
            for job in jobs[:limit]:
                now.screen.line(job.document, "")
        elif jobs:
            typer.echo(
                table(("ID", "TYPE", "STATUS", "DONE", "CREATED"), [_row(job) for job in jobs[:limit]])
            )
        else:
            now.screen.note("No job is like that.")
        if len(jobs) > limit:
            now.screen.note(f"There are more than these {limit}: --limit N shows N of them.")


def _row(job: Job) -> tuple[str, ...]:
    return job.id, job.type, job.status.value, _share(job), _shown(job.created_at)


def _facts(job: Job) -> str:
    """The job, a fact a line."""
    version = f" (version {job.type_version})" if job.type_version is not None else ""
    facts = {
        "id": job.id,
        "type": f"{job.type}{version}",
        "status": job.status.value,
        "done": _share(job),
        "created": _shown(job.created_at),
        **{status.value: _shown(at) for status, at in sorted(job.entered.items(), key=itemgetter(1))},
        "deadline": _shown(job.deadline_at) if job.deadline_at and job.status in UNDER_WAY else "",
        "compute": _compute(job),
        "confirmation": _confirmation(job),
        "error": f"{job.error.get('code')}: {job.error.get('detail')}" if job.error else "",
    }
    return "\n".join(f"{name:<13} {fact}" for name, fact in facts.items() if fact)


def _share(job: Job) -> str:
    return f"{job.progress.completed / job.progress.total:.0%}" if job.progress else ""


def _compute(job: Job) -> str:
    if job.compute is None:
        return ""
    estimated = job.compute.estimated_units
    of = f" of about {estimated:,}" if estimated is not None else ""
    return f"{job.compute.used_units:,}{of} units"


def _confirmation(job: Job) -> str:
    found = job.confirmation
    if found is None:
        return ""
    where = f" in block {found.block_number}, {found.depth} deep" if found.block_number is not None else ""
    return f"{found.path}, {found.state}{where}"


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%SZ}"
