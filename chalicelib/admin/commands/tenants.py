"""`tenant …`: who may use the API, under which plan, and until when not."""

from typing import Annotated

import typer

from chalicelib.admin.commands.printing import AsJson, answer, moment, shown, table
from chalicelib.admin.commands.stack import connected
from chalicelib.domain.audit import Outcome
from chalicelib.domain.entitlements import Tenant

app = typer.Typer(no_args_is_help=True, help="Add, list, suspend and resume tenants.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name, which is all that it is known by.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="1 to 64 of A-Z a-z 0-9 . _ -")],
    *,
    plan: Annotated[str, typer.Option(help="Its plan: free, pro or enterprise.")],
    as_json: AsJson = False,
) -> None:
    """Add a tenant to a plan, ready to be called by a client. Again: it is left as it is."""
    stack = connected()
    tenant, outcome = stack.tenants.add(name, plan=plan, actor=stack.actor)
    _answer(tenant, outcome, changed="added", unchanged="exists already, unchanged", as_json=as_json)


@app.command("list")
def show(*, as_json: AsJson = False) -> None:
    """List all tenants."""
    tenants = connected().adapters.registry.tenants()
    rows = [(each.name, each.plan, _state(each), each.tenant_id) for each in tenants]
    text = table(("NAME", "PLAN", "STATE", "TENANT"), rows, empty="No tenants yet: `tenant add` makes one.")
    answer({"tenants": [_document(each) for each in tenants]}, text, as_json=as_json)


@app.command()
def suspend(name: Name, *, as_json: AsJson = False) -> None:
    """Refuse a tenant everything, within seconds; its jobs go on. Again: it stays suspended."""
    stack = connected()
    tenant, outcome = stack.tenants.suspend(name, actor=stack.actor)
    _answer(
        tenant,
        outcome,
        changed="suspended: in 5 seconds none of its tokens is taken, and it gets no more",
        unchanged=f"is suspended already, since {shown(tenant.suspended_at)}, unchanged",
        as_json=as_json,
    )


@app.command()
def resume(name: Name, *, as_json: AsJson = False) -> None:
    """Let a suspended tenant in again, within seconds. Again: it stays as it is."""
    stack = connected()
    tenant, outcome = stack.tenants.resume(name, actor=stack.actor)
    _answer(tenant, outcome, changed="resumed", unchanged="is not suspended, unchanged", as_json=as_json)


def _answer(tenant: Tenant, outcome: Outcome, *, changed: str, unchanged: str, as_json: bool) -> None:
    is_changed = outcome is Outcome.CHANGED
    text = f"tenant {tenant.name} ({tenant.plan}) {tenant.tenant_id}: {changed if is_changed else unchanged}"
    answer({**_document(tenant), "changed": is_changed}, text, as_json=as_json)


def _state(tenant: Tenant) -> str:
    return f"suspended {shown(tenant.suspended_at)}" if tenant.is_suspended else "active"


def _document(tenant: Tenant) -> dict[str, object]:
    return {
        "tenant_id": tenant.tenant_id,
        "name": tenant.name,
        "plan": tenant.plan,
        "suspended_at": moment(tenant.suspended_at),
    }
