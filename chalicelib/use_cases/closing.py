"""Closing: jobs that the chain has recorded for good become `succeeded`, each with its usage event."""

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.domain.chain_call import Inclusion, compact_hash, inclusions, word_of
from chalicelib.domain.chain_transaction import FINAL_DEPTH, ChainTransaction, Listed
from chalicelib.domain.confirmation import ZERO_HASH, Receipt
from chalicelib.domain.errors import NodeLags, Superseded
from chalicelib.domain.job import JobRef, Status, succeed
from chalicelib.domain.on_chain import Confirmation
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.use_cases.chain_work import Alarm, SenderPorts, Work, chunks, refs_of, trace_ids_of
from chalicelib.use_cases.metered_change import metered_change

# Four actions a job at most (job, event, its tenant's two counters) of the hundred that a transaction takes.
JOBS_A_CLOSE = 25
# Each lost round means that a job of the chunk was closed by someone else meanwhile.
CLOSE_ROUNDS = 5


class Closing:
    """Believes the registry, not the receipt alone: a job is closed if its hash is what is recorded."""

    def __init__(self, ports: SenderPorts, work: Work) -> None:
        self._ports = ports
        self._work = work

    def close_mined(self, transaction: ChainTransaction, receipt: Receipt, *, head: int) -> None:
        """Closes what a transaction at its final depth recorded; what it did not is to be sent again."""
        if transaction.path is ConfirmationPath.COMPACT:
            self._close_compact(transaction, receipt, head=head)
        else:
            self._work.again += refs_of(self.close_recorded(transaction.jobs, head=head, mined=receipt))

    def holds(self, transaction: ChainTransaction) -> bool:
        """Whether the registry has the transaction's compact batch: its jobs then need no other."""
        if transaction.path is not ConfirmationPath.COMPACT:
            return False
        proof = _proofs(transaction)[0]
        return self._ports.chain.compact_hash(proof.word) == compact_hash(proof.mask, proof.root)

    def lacks(self, transaction: ChainTransaction) -> bool:
        """Whether the registry has nothing in the place of the transaction's compact batch."""
        if transaction.path is not ConfirmationPath.COMPACT:
            return False
        word = word_of(transaction.id.account.signer, transaction.nonce)
        return self._ports.chain.compact_hash(word) == ZERO_HASH

    def close_recorded(
        self, listed: Sequence[Listed], *, head: int, mined: Receipt | None = None
    ) -> list[Listed]:
        """Closes the jobs that the registry holds, and reports conflicts; those that it lacks are returned.

        What was recorded by a transaction that is not `mined`, and is not deep yet, is looked at again; what
        no event tells of is left to the sweep, for to look for it takes long.
        """
        self._work.trace_ids += trace_ids_of(listed)
        recorded = self._ports.chain.recorded_hashes([each.entry.job_key for each in listed])
        rest: list[Listed] = []
        confirmed: list[tuple[JobRef, Confirmation]] = []
        for each, recorded_hash in zip(listed, recorded, strict=True):
            key = each.entry.job_key
            if recorded_hash == ZERO_HASH:
                rest.append(each)
            elif recorded_hash != each.entry.result_hash:
                self._work.conflicts.append(each.ref)
            elif (receipt := self._receipt_of(each, mined, head=head)) is not None:
                gas_used = gas_share(receipt, len(receipt.recorded), receipt.recorded.index(key))
                confirmed.append((each.ref, self._confirmation(each, receipt, gas_used, head=head)))
        self._close(confirmed)
        return rest

    def _receipt_of(self, listed: Listed, mined: Receipt | None, *, head: int) -> Receipt | None:
        """The final receipt that recorded the key, be it another than the one at hand; None if not deep."""
        key = listed.entry.job_key
        if mined is not None and key in mined.recorded:
            return mined
        found = self._ports.chain.recorded_at(key)
        if found is None:
            told = f"{listed.ref.job_id} is recorded, and no event tells of it"
            self._work.alarms[Alarm.CONTRADICTION] = told
            return None
        if head - found.block_number + 1 >= FINAL_DEPTH:
            receipt = self._ports.chain.sightings([found.transaction_hash], head=head)[0].receipt
            if receipt and key in receipt.recorded:
                return receipt
        self._work.again.append(listed.ref)
        return None

    def _close_compact(self, transaction: ChainTransaction, receipt: Receipt, *, head: int) -> None:
        listed = transaction.jobs
        self._work.trace_ids += trace_ids_of(listed)
        if not self.holds(transaction):
            if self.lacks(transaction):
                raise NodeLags("The registry has lost what it had a moment ago.")
            self._work.conflicts += refs_of(listed)
            return
        confirmed = []
        for place, (each, proof) in enumerate(zip(listed, _proofs(transaction), strict=True)):
            gas_used = gas_share(receipt, len(listed), place)
            confirmation = self._confirmation(each, receipt, gas_used, head=head)
            confirmed.append((each.ref, replace(confirmation, inclusion=proof)))
        self._close(confirmed)

    def _confirmation(self, listed: Listed, receipt: Receipt, gas_used: int, *, head: int) -> Confirmation:
        return Confirmation(
            chain_id=self._ports.chain_id,
            registry=self._ports.registry,
            job_key=listed.entry.job_key,
            transaction_hash=receipt.transaction_hash,
            block_number=receipt.block_number,
            depth=head - receipt.block_number + 1,
            gas_used=gas_used,
            gas_price_wei=receipt.gas_price_wei,
        )

    def _close(self, confirmed: Sequence[tuple[JobRef, Confirmation]]) -> None:
        for chunk in chunks(confirmed, JOBS_A_CLOSE):
            self._close_chunk(chunk)

    def _close_chunk(self, chunk: Sequence[tuple[JobRef, Confirmation]]) -> None:
        for _ in range(CLOSE_ROUNDS):
            now = self._ports.clock.now()
            found = self._ports.jobs.get_many([ref for ref, _ in chunk])
            changes = []
            for job, (_, confirmation) in zip(found, chunk, strict=True):
                if job is not None and job.status is Status.CONFIRMING:
                    succeeded = succeed(job, now=now, confirmation=confirmation)
                    changes.append(metered_change(job, succeeded, self._ports.prices))
            try:
                if changes:
                    self._ports.jobs.save(changes)
            except Superseded:
                continue
            self._work.final += [change.after.ref for change in changes]
            return
        raise Superseded("the jobs keep changing; the transaction stays open and is followed again")


def _proofs(transaction: ChainTransaction) -> list[Inclusion]:
    entries = [each.entry for each in transaction.jobs]
    return inclusions(transaction.id.account.signer, transaction.nonce, entries)


def gas_share(receipt: Receipt, jobs: int, place: int) -> int:
    """The job's part of the gas: equal parts, the odd units to the first, so that the parts sum up."""
    part, odd = divmod(receipt.gas_used, jobs)
    return part + (place < odd)
