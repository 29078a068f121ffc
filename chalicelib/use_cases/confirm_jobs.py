"""Confirming jobs: one lease-holding sender a signer, woken by messages."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from chalicelib.domain.chain_transaction import FINAL_DEPTH, JOBS_A_TRANSACTION, SENDER_LEASE
from chalicelib.domain.errors import ChainUnavailable, LeaseHeld, Superseded, Unavailable
from chalicelib.domain.job import JobRef
from chalicelib.domain.transaction_id import Account
from chalicelib.use_cases.chain_work import Alarm, SenderPorts, Work, chunks
from chalicelib.use_cases.sender import Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmReport:
    """What an invocation did. A conflict is for a person: the chain holds another hash for that job.

    `trace_ids` are of the jobs that it tried to move, not of those whose transactions it only looked at.
    """

    final: tuple[JobRef, ...] = ()
    conflicts: tuple[JobRef, ...] = ()
    alarms: Mapping[Alarm, str] = field(default_factory=dict)
    open_transactions: int = 0
    trace_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfirmJobs:
    """Each job's commitment is recorded once, whatever is killed, lost, reorganised or sent twice."""

    ports: SenderPorts

    def __call__(self, refs: Sequence[JobRef]) -> ConfirmReport:
        """Follows what is open and confirms `refs`; what cannot be done yet is put back into the queue.

        While anything is open it wakes itself; the queue's batching window of a second, which is the
        chain's block time, is the pause between two looks. An error means that the message must come again;
        what fails for one signer keeps no other from its work.
        """
        roster = self.ports.signers.roster()
        work, open_transactions, failures = Work(self.ports.clock.monotonic()), 0, []
        if roster.active is None:
            work.alarms[Alarm.NO_SIGNER] = "`signers rotate` makes one"
        for signer in roster.live:
            mine = refs if signer == roster.active else None
            try:
                open_transactions += self._work_for(signer, mine, work)
            except (ChainUnavailable, Superseded, Unavailable) as error:
                failures.append(error)
        if open_transactions:
            self.ports.queue.wake_confirmer([])
        if failures:
            raise failures[0]
        return ConfirmReport(
            final=tuple(work.final),
            conflicts=tuple(work.conflicts),
            alarms=work.alarms,
            open_transactions=open_transactions,
            trace_ids=tuple(work.trace_ids),
        )

    def _work_for(self, signer: str, refs: Sequence[JobRef] | None, work: Work) -> int:
        """How many of its transactions are open after one look; without `refs` nothing new is sent."""
        account = Account(signer, self.ports.genesis_hash)
        now = self.ports.clock.now()
        try:
            lease = self.ports.transactions.lease(account, now=now, until=now + SENDER_LEASE)
        except LeaseHeld:
            self._put_back(refs or ())
            return 0
        try:
            survey = self.ports.chain.survey(signer, final_depth=FINAL_DEPTH)
            sender = Sender(self.ports, work, lease=lease, survey=survey)
            sender.follow()
            sender.mend(signs_more=refs is not None)
            # Under the lease: a rotation that has it after its write knows that nothing new will be signed.
            if refs and self.ports.signers.roster().active != signer:
                work.again += refs
            elif refs:
                sender.confirm(refs)
            return len(sender.open)
        finally:
            with suppress(Unavailable):  # the lease then runs out by itself, and the real error is seen
                self.ports.transactions.release(lease)
            self._put_back(work.again)
            work.again.clear()

    def _put_back(self, refs: Sequence[JobRef]) -> None:
        """Sends the messages that the work left over needs."""
        for chunk in chunks(refs, JOBS_A_TRANSACTION):
            self.ports.queue.wake_confirmer(chunk)
