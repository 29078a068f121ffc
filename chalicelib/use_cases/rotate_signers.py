"""One signer of the chain makes way for the next, and no job is lost.

    make a key → joining → appoint and fund → one write: the new is active, the old draining →
    wait for what the old one sent, the rest of its funds last → dismiss → retired → drop its key

Each step is decided by what is stored and on chain, so a run that is cut off is completed by the next.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from chalicelib.domain.audit import Act
from chalicelib.domain.chain_transaction import (
    FINAL_DEPTH,
    SENDER_LEASE,
    ChainTransaction,
    Settlement,
    SignerLease,
)
from chalicelib.domain.errors import LeaseHeld, Refused, Superseded
from chalicelib.domain.fees import CEILING_WEI
from chalicelib.domain.roster import Duty, Roster
from chalicelib.domain.transaction_id import Account
from chalicelib.ports import Chain, ChainTransactions, Clock, Queue, RegistryAdmin, SignerKeyStore, Signers
from chalicelib.use_cases.administer_signers import EnlistSigner
from chalicelib.use_cases.chain_work import refs_of
from chalicelib.use_cases.return_funds import ReturnFunds

# Twice what a hundred batches of 98 jobs cost at the highest fee, below which the sender raises its alarm.
FUNDS_WEI = 2 * 100 * 2_500_000 * CEILING_WEI
# Twice a block of the fastest chains that matter.
POLL_SECONDS = 0.5


class Reason(StrEnum):
    """Why a signer makes way."""

    PLANNED = "planned"
    COMPROMISED = "compromised"  # others may have its key: it is dismissed before anything else


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an operator asks for. `tell` hears what is waited for, each time that it changes."""

    reason: Reason
    actor: str
    patience_seconds: float
    tell: Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateSigners:
    """The signer that is active is followed by a new one, and retired when all that it sent is settled."""

    enlist: EnlistSigner
    return_funds: ReturnFunds
    signers: Signers
    keys: SignerKeyStore
    appointments: RegistryAdmin
    chain: Chain
    transactions: ChainTransactions
    queue: Queue
    clock: Clock
    genesis_hash: str

    def __call__(self, request: Request) -> None:
        """What an earlier run left undone is done, and only if there was nothing, another rotation begun.

        With one exception: a compromised signer that may still confirm waits for no earlier rotation.
        `Refused` says what the rotation waits for, or what is to be done by hand; a next run goes on.
        """
        rotation = _Rotation(self, request, self.clock.monotonic() + request.patience_seconds)
        rotation.begin()
        while rotation.step():
            pass
        for address in self.left_keys():
            self.keys.drop(address)

    def left_keys(self) -> list[str]:
        """The retired signers whose keys are still kept."""
        retired = self.signers.roster().all_with_duty(Duty.RETIRED)
        return [address for address in self.keys.kept() if address in retired]


@dataclass(frozen=True, slots=True)
class _Rotation:
    ports: RotateSigners
    request: Request
    ends_at: float

    def begin(self) -> None:
        """Someone is joining if a rotation is to begin; no compromised signer may confirm from here on."""
        while True:
            roster = self.ports.signers.roster()
            begins, joining = self._begins(roster), roster.with_duty(Duty.JOINING)
            if self.request.reason is Reason.COMPROMISED:
                self._dismiss(roster.live if begins or joining else roster.all_with_duty(Duty.DRAINING))
            if not begins:
                newest = joining or roster.active
                self.request.tell(f"an earlier rotation to {newest} goes on; for another, run this again")
                return
            with suppress(Superseded):  # another operator was faster: see what that came to
                self.ports.enlist.next(roster, actor=self.request.actor)
                return

    def _begins(self, roster: Roster) -> bool:
        """Whether no earlier rotation is to be completed; a compromised one has dismissed whoever drains."""
        draining = roster.all_with_duty(Duty.DRAINING)
        if roster.with_duty(Duty.JOINING):
            return False
        if self.request.reason is Reason.COMPROMISED:
            return not draining or any(map(self.ports.appointments.is_confirmer, draining))
        return not draining and not self.ports.left_keys()

    def step(self) -> bool:
        """Takes the rotation one step on; False if there is none to take."""
        roster = self.ports.signers.roster()
        joining, draining = roster.with_duty(Duty.JOINING), roster.all_with_duty(Duty.DRAINING)
        with suppress(Superseded):  # another operator has taken the step
            if joining:
                self._appoint(roster, joining)
            elif draining:
                self._retire(roster, draining[0])
        return bool(joining or draining)

    def _appoint(self, roster: Roster, address: str) -> None:
        """The new signer may confirm, and can pay for it, before the sender hears of it."""
        appointments = self.ports.appointments
        appointments.grant(address)
        missing_wei = FUNDS_WEI - appointments.balance(address)
        if missing_wei > 0:
            appointments.fund(address, missing_wei)
        self._wait(lambda: self._until_final(address, is_confirmer=True))
        self._move(roster, address, Duty.ACTIVE, Act.SIGNER_APPOINTED)

    def _retire(self, roster: Roster, address: str) -> None:
        self._wait(lambda: self._until_drained(address))
        self._dismiss([address])
        self._wait(lambda: self._until_final(address, is_confirmer=False))
        self._move(roster, address, Duty.RETIRED, Act.SIGNER_RETIRED)

    def _dismiss(self, addresses: Sequence[str]) -> None:
        for address in addresses:
            self.ports.appointments.revoke(address)

    def _move(self, roster: Roster, address: str, duty: Duty, act: Act) -> None:
        self.ports.enlist.commit(
            roster,
            roster.moved(address, duty),
            act=act,
            subject=address,
            actor=self.request.actor,
            facts={"reason": self.request.reason.value},
        )
        self.request.tell(f"{address} is {duty}")

    def _until_final(self, address: str, *, is_confirmer: bool) -> str | None:
        """So that no reorganisation takes the appointment or the dismissal back unseen."""
        if self.ports.appointments.is_confirmer(address, depth=FINAL_DEPTH) is is_confirmer:
            return None
        return f"the {'appointment' if is_confirmer else 'dismissal'} of {address} is not {FINAL_DEPTH} deep"

    def _until_drained(self, address: str) -> str | None:
        """What the signer still has to do; once nothing, there will never be more of it.

        For the lease is ours for a moment: no sender holds it that has read an older roster, and the next one
        reads the roster under its own.
        """
        account = Account(address, self.ports.genesis_hash)
        is_powerless = not self.ports.appointments.is_confirmer(address, depth=FINAL_DEPTH)
        transactions, now = self.ports.transactions, self.ports.clock.now()
        rows = transactions.unsettled(transactions.peek(account))
        if not rows or is_powerless:
            try:
                lease = transactions.lease(account, now=now, until=now + SENDER_LEASE)
            except LeaseHeld:
                return f"a sender works for {address}"
            rows = self._settled(lease, is_powerless=is_powerless)
        return f"open transactions of {address}: {len(rows)}" if rows else None

    def _settled(self, lease: SignerLease, *, is_powerless: bool) -> Sequence[ChainTransaction]:
        """What is open under this lease, which is released; then the sender looks at it again."""
        try:
            head = self.ports.chain.survey(lease.account.signer, final_depth=FINAL_DEPTH).head
            rows = list(self.ports.transactions.unsettled(lease))
            if not is_powerless:
                return rows or self.ports.return_funds(lease)
            for row in tuple(rows):
                if not self._is_mined(row, head=head):
                    rows.remove(row)
                    lease = self._disown(lease, row, rest=rows)
            return rows
        finally:
            self.ports.transactions.release(lease)
            self.ports.queue.wake_confirmer([])

    def _is_mined(self, row: ChainTransaction, *, head: int) -> bool:
        sightings = self.ports.chain.sightings([attempt.hash for attempt in row.attempts], head=head)
        return any(each.receipt for each in sightings)

    def _disown(
        self, lease: SignerLease, row: ChainTransaction, *, rest: Sequence[ChainTransaction]
    ) -> SignerLease:
        """Its jobs go to the next signer: whenever it is mined, it reverts, for its signer has no role.

        And it may never be: whoever has the key takes the account's funds first.
        """
        settled = self.ports.transactions.settle(
            lease,
            replace(row, settlement=Settlement.REVERTED),
            first_unsettled=min((each.nonce for each in rest), default=lease.next_nonce),
        )
        self.ports.queue.wake_confirmer(refs_of(row.jobs))
        return settled

    def _wait(self, until: Callable[[], str | None]) -> None:
        """Returns when there is nothing left to wait for, or refuses when the operator's patience ends."""
        told = None
        while (waits_for := until()) is not None:
            if self.ports.clock.monotonic() >= self.ends_at:
                raise Refused(
                    f"After {self.request.patience_seconds:.0f} seconds: {waits_for}. Nothing is lost: check "
                    "that the stack works on, then run the command again, which goes on from here."
                )
            if waits_for != told:
                self.request.tell(waits_for)
                told = waits_for
            self.ports.clock.pause(POLL_SECONDS)
