"""`client …`: the credentials by which tenants get tokens."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.admin.commands.printing import AsJson, answer, moment, once, shown, table
from chalicelib.admin.commands.stack import connected
from chalicelib.domain.audit import Outcome
from chalicelib.domain.client import OVERLAP, Client
from chalicelib.domain.errors import Refused
from chalicelib.domain.key_ring import SKEW, TOKEN_LIFETIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.use_cases.administer_clients import Shown

# A secret is rotated because it may be known; a week is the longest that a release takes to be everywhere.
LONGEST_OVERLAP_HOURS = 168
# Whoever ends a secret because it leaked must know that what it bought outlives it.
NO_OLDER = (
    "no older secret works; its tokens do, for at most "
    f"{(TOKEN_LIFETIME + SKEW) // timedelta(minutes=1)} minutes, unless the client is revoked"
)

app = typer.Typer(no_args_is_help=True, help="Add, list, rotate and revoke tenants' clients.")
TenantName = Annotated[str, typer.Option("--tenant", metavar="NAME", help="The tenant's name.")]
ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="Its id, as `client list` shows it.")]


@app.command()
def add(
    *,
    tenant: TenantName,
    scope: Annotated[
        list[str] | None,
        typer.Option(metavar="SCOPE", help="What it may do, as jobs:read; may be repeated; all if left out."),
    ] = None,
    public_key: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="It proves itself by this key and by no secret: JWK, JWK set or PEM; may be repeated.",
        ),
    ] = None,
    dpop: Annotated[bool, typer.Option("--dpop", help="Its tokens shall be bound to a key.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a client and show its secret, once. Again: one more client, and the others stay as they are."""
    from chalicelib.use_cases.administer_clients import Wanted

    keys = tuple(key for file in public_key or () for key in _keys_of(file))
    stack = connected()
    wanted = Wanted(public_keys=keys, is_dpop_bound=dpop, **({"scopes": tuple(scope)} if scope else {}))
    made = stack.clients.add(stack.tenants.named(tenant), wanted, actor=stack.actor)
    _answer_made(made, f"added to {tenant}", now=made.client.created_at, as_json=as_json)


@app.command("list")
def show(*, tenant: TenantName, as_json: AsJson = False) -> None:
    """List a tenant's clients."""
    stack = connected()
    now = stack.adapters.clock.now()
    clients = stack.adapters.registry.clients_of(stack.tenants.named(tenant).tenant_id)
    text = table(
        ("CLIENT", "STATE", "PROVES ITSELF BY", "DPOP", "SCOPES", "ADDED"),
        [_row(each, now) for each in clients],
        empty=f"The tenant {tenant} has no clients yet: `client add` makes one.",
    )
    answer({"clients": [_document(each, now=now) for each in clients]}, text, as_json=as_json)


@app.command()
def rotate(
    client_id: ClientId,
    *,
    overlap_hours: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=LONGEST_OVERLAP_HOURS,
            help="How long the old secret goes on.",
            show_default=f"{OVERLAP // timedelta(hours=1)}",
        ),
    ] = None,
    lost: Annotated[
        bool, typer.Option("--lost", help="Nobody has the newest secret: replace it, and no other.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Give a client a new secret and show it, once. Again: refused while two live, so none ends early."""
    if lost and overlap_hours is not None:
        raise typer.BadParameter("With --lost no other secret is touched: leave out --overlap-hours.")
    stack = connected()
    if lost:
        made = stack.clients.replace_lost(client_id, actor=stack.actor)
    else:
        overlap = OVERLAP if overlap_hours is None else timedelta(hours=overlap_hours)
        made = stack.clients.rotate(client_id, actor=stack.actor, overlap=overlap)
    (*older, newest) = made.client.secrets
    old = f"the old secret works until {shown(older[0].expires_at)}" if older else NO_OLDER
    _answer_made(made, f"rotated; {old}", now=newest.created_at, as_json=as_json)


@app.command()
def revoke(client_id: ClientId, *, as_json: AsJson = False) -> None:
    """Refuse a client everything, within seconds and for good. Again: it stays revoked."""
    stack = connected()
    client, outcome = stack.clients.revoke(client_id, actor=stack.actor)
    is_changed = outcome is Outcome.CHANGED
    state = "revoked: in 5 seconds none of its tokens is taken, and it gets no more"
    already = f"is revoked already, since {shown(client.revoked_at)}, unchanged"
    text = f"client {client.client_id}: {state if is_changed else already}"
    document = _document(client, now=client.revoked_at or client.created_at)
    answer({**document, "changed": is_changed}, text, as_json=as_json)


def _keys_of(file: Path) -> tuple["Mapping[str, str]", ...]:
    from chalicelib.use_cases.client_keys import read_public_keys

    try:
        return read_public_keys(file.read_bytes())
    except Refused as reason:
        raise Refused(f"{file}: {reason}") from reason


def _answer_made(made: "Shown", done: str, *, now: datetime, as_json: bool) -> None:
    client = made.client
    keys = ", ".join(key["kid"] for key in client.public_keys)
    lines = (
        f"client  {client.client_id}: {done}",
        f"scopes  {' '.join(client.scopes)}",
        once(made.secret) if made.secret else f"keys    {keys}",
    )
    document = {**_document(client, now=now), "changed": True, "client_secret": made.secret}
    answer(document, "\n".join(lines), as_json=as_json)


def _row(client: Client, now: datetime) -> tuple[str, ...]:
    return (
        client.client_id,
        f"revoked {shown(client.revoked_at)}" if client.revoked_at else "active",
        _proof(client, now),
        "required" if client.is_dpop_bound else "-",
        " ".join(client.scopes),
        shown(client.created_at),
    )


def _proof(client: Client, now: datetime) -> str:
    live = client.live_secrets(now=now)
    if client.public_keys:
        return f"{len(client.public_keys)} keys" if len(client.public_keys) > 1 else "a key"
    return f"2 secrets, one until {shown(live[0].expires_at)}" if len(live) > 1 else "a secret"


def _document(client: Client, *, now: datetime) -> dict[str, object]:
    return {
        "client_id": client.client_id,
        "tenant_id": client.tenant_id,
        "scopes": list(client.scopes),
        "dpop_bound": client.is_dpop_bound,
        "created_at": moment(client.created_at),
        "revoked_at": moment(client.revoked_at),
        "secrets": [
            {"created_at": moment(each.created_at), "expires_at": moment(each.expires_at)}
            for each in client.live_secrets(now=now)
        ],
        "public_keys": [key["kid"] for key in client.public_keys],
    }
