"""`dead-letters …`: the messages that no function could deal with."""

from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.admin.commands.printing import AsJson, answer, moment, notice, shown, table
from chalicelib.admin.commands.stack import connected
from chalicelib.domain.dead_letter import DeadQueue

if TYPE_CHECKING:
    from chalicelib.domain.job import Job
    from chalicelib.use_cases.redrive import LetterSeen

app = typer.Typer(no_args_is_help=True, help="List and redrive messages that no function could deal with.")
Queues = Annotated[
    list[DeadQueue] | None, typer.Option("--queue", help="Those of this queue alone; may be repeated.")
]


@app.command("list")
def show(*, queue: Queues = None, as_json: AsJson = False) -> None:
    """List the dead letters and leave them there. One that somebody else looks at now is missing."""
    stack = connected()
    letters = [seen for each in queue or DeadQueue for seen in stack.list_dead_letters(each)]
    header = ("QUEUE", "JOB", "TENANT", "STATUS", "FAILURE", "SENT", "RECEIVED")
    rows = [row for seen in letters for row in _rows(seen)]
    text = table(header, rows, empty="No dead letters: every message was dealt with.")
    answer({"letters": [_document(seen) for seen in letters]}, text, as_json=as_json)


@app.command()
def redrive(*, queue: Queues = None, as_json: AsJson = False) -> None:
    """Send each letter's message to its function again. A letter whose jobs have all ended is only removed.

    Again: what a run that was cut off left there. A message that was sent twice does no harm.
    """
    stack = connected()
    gone: list[LetterSeen] = []

    def tell(seen: "LetterSeen") -> None:
        gone.append(seen)
        notice(f"{seen.letter.queue}: {_told(seen)}")

    for each in queue or DeadQueue:
        stack.redrive(each, actor=stack.actor, tell=tell)
    sent_again = sum(seen.is_wanted for seen in gone)
    counts = {"sent_again": sent_again, "removed": len(gone) - sent_again}
    text = f"{sent_again} sent again, {len(gone) - sent_again} only removed"
    answer({"letters": [_document(seen) for seen in gone], **counts}, text, as_json=as_json)


def _told(seen: "LetterSeen") -> str:
    names = ", ".join(ref.job_id for ref in seen.letter.refs) or "a message that names no job"
    if seen.is_wanted:
        return f"{names}: sent again"
    return f"{names}: nothing is left to do, only removed"


def _rows(seen: "LetterSeen") -> list[tuple[str, ...]]:
    letter = seen.letter
    told = (shown(letter.sent_at), str(letter.received))
    return [
        (letter.queue, ref.job_id, ref.tenant_id, _status(job) or "-", _failure(job) or "-", *told)
        for ref, job in zip(letter.refs, seen.jobs, strict=True)
    ] or [(letter.queue, "-", "-", "-", "-", *told)]


def _document(seen: "LetterSeen") -> dict[str, object]:
    letter = seen.letter
    return {
        "queue": letter.queue.value,
        "message_id": letter.message_id,
        "sent_at": moment(letter.sent_at),
        "received": letter.received,
        "jobs": [
            {
                "job_id": ref.job_id,
                "tenant_id": ref.tenant_id,
                "status": _status(job),
                "failure": _failure(job),
            }
            for ref, job in zip(letter.refs, seen.jobs, strict=True)
        ],
    }


def _status(job: "Job | None") -> str | None:
    return job.status.value if job else None


def _failure(job: "Job | None") -> str | None:
    return job.failure.code.value if job and job.failure else None
