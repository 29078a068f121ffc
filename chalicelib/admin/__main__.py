"""`python -m chalicelib.admin`: what an operator does to a running stack, and what the plans come to."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from chalicelib.admin.compatibility import releases
from chalicelib.admin.compatibility.rules import rules_list
from chalicelib.admin.openapi import document
from chalicelib.admin.plans_table import plans_table
from chalicelib.admin.problems_table import problems_table
from chalicelib.admin.provisioning import Provisioned, provision_stack
from chalicelib.admin.wiring import Administration
from chalicelib.plans import load_plans
from chalicelib.web.problems import CATALOGUE

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Administers the Zama Jobs API of a running stack."""


@app.command()
def provision(
    tenant: Annotated[list[str], typer.Option(help="NAME:PLAN, once a tenant")],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Make the token key, the chain signer and the named tenants where they do not exist yet."""
    pairs = [text.partition(":")[::2] for text in tenant]
    provisioned = provision_stack(Administration.of_environment(os.environ), pairs)
    typer.echo(json.dumps(_document(provisioned), indent=2) if as_json else _text(provisioned))


@app.command()
def plans() -> None:
    """Print DESIGN.md's table of plans, as Markdown."""
    typer.echo(plans_table(load_plans()))


@app.command()
def compatible(
    against: Annotated[Path | None, typer.Option(help="a release's copy, if not the last one's")] = None,
) -> None:
    """Check that openapi.yml breaks no client of the last release; each finding is a line, and fails."""
    release = against or releases.last_release()
    verdict = releases.verdict(
        releases.load_document(release),
        releases.load_document(releases.SPECIFICATION),
        releases.load_accepted(),
    )
    typer.echo(f"openapi.yml keeps what {release.stem} promised" if verdict.is_compatible else verdict)
    raise typer.Exit(0 if verdict.is_compatible else 1)


@app.command()
def breaking() -> None:
    """Print releases/README.md's list of what is a breaking change, as Markdown."""
    typer.echo(rules_list())


@app.command()
def problems() -> None:
    """Print DESIGN.md's table of problems, as Markdown."""
    typer.echo(problems_table(CATALOGUE))


@app.command()
def openapi() -> None:
    """Print openapi.yml, made of the operations, the catalogue of problems and the wire's models."""
    typer.echo(document.text(document.specification()), nl=False)


def _document(provisioned: Provisioned) -> dict[str, object]:
    return {
        "signer": provisioned.signer,
        "tenants": [
            {
                "tenant_id": made.tenant_id,
                "name": made.name,
                "plan": made.plan,
                "client_id": made.client_id,
                "client_secret": made.client_secret,
            }
            for made in provisioned.tenants
        ],
    }


def _text(provisioned: Provisioned) -> str:
    lines = [f"signer {provisioned.signer}"]
    for made in provisioned.tenants:
        secret = made.client_secret or "(shown once, when it was made)"
        lines.append(f"tenant {made.name} ({made.plan}) {made.tenant_id}: {made.client_id} {secret}")
    return "\n".join(lines)


if __name__ == "__main__":
    app()
