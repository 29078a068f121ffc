"""`jobs submit`."""

from pathlib import Path
from typing import Annotated, TypedDict

import typer

from client.cli.bars import sending
from client.cli.inputs import Inline, Input, Large, Uploaded, opened_input
from client.cli.retrying import persistently
from client.cli.session import AsJson, Session, Stack, Tenant, session
from client.cli.waiting import Timeout, follow
from client.documents import ConfirmationPath, Submitted
from client.jobs import WAIT_SECONDS

TypeName = Annotated[str, typer.Argument(metavar="TYPE", help="As `jobs job-types` lists them.")]
GivenInput = Annotated[
    str | None,
    typer.Option("--input", metavar="JSON|@FILE|-", help="The input; uploaded if it is large."),
]
ToUpload = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Upload this file as the input, however small.")
]
UploadedBefore = Annotated[
    str | None, typer.Option(metavar="ID", help="The input is an upload that was sent before.")
]
Key = Annotated[
    str | None, typer.Option(help="Repeat the submit that had this Idempotency-Key: it is done once.")
]
How = Annotated[ConfirmationPath | None, typer.Option(help="How the result is confirmed on the chain.")]
Deadline = Annotated[
    int | None,
    typer.Option(
        metavar="SECONDS",
        min=1,
        help="Fail if there is no result by then, unbilled if it never began; a day without this.",
    ),
]
ToTheEnd = Annotated[bool, typer.Option("--wait", help="Wait for the job's end.")]


class Terms(TypedDict):
    """What of a submit is not the job itself."""

    idempotency_key: str
    confirmation: ConfirmationPath | None
    deadline_seconds: int | None


def submit(
    context: typer.Context,
    job_type: TypeName,
    *,
    job_input: GivenInput = None,
    upload: ToUpload = None,
    uploaded: UploadedBefore = None,
    key: Key = None,
    confirmation: How = None,
    deadline: Deadline = None,
    wait: ToTheEnd = False,
    timeout: Timeout = WAIT_SECONDS,
    stack: Stack = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Submit a job, and print its id.

    The Idempotency-Key is told before anything is sent: with it, an interrupted submit can be repeated.
    """
    with session(context, stack, tenant, as_json=as_json) as now:
        key = key or now.system.new_idempotency_key()
        terms: Terms = {
            "idempotency_key": key,
            "confirmation": confirmation,
            "deadline_seconds": deadline,
        }
        with opened_input(job_input, upload, uploaded) as given:
            submitted = _submitted(now, job_type, _sent(now, given), terms)
        job = submitted.job
        if submitted.replayed:
            now.screen.note(f"An earlier request with this key made {job.id}.", job_id=job.id)
        if not (wait and as_json):
            now.screen.answer(job.document, job.id)
        if wait:
            for ended in follow(now, [job.id], timeout_seconds=timeout):
                if as_json:
                    now.screen.answer(ended.document, ended.id)


def _sent(now: Session, given: Input) -> Inline | Uploaded:
    """The input, uploaded if a submit cannot carry it."""
    if not isinstance(given, Large):
        return given
    with sending(now.screen, given.file, given.size_bytes) as file:

        def upload() -> str:
            file.seek(0)
            return now.client.upload(file)

        return Uploaded(persistently(upload, system=now.system, screen=now.screen))


def _submitted(now: Session, job_type: str, given: Inline | Uploaded, terms: Terms) -> Submitted:
    """The job of one key, however often the request has to be sent."""
    facts = {"idempotency_key": terms["idempotency_key"]}
    again = f"--key {terms['idempotency_key']}"
    if isinstance(given, Uploaded):  # another upload of the same bytes would make it another request
        facts["upload_id"] = given.upload_id
        again = f"{again} --uploaded {given.upload_id}"
    now.screen.note(f"Idempotency-Key {terms['idempotency_key']}; to repeat this submit: {again}", **facts)
    now.to_go_on = f"It may have been accepted; to repeat it, and have one job: {again}"

    def request() -> Submitted:
        if isinstance(given, Uploaded):
            return now.client.submit_uploaded(job_type, given.upload_id, **terms)
        return now.client.submit(job_type, given.value, **terms)

    return persistently(request, system=now.system, screen=now.screen)
