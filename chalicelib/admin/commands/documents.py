"""The commands that print what documents are made of, and check them; they need no stack.

Each imports what it prints when it runs, so that no other command waits for that.
"""

from pathlib import Path
from typing import Annotated

import typer


def plans() -> None:
    """Print DESIGN.md's table of plans, as Markdown."""
    from chalicelib.admin.plans_table import plans_table
    from chalicelib.plans import load_plans

    typer.echo(plans_table(load_plans()))


def compatible(
    against: Annotated[
        Path | None, typer.Option(exists=True, help="A release's copy, if not the last one's.")
    ] = None,
) -> None:
    """Check that openapi.yml breaks no client of the last release; each finding is a line, and fails."""
    from chalicelib.admin.compatibility import releases

    release = against or releases.last_release()
    verdict = releases.verdict(
        releases.load_document(release),
        releases.load_document(releases.SPECIFICATION),
        releases.load_accepted(),
    )
    typer.echo(f"openapi.yml keeps what {release.stem} promised" if verdict.is_compatible else verdict)
    raise typer.Exit(0 if verdict.is_compatible else 1)


def breaking() -> None:
    """Print releases/README.md's list of what is a breaking change, as Markdown."""
    from chalicelib.admin.compatibility.rules import rules_list

    typer.echo(rules_list())


def problems() -> None:
    """Print DESIGN.md's table of problems, as Markdown."""
    from chalicelib.admin.problems_table import problems_table
    from chalicelib.web.problems import CATALOGUE

    typer.echo(problems_table(CATALOGUE))


def scopes() -> None:
    """Print DESIGN.md's table of scopes, as Markdown."""
    from chalicelib.admin.scopes_table import scopes_table
    from chalicelib.web.operations import OPERATIONS

    typer.echo(scopes_table(OPERATIONS))


def gas() -> None:
    """Print DESIGN.md's table of the gas that confirming takes, as Markdown."""
    from chalicelib.admin.gas_table import gas_table, load_gas

    typer.echo(gas_table(load_gas()))


def job_types() -> None:
    """Print DESIGN.md's table of job types, as Markdown."""
    from chalicelib.admin.job_types_table import job_types_table
    from chalicelib.job_types import JOB_TYPES

    typer.echo(job_types_table(JOB_TYPES))


def outcomes() -> None:
    """Print DESIGN.md's table of what is charged for, as Markdown."""
    from chalicelib.admin.outcomes_table import outcomes_table
    from chalicelib.domain.metering import METERED

    typer.echo(outcomes_table(METERED))


def openapi() -> None:
    """Print openapi.yml, made of the operations, the catalogue of problems and the wire's models."""
    from chalicelib.admin.openapi import document

    typer.echo(document.text(document.specification()), nl=False)
