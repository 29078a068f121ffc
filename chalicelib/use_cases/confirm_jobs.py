"""Confirming jobs: one lease-holding sender, whose every step can be taken up by the next.

Phases: *follow* what was committed before (receipt → pool → nonce → contract), *commit* a new transaction
{nonce, signed bytes, hash, genesis hash, jobs}, *broadcast* it, and at depth *close* its jobs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from chalicelib.domain.chain_transaction import (
    FINAL_DEPTH,
    SENDER_LEASE,
    ChainTransaction,
    Listed,
    Settlement,
    SignerLease,
)
from chalicelib.domain.confirmation import ZERO_HASH, Entry, Facts, Next, Receipt, decide, job_key
from chalicelib.domain.errors import ChainUnavailable, Superseded
from chalicelib.domain.job import Confirmation, Job, JobRef, Status, succeed
from chalicelib.domain.metering import job_confirmed
from chalicelib.ports import Chain, ChainTransactions, Change, Clock, Jobs, Keys, Queue

T = TypeVar("T")

# 250 entries take 6.4 million gas of the 16.7 million that a transaction may use.
JOBS_A_TRANSACTION = 250
# Enough to fill every block while the oldest waits for its depth; more only means more to follow.
OPEN_TRANSACTIONS = 8
# Three actions a job at most (job, event, its tenant's entitlement) of the hundred that a transaction takes.
JOBS_A_CLOSE = 30
# Each lost round means that a job of the chunk was closed by someone else meanwhile.
CLOSE_ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmReport:
    """What an invocation did. A conflict is for a person: the chain holds another hash for that job."""

    final: tuple[JobRef, ...]
    conflicts: tuple[JobRef, ...]
    open_transactions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmJobs:
    """Each job's commitment is recorded once, whatever is killed, lost, reorganised or sent twice."""

    jobs: Jobs
    transactions: ChainTransactions
    chain: Chain
    keys: Keys
    queue: Queue
    clock: Clock
    signer: str
    chain_id: int
    registry: str

    def __call__(self, refs: Sequence[JobRef]) -> ConfirmReport:
        """Follows what is open and confirms `refs`. `LeaseHeld` and chain errors mean: come again.

        While anything is open it wakes itself; the queue's batching window of a second, which is the
        chain's block time, is the pause between two looks. After an error the message comes back instead.
        """
        now = self.clock.now()
        lease = self.transactions.lease(self.signer, now=now, until=now + SENDER_LEASE)
        sender = _Sender(self, lease)
        try:
            sender.follow()
            sender.confirm(refs)
        finally:
            self.transactions.release(sender.lease)
        if sender.open:
            self.queue.wake_confirmer([])
        return ConfirmReport(
            final=tuple(sender.final),
            conflicts=tuple(sender.conflicts),
            open_transactions=len(sender.open),
        )


class _Sender:
    """One invocation's work under one lease."""

    def __init__(self, ports: ConfirmJobs, lease: SignerLease) -> None:
        self._ports = ports
        self.lease = lease
        self.open: list[ChainTransaction] = []
        self.final: list[JobRef] = []
        self.conflicts: list[JobRef] = []

    def follow(self) -> None:
        """Takes every open transaction one step further, oldest first."""
        self.open = list(self._ports.transactions.unsettled(self.lease))
        if not self.open:
            return
        genesis_hash, head = self._ports.chain.genesis_hash(), self._ports.chain.head()
        # As of a final block: a nonce that a reorganisation can give back is not taken.
        final_block = max(0, head - FINAL_DEPTH + 1)
        next_nonce = self._ports.chain.next_nonce(self._ports.signer, block=final_block)
        for transaction in tuple(self.open):
            receipt = self._ports.chain.receipt(transaction.hash)
            facts = Facts(
                same_chain=transaction.genesis_hash == genesis_hash,
                receipt=receipt,
                head=head,
                final_depth=FINAL_DEPTH,
                pending=receipt is None and self._ports.chain.is_pending(transaction.hash),
                nonce=transaction.nonce,
                next_nonce=next_nonce,
            )
            self._step(transaction, decide(facts), receipt, head)

    def _step(self, transaction: ChainTransaction, step: Next, receipt: Receipt | None, head: int) -> None:
        match step:
            case Next.WRONG_CHAIN:
                raise ChainUnavailable("The node runs another chain than the one that we signed for.")
            case Next.REBROADCAST:
                self._ports.chain.broadcast(transaction.raw)
            case Next.FINAL:
                self._close(transaction, receipt, head)
                self._settle(transaction, Settlement.FINAL)
            case Next.REVERTED:
                self._settle(transaction, Settlement.REVERTED)
                self._ports.queue.wake_confirmer([listed.ref for listed in transaction.jobs])
            case Next.NONCE_TAKEN:
                if self._close(transaction, None, head):
                    self._settle(transaction, Settlement.NONCE_TAKEN)
            case Next.PENDING | Next.MINED_NOT_DEEP:
                pass

    def _settle(self, transaction: ChainTransaction, settlement: Settlement) -> None:
        self.lease = self._ports.transactions.settle(self.lease, replace(transaction, settlement=settlement))
        self.open.remove(transaction)

    def _close(self, transaction: ChainTransaction, receipt: Receipt | None, head: int) -> bool:
        """Closes the jobs that the chain has recorded for good; whether none is left to wait for.

        A job that was never recorded gets another transaction.
        """
        recorded = self._ports.chain.recorded_hashes([listed.entry.job_key for listed in transaction.jobs])
        unrecorded: list[JobRef] = []
        confirmed: list[tuple[JobRef, Confirmation]] = []
        is_settled = True
        for listed, recorded_hash in zip(transaction.jobs, recorded, strict=True):
            if recorded_hash == ZERO_HASH:
                unrecorded.append(listed.ref)
            elif recorded_hash != listed.entry.result_hash:
                self.conflicts.append(listed.ref)
            elif (confirmation := self._confirmation(listed, transaction, receipt, head)) is not None:
                confirmed.append((listed.ref, confirmation))
            else:
                is_settled = False
        for chunk in _chunks(confirmed, JOBS_A_CLOSE):
            self._close_chunk(chunk)
        if unrecorded and is_settled:
            self._ports.queue.wake_confirmer(unrecorded)
        return is_settled

    def _confirmation(
        self, listed: Listed, transaction: ChainTransaction, receipt: Receipt | None, head: int
    ) -> Confirmation | None:
        """Where the job is recorded: in this transaction, or in an older one; None while that is not deep."""
        key = listed.entry.job_key
        if receipt is not None and key in receipt.recorded:
            position = receipt.recorded.index(key)
            share = receipt.gas_used // len(receipt.recorded) + (
                position < receipt.gas_used % len(receipt.recorded)
            )
            block_number, transaction_hash, gas_used = receipt.block_number, transaction.hash, share
        else:
            found = self._ports.chain.recorded_at(key)
            if found is None or head - found.block_number + 1 < FINAL_DEPTH:
                return None
            block_number, transaction_hash, gas_used = found.block_number, found.transaction_hash, 0
        return Confirmation(
            chain_id=self._ports.chain_id,
            registry=self._ports.registry,
            job_key=key,
            transaction_hash=transaction_hash,
            block_number=block_number,
            gas_used=gas_used,
        )

    def _close_chunk(self, chunk: Sequence[tuple[JobRef, Confirmation]]) -> None:
        for _ in range(CLOSE_ROUNDS):
            now = self._ports.clock.now()
            found = [(self._ports.jobs.get(ref), confirmation) for ref, confirmation in chunk]
            changes = []
            for job, confirmation in found:
                if job is not None and job.status is Status.CONFIRMING:
                    succeeded = succeed(job, now=now, confirmation=confirmation)
                    changes.append(Change(job, succeeded, (job_confirmed(succeeded),)))
            try:
                if changes:
                    self._ports.jobs.save(changes)
            except Superseded:
                continue
            self.final += [change.after.ref for change in changes]
            return
        raise Superseded("the jobs keep changing; the transaction stays open and is followed again")

    def confirm(self, refs: Sequence[JobRef]) -> None:
        """Commits and broadcasts a transaction for the jobs that wait and stand in none yet."""
        listed_already = {listed.ref for transaction in self.open for listed in transaction.jobs}
        waiting = [
            job
            for ref in dict.fromkeys(refs)
            if ref not in listed_already
            and (job := self._ports.jobs.get(ref)) is not None
            and job.status is Status.CONFIRMING
        ]
        for batch in _chunks([self._listed(job) for job in waiting], JOBS_A_TRANSACTION):
            if len(self.open) >= OPEN_TRANSACTIONS:
                self._ports.queue.wake_confirmer([listed.ref for listed in batch])
                continue
            self._send(batch)

    def _send(self, batch: Sequence[Listed]) -> None:
        entries = [listed.entry for listed in batch]
        gas = self._ports.chain.estimate_batch_gas(entries, self._ports.signer)
        signed = self._ports.chain.sign_batch(
            entries,
            key=self._ports.keys.signer_key(self._ports.signer),
            nonce=self.lease.next_nonce,
            gas=gas,
            fees=self._ports.chain.fees(),
        )
        transaction = ChainTransaction(
            signer=self._ports.signer,
            nonce=self.lease.next_nonce,
            raw=signed.raw,
            hash=signed.hash,
            genesis_hash=self._ports.chain.genesis_hash(),
            jobs=tuple(batch),
        )
        self.lease = self._ports.transactions.record(self.lease, transaction)
        self.open.append(transaction)
        self._ports.chain.broadcast(signed.raw)

    def _listed(self, job: Job) -> Listed:
        assert job.result is not None, "a confirming job has its commitment"
        key = job_key(self._ports.chain_id, self._ports.registry, job.ref.tenant_id, job.ref.job_id)
        return Listed(job.ref, Entry(key, job.result.commitment))


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
