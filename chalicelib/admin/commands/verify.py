"""`verify`: a job against the chain."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.admin.commands.printing import AsJson, answer, notice, table
from chalicelib.admin.commands.stack import connected_with_chain
from chalicelib.domain.audit import Outcome

if TYPE_CHECKING:
    from chalicelib.domain.job import Job
    from chalicelib.use_cases.verify_confirmation import Check, Report, VerifyConfirmation

JOB_ID = re.compile(r"job_[0-9A-HJKMNP-TV-Z]{26}")
FAILED_STATUS = 1


def verify(
    job_id: Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")],
    *,
    tenant: Annotated[str | None, typer.Option(metavar="NAME", help="Its tenant; else any is.")] = None,
    materialize: Annotated[
        bool, typer.Option("--materialize", help="Have the registry record a compact job by itself, first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check that a job is confirmed once, for its stored result. The status is 0 if all of it holds."""
    stack = connected_with_chain()
    tenant_ids = [stack.tenants.named(tenant).tenant_id] if tenant else []
    job = _found(stack.verify_confirmation, job_id, tenant_ids)
    changed: dict[str, bool] = {}
    if materialize:
        changed["changed"] = stack.verify_confirmation.materialize(job) is Outcome.CHANGED
    report = stack.verify_confirmation(job, tell=notice)
    answer({**_document(report), **changed}, _text(report), as_json=as_json)
    if not report.holds:
        raise typer.Exit(FAILED_STATUS)


def _found(verify_confirmation: "VerifyConfirmation", job_id: str, tenant_ids: Sequence[str]) -> "Job":
    if not JOB_ID.fullmatch(job_id):
        raise typer.BadParameter("this is no job's id: it is `job_` and 26 characters", param_hint="JOB")
    job = verify_confirmation.find(job_id, tenant_ids=tenant_ids)
    if job is None:
        raise typer.BadParameter(f"there is no job {job_id}", param_hint="JOB")
    return job


def _text(report: "Report") -> str:
    job, failed = report.job, sum(not each.holds for each in report.checks)
    rows = [("ok" if each.holds else "FAILED", each.name, _values(each)) for each in report.checks]
    verdict = f"{failed} of {len(report.checks)} checks FAILED" if failed else "all of it holds"
    last = f"job {job.ref.job_id} of {job.ref.tenant_id}, {job.path}: {verdict}"
    return f"{table(('CHECK', 'OF', 'FOUND'), rows, empty='')}\n{last}"


def _values(check: "Check") -> str:
    return check.found if check.holds else f"{check.found}, expected {check.expected}"


def _document(report: "Report") -> dict[str, object]:
    return {
        "job_id": report.job.ref.job_id,
        "tenant_id": report.job.ref.tenant_id,
        "confirmation": report.job.path.value,
        "verified": report.holds,
        "checks": [
            {"check": each.name, "holds": each.holds, "expected": each.expected, "found": each.found}
            for each in report.checks
        ],
    }
