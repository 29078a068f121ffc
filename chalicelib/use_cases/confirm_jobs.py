"""Confirming jobs: one lease-holding sender a signer, woken by messages."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from chalicelib.domain.chain_transaction import SENDER_LEASE
from chalicelib.domain.errors import LeaseHeld, Unavailable
from chalicelib.domain.job import JobRef
from chalicelib.use_cases.sender import Sender, SenderPorts


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmReport:
    """What an invocation did. A conflict is for a person: the chain holds another hash for that job.

    `trace_ids` are of the jobs that it tried to move, not of those whose transactions it only looked at.
    """

    final: tuple[JobRef, ...] = ()
    conflicts: tuple[JobRef, ...] = ()
    open_transactions: int = 0
    trace_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfirmJobs:
    """Each job's commitment is recorded once, whatever is killed, lost, reorganised or sent twice."""

    ports: SenderPorts

    def __call__(self, refs: Sequence[JobRef]) -> ConfirmReport:
        """Follows what is open and confirms `refs`; what cannot be done yet is put back into the queue.

        While anything is open it wakes itself; the queue's batching window of a second, which is the
        chain's block time, is the pause between two looks. An error means that the message must come again.
        """
        now = self.ports.clock.now()
        try:
            lease = self.ports.transactions.lease(self.ports.signer, now=now, until=now + SENDER_LEASE)
        except LeaseHeld:
            self.ports.queue.wake_confirmer(refs)
            return ConfirmReport()
        sender = Sender(self.ports, lease)
        try:
            sender.follow()
            sender.confirm(refs)
        finally:
            with suppress(Unavailable):  # the lease then runs out by itself, and the real error is seen
                self.ports.transactions.release(sender.lease)
            sender.put_back()
        if sender.open:
            self.ports.queue.wake_confirmer([])
        return ConfirmReport(
            final=tuple(sender.final),
            conflicts=tuple(sender.conflicts),
            open_transactions=len(sender.open),
            trace_ids=tuple(sender.trace_ids),
        )
