"""The chain's signers as an operator makes and sees them; how one follows another is `rotate_signers`."""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.audit import Act, AuditEvent
from chalicelib.domain.errors import Superseded
from chalicelib.domain.roster import Duty, Roster
from chalicelib.domain.transaction_id import Account
from chalicelib.ports import (
    ChainTransactions,
    Clock,
    Deed,
    Ids,
    Registry,
    RegistryAdmin,
    SignerKeyStore,
    Signers,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnlistSigner:
    """Makes signers. `Superseded` means that someone else was faster, and nothing is left of this one."""

    signers: Signers
    keys: SignerKeyStore
    registry: Registry
    clock: Clock
    ids: Ids

    def first(self, *, actor: str) -> str:
        """The signer on duty; if there is none, a new one, which the registry's deployment appoints."""
        roster = self.signers.roster()
        return roster.active or self._enlisted(roster, Duty.ACTIVE, actor)

    def next(self, roster: Roster, *, actor: str) -> str:
        """A new signer on exactly this roster, which is to be appointed."""
        return self._enlisted(roster, Duty.JOINING, actor)

    def _enlisted(self, before: Roster, duty: Duty, actor: str) -> str:
        """Drops keys that are on no roster, too: their makers had read it before this write, and lost."""
        unknown = set(self.keys.kept()) - {each.address for each in before.signers}
        address = self.keys.make()
        try:
            after = before.joined(address).moved(address, duty)
            self.commit(before, after, act=Act.SIGNER_ADDED, subject=address, actor=actor)
        except Superseded:
            self.keys.drop(address)
            raise
        for each in unknown:
            self.keys.drop(each)
        return address

    def commit(
        self,
        before: Roster,
        after: Roster,
        *,
        act: Act,
        subject: str,
        actor: str,
        facts: Mapping[str, str] | None = None,
    ) -> None:
        """The roster in place of exactly that one, with its event, or `Superseded`."""
        event = AuditEvent(
            event_id=self.ids.new_id("aud_"),
            at=self.clock.now(),
            actor=actor,
            act=act,
            subject=subject,
            facts=facts or {},
        )
        self.registry.commit(Deed(event=event, roster=(before, after)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerSeen:
    """A signer, on the roster and on the chain."""

    address: str
    duty: Duty
    is_confirmer: bool
    balance_wei: int
    open_transactions: int
    next_nonce: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSigners:
    """Shows the signers."""

    signers: Signers
    appointments: RegistryAdmin
    transactions: ChainTransactions
    genesis_hash: str

    def __call__(self) -> list[SignerSeen]:
        """Every signer that there ever was, the oldest first."""
        return [self._seen(each.address, each.duty) for each in self.signers.roster().signers]

    def _seen(self, address: str, duty: Duty) -> SignerSeen:
        lease = self.transactions.peek(Account(address, self.genesis_hash))
        return SignerSeen(
            address=address,
            duty=duty,
            is_confirmer=self.appointments.is_confirmer(address),
            balance_wei=self.appointments.balance(address),
            open_transactions=len(self.transactions.unsettled(lease)),
            next_nonce=lease.next_nonce,
        )
