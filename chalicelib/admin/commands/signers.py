"""`signers …`: the accounts that confirm jobs on the chain."""

from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.admin.commands.printing import AsJson, answer, notice, table
from chalicelib.admin.commands.stack import connected_with_chain

if TYPE_CHECKING:
    from chalicelib.use_cases.administer_signers import SignerSeen

app = typer.Typer(no_args_is_help=True, help="Rotate and list the accounts that confirm jobs on the chain.")

WEI_AN_ETHER = 10**18
# On a chain with a block a second, all that a sender may have open is settled within half a minute.
DEFAULT_PATIENCE_SECONDS = 120
# Longer than any chain takes; what waits for longer waits for a person.
PATIENCE_AT_MOST = 24 * 60 * 60


@app.command()
def rotate(
    *,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Others may have its key: dismiss it before anything else.")
    ] = False,
    patience: Annotated[
        int, typer.Option(min=1, max=PATIENCE_AT_MOST, help="Seconds to wait, in all.")
    ] = DEFAULT_PATIENCE_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Let a new account confirm, wait for what the old one sent, and drop its key. Jobs go on meanwhile.

    Again: a rotation that was cut off is completed; only when there is none does another begin.
    """
    from chalicelib.use_cases.rotate_signers import Reason, Request

    stack = connected_with_chain()
    before = stack.adapters.signers.roster()
    request = Request(
        reason=Reason.COMPROMISED if compromised else Reason.PLANNED,
        actor=stack.actor,
        patience_seconds=patience,
        tell=notice,
    )
    stack.rotate_signers(request)
    _answer(stack.list_signers(), as_json=as_json, changed=stack.adapters.signers.roster() != before)


@app.command("list")
def show(*, as_json: AsJson = False) -> None:
    """List every signer that there ever was, the oldest first."""
    _answer(connected_with_chain().list_signers(), as_json=as_json)


def _answer(signers: "list[SignerSeen]", *, as_json: bool, **changed: bool) -> None:
    rows = [
        (
            each.address,
            each.duty,
            "confirmer" if each.is_confirmer else "-",
            f"{_ether(each.balance_wei)} ETH",
            str(each.open_transactions),
            str(each.next_nonce),
        )
        for each in signers
    ]
    header = ("SIGNER", "DUTY", "ROLE", "BALANCE", "OPEN", "NEXT NONCE")
    text = table(header, rows, empty="No signers yet: `signers rotate` makes the first.")
    answer({"signers": [_document(each) for each in signers], **changed}, text, as_json=as_json)


def _document(signer: "SignerSeen") -> dict[str, object]:
    return {
        "address": signer.address,
        "duty": signer.duty.value,
        "is_confirmer": signer.is_confirmer,
        "balance_wei": str(signer.balance_wei),
        "open_transactions": signer.open_transactions,
        "next_nonce": signer.next_nonce,
    }


def _ether(wei: int) -> str:
    """To four places, and not more than there is.

    >>> _ether(1_999_999 * 10**12)
    '1.9999'
    """
    ether, rest = divmod(wei, WEI_AN_ETHER)
    return f"{ether}.{rest * 10**4 // WEI_AN_ETHER:04}"
