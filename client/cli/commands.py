"""The command `jobs` and what it can do, a line each."""

from collections.abc import Sequence

import typer

from client.cli import accounting, invoicing, reading, results, submitting, verifying, waiting
from client.cli.exit_codes import described

JOBS, ACCOUNT = "Jobs", "What there is, and what it costs"
app = typer.Typer(
    name="jobs",
    help=f"""The Zama Jobs API from the command line.

The service and the credential are JOBS_URL, JOBS_CLIENT_ID and JOBS_CLIENT_SECRET; without them, those of
the local stack that `make up` runs. stdout has the data alone, with --json as the API sends it; the rest is
on stderr.

\b
Exit codes:
{described()}
""",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(rich_help_panel=JOBS)(submitting.submit)
app.command(rich_help_panel=JOBS)(reading.get)
app.command(rich_help_panel=JOBS)(waiting.wait)
app.command(rich_help_panel=JOBS)(reading.cancel)
app.command("list", rich_help_panel=JOBS)(reading.list_jobs)
app.command(rich_help_panel=JOBS)(results.result)
app.command(rich_help_panel=JOBS)(verifying.verify)
app.command("job-types", rich_help_panel=ACCOUNT)(accounting.job_types)
app.command(rich_help_panel=ACCOUNT)(accounting.usage)
app.command(rich_help_panel=ACCOUNT)(invoicing.invoice)


def run(arguments: Sequence[str] | None = None) -> None:
    """Runs a command and ends the process with one of the exit codes."""
    app(arguments, prog_name="jobs")
