"""`python -m chalicelib.admin`: what an operator does to a running stack, and what documents are made of."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.admin.commands import (
    clients,
    dead_letters,
    documents,
    invoices,
    keys,
    signers,
    tenants,
    usage,
)
from chalicelib.admin.commands.audit import audit
from chalicelib.admin.commands.printing import AsJson, answer, told
from chalicelib.admin.commands.reconcile import reconcile
from chalicelib.admin.commands.stack import connected
from chalicelib.admin.commands.verify import verify

if TYPE_CHECKING:
    from chalicelib.admin.provisioning import Provisioned

OPERATION = "Operation of a stack"
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(tenants.app, name="tenant", rich_help_panel=OPERATION)
app.add_typer(clients.app, name="client", rich_help_panel=OPERATION)
app.add_typer(keys.app, name="keys", rich_help_panel=OPERATION)
app.add_typer(signers.app, name="signers", rich_help_panel=OPERATION)
app.add_typer(dead_letters.app, name="dead-letters", rich_help_panel=OPERATION)
app.add_typer(usage.app, name="usage", rich_help_panel=OPERATION)
app.add_typer(invoices.app, name="invoices", rich_help_panel=OPERATION)
app.command(rich_help_panel=OPERATION)(audit)
app.command(rich_help_panel=OPERATION)(verify)
app.command(rich_help_panel=OPERATION)(reconcile)


@app.callback()
def main() -> None:
    """Administers the Zama Jobs API.

    The stack is the one that the environment names: eval "$(.venv/bin/python -m emulation env)"
    """


@app.command(rich_help_panel=OPERATION)
def provision(
    tenant: Annotated[list[str], typer.Option(metavar="NAME:PLAN", help="A tenant; may be repeated.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Make the keys and the named tenants, each with a client. Again: what exists is left as it is."""
    from chalicelib.admin.provisioning import provision_stack

    pairs = [text.partition(":")[::2] for text in tenant]
    provisioned = provision_stack(connected(), pairs)
    answer(_document(provisioned), _text(provisioned), as_json=as_json)


for command in (
    documents.plans,
    documents.problems,
    documents.scopes,
    documents.gas,
    documents.job_types,
    documents.outcomes,
    documents.openapi,
    documents.compatible,
    documents.breaking,
):
    app.command(rich_help_panel="Documents, and checks of them")(command)


def _document(provisioned: "Provisioned") -> dict[str, object]:
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


def _text(provisioned: "Provisioned") -> str:
    lines = [f"signer {provisioned.signer}"]
    for made in provisioned.tenants:
        credential = (
            f"{made.client_id} {made.client_secret}  (the secret is shown this once: keep it now)"
            if made.client_id
            else "has clients already, unchanged"
        )
        lines.append(f"tenant {made.name} ({made.plan}) {made.tenant_id}: {credential}")
    return "\n".join(lines)


def run(arguments: Sequence[str] | None = None) -> None:
    """Runs a command and ends the process with its status."""
    with told():
        app(arguments)


if __name__ == "__main__":
    run()
