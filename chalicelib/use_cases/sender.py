"""The sender: whose every step can be taken up by the next, because what it is about to do is stored first.

Phases: *follow* what was committed before (receipt → pool → nonce → contract), *commit* a new transaction
{nonce, signed bytes, hash, genesis hash, jobs}, *broadcast* it, and at depth *close* its jobs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from chalicelib.domain import tracing
from chalicelib.domain.chain_transaction import (
    FINAL_DEPTH,
    ChainTransaction,
    Listed,
    Settlement,
    SignerLease,
)
from chalicelib.domain.confirmation import ZERO_HASH, Entry, Facts, Next, Receipt, decide, job_key
from chalicelib.domain.errors import ChainUnavailable, Superseded
from chalicelib.domain.job import Confirmation, Job, JobRef, Status, succeed
from chalicelib.domain.metering import job_confirmed
from chalicelib.domain.prices import PriceBook
from chalicelib.ports import Chain, ChainTransactions, Change, Clock, Jobs, Keys, Queue

T = TypeVar("T")

# 250 entries take 6.3 million gas of the 16.7 million that a transaction may use.
JOBS_A_TRANSACTION = 250
# Enough to fill every block while the oldest waits for its depth; more only means more to follow.
OPEN_TRANSACTIONS = 8
# Three actions a job at most (job, event, its tenant's entitlement) of the hundred that a transaction takes.
JOBS_A_CLOSE = 30
# Each lost round means that a job of the chunk was closed by someone else meanwhile.
CLOSE_ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderPorts:
    """What the sender works with, and for which signer, registry and prices."""

    jobs: Jobs
    transactions: ChainTransactions
    chain: Chain
    keys: Keys
    queue: Queue
    clock: Clock
    prices: PriceBook
    signer: str
    chain_id: int
    registry: str


@dataclass(frozen=True, slots=True)
class _Mined:
    """A transaction of ours at its final depth."""

    hash: str
    receipt: Receipt


class Sender:
    """One invocation's work under one lease."""

    def __init__(self, ports: SenderPorts, lease: SignerLease) -> None:
        self._ports = ports
        self.lease = lease
        self.open: list[ChainTransaction] = []
        self.final: list[JobRef] = []
        self.conflicts: list[JobRef] = []
        self.trace_ids: list[str] = []
        self._again: list[JobRef] = []

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
            with tracing.story(*_trace_ids(transaction.jobs)):
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
                self._step(transaction, decide(facts), receipt)

    def _step(self, transaction: ChainTransaction, step: Next, receipt: Receipt | None) -> None:
        match step:
            case Next.WRONG_CHAIN:
                raise ChainUnavailable("The node runs another chain than the one that we signed for.")
            case Next.REBROADCAST:
                self._ports.chain.broadcast(transaction.raw)
            case Next.FINAL:
                assert receipt is not None, "final is what its receipt says"
                self._again += _refs(self._close(transaction.jobs, _Mined(transaction.hash, receipt)))
                self._settle(transaction, Settlement.FINAL)
            case Next.REVERTED:
                self._again += _refs(transaction.jobs)
                self._settle(transaction, Settlement.REVERTED)
            case Next.NONCE_TAKEN:
                self._again += _refs(self._close(transaction.jobs))
                self._settle(transaction, Settlement.NONCE_TAKEN)
            case Next.PENDING | Next.MINED_NOT_DEEP:
                pass

    def _settle(self, transaction: ChainTransaction, settlement: Settlement) -> None:
        self.open.remove(transaction)
        first_unsettled = min((row.nonce for row in self.open), default=self.lease.next_nonce)
        self.lease = self._ports.transactions.settle(
            self.lease, replace(transaction, settlement=settlement), first_unsettled=first_unsettled
        )

    def _close(self, listed: Sequence[Listed], mined: _Mined | None = None) -> list[Listed]:
        """Closes the jobs that the chain has recorded for good, and reports conflicts; the rest is returned.

        The rest is not recorded, or not deep enough yet, by a transaction that is not ours to follow.
        """
        self.trace_ids += _trace_ids(listed)
        recorded = self._ports.chain.recorded_hashes([each.entry.job_key for each in listed])
        rest: list[Listed] = []
        confirmed: list[tuple[JobRef, Confirmation]] = []
        for each, recorded_hash in zip(listed, recorded, strict=True):
            if recorded_hash == ZERO_HASH:
                rest.append(each)
            elif recorded_hash != each.entry.result_hash:
                self.conflicts.append(each.ref)
            elif (confirmation := self._confirmation(each, mined)) is not None:
                confirmed.append((each.ref, confirmation))
            else:
                self._again.append(each.ref)
        for chunk in _chunks(confirmed, JOBS_A_CLOSE):
            self._close_chunk(chunk)
        return rest

    def _confirmation(self, listed: Listed, mined: _Mined | None) -> Confirmation | None:
        """Where the job is recorded: in this transaction, or in another; None while that is not deep."""
        key = listed.entry.job_key
        if mined is not None and key in mined.receipt.recorded:
            block_number, transaction_hash = mined.receipt.block_number, mined.hash
            gas_used = _share(mined.receipt, key)
        else:
            found = self._ports.chain.recorded_at(key)
            if found is None or self._ports.chain.head() - found.block_number + 1 < FINAL_DEPTH:
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
                    event = job_confirmed(succeeded, self._ports.prices)
                    changes.append(Change(job, succeeded, (event,)))
            try:
                if changes:
                    self._ports.jobs.save(changes)
            except Superseded:
                continue
            self.final += [change.after.ref for change in changes]
            return
        raise Superseded("the jobs keep changing; the transaction stays open and is followed again")

    def confirm(self, refs: Sequence[JobRef]) -> None:
        """Commits and broadcasts transactions for the jobs that wait and stand in none yet.

        What is beyond the transactions that may be open is not even read; it is put back.
        """
        in_flight = {listed.ref for transaction in self.open for listed in transaction.jobs}
        fresh = [ref for ref in dict.fromkeys(refs) if ref not in in_flight]
        room = (OPEN_TRANSACTIONS - len(self.open)) * JOBS_A_TRANSACTION
        self._again += fresh[room:]
        found = (self._ports.jobs.get(ref) for ref in fresh[:room])
        waiting = [self._listed(job) for job in found if job is not None and job.status is Status.CONFIRMING]
        for batch in _chunks(waiting, JOBS_A_TRANSACTION):
            unrecorded = self._close(batch)
            if unrecorded:
                with tracing.story(*_trace_ids(unrecorded)):
                    self._send(unrecorded)

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

    def put_back(self) -> None:
        """Sends the messages that the work left over needs."""
        for refs in _chunks(self._again, JOBS_A_TRANSACTION):
            self._ports.queue.wake_confirmer(refs)

    def _listed(self, job: Job) -> Listed:
        assert job.result is not None, "a confirming job has its commitment"
        key = job_key(self._ports.chain_id, self._ports.registry, job.ref.tenant_id, job.ref.job_id)
        return Listed(job.ref, Entry(key, job.result.commitment), job.trace_id)


def _share(receipt: Receipt, key: str) -> int:
    """The job's part of the gas: equal parts, the odd units to the first, so that the parts sum up."""
    part, odd = divmod(receipt.gas_used, len(receipt.recorded))
    return part + (receipt.recorded.index(key) < odd)


def _refs(listed: Sequence[Listed]) -> list[JobRef]:
    return [each.ref for each in listed]


def _trace_ids(listed: Sequence[Listed]) -> list[str]:
    return [each.trace_id for each in listed]


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
