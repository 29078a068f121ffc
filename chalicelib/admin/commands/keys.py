"""`keys …`: the keys that sign access tokens."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from chalicelib.admin.commands.printing import AsJson, answer, moment, shown, table
from chalicelib.admin.commands.stack import connected
from chalicelib.domain.key_ring import KeyRing, TokenKey

app = typer.Typer(no_args_is_help=True, help="Rotate and list the keys that sign access tokens.")


class State(StrEnum):
    """What a published key is for."""

    WAITING = "waiting"  # until everyone can know it
    SIGNING = "signing"
    VERIFYING = "verifying"  # tokens that it signed, until the last of them has expired


@app.command()
def rotate(
    *,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Sign with a new key at once, and take no token of another.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Publish a new key, which signs in 7 minutes. Again: nothing, while a key waits.

    With --compromised each run makes a new key, and clients get a 401 for the tokens that they have.
    """
    stack = connected()
    # Both are read before the act, so that once it is done nothing can fail.
    now, before = stack.adapters.clock.now(), stack.adapters.rings.get()
    after = (stack.keys.replace if compromised else stack.keys.rotate)(actor=stack.actor)
    newest = after.keys[-1]
    done = f"key {newest.kid} signs from {shown(newest.signs_from)}"
    if newest in before.keys:
        done = f"{done} and waits already, unchanged"
    elif compromised:
        done = f"{done}; in 5 seconds no token of an older key is taken"
    _answer(after, now, done, as_json=as_json, changed=newest not in before.keys)


@app.command("list")
def show(*, as_json: AsJson = False) -> None:
    """List the published keys, in the order in which they sign."""
    stack = connected()
    _answer(stack.adapters.rings.get(), stack.adapters.clock.now(), None, as_json=as_json)


def _answer(ring: KeyRing, now: datetime, done: str | None, *, as_json: bool, **changed: bool) -> None:
    keys = ring.published(now=now)
    rows = [
        (
            key.kid,
            _state(ring, key, now),
            *map(shown, (key.published_at, key.signs_from, ring.retires_at(key))),
        )
        for key in keys
    ]
    header = ("KEY", "STATE", "PUBLISHED", "SIGNS FROM", "UNTIL")
    text = table(header, rows, empty="No keys yet: `keys rotate` makes the first.")
    document = {"keys": [_document(ring, key, now) for key in keys], **changed}
    answer(document, f"{done}\n{text}" if done else text, as_json=as_json)


def _state(ring: KeyRing, key: TokenKey, now: datetime) -> State:
    signing = ring.signing(now=now)
    if key == signing:
        return State.SIGNING
    return State.WAITING if ring.keys.index(key) > ring.keys.index(signing) else State.VERIFYING


def _document(ring: KeyRing, key: TokenKey, now: datetime) -> dict[str, object]:
    return {
        "kid": key.kid,
        "state": _state(ring, key, now).value,
        "published_at": moment(key.published_at),
        "signs_from": moment(key.signs_from),
        "until": moment(ring.retires_at(key)),
    }
