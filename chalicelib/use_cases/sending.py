"""Sending: jobs that wait are put into transactions, each committed to before it is broadcast."""

from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from chalicelib.domain import tracing
from chalicelib.domain.chain_transaction import (
    JOBS_A_TRANSACTION,
    Attempt,
    ChainTransaction,
    Listed,
    Settlement,
    SignerLease,
    call_of,
)
from chalicelib.domain.confirmation import Entry, Survey, job_key
from chalicelib.domain.errors import ConfirmationRejected, TooMuchGas
from chalicelib.domain.fees import Fees, offered
from chalicelib.domain.job import Job, JobRef, Status, place
from chalicelib.domain.transaction_id import ConfirmationPath, TransactionId
from chalicelib.ports import Change
from chalicelib.use_cases.chain_work import Alarm, SenderPorts, Work, chunks, trace_ids_of
from chalicelib.use_cases.closing import Closing

# A block of 60 million gas takes 23 of 98 jobs: as many are sent at each look, so that the next one is full,
SENT_A_LOOK = 24
# and as many as four blocks take are open, the last of them waiting while the first gets its depth.
OPEN_TRANSACTIONS = 96
# Of the 30 that an invocation has: a batch that is sent then may wait 5 for each of some calls.
SENT_WITHIN_SECONDS = 20
# Jobs are read a hundred at a time, which is what one answer of the table may be asked for.
JOBS_A_READ = 100
# A nonce that others use up moves ours on, but a node that lies about it must not strand us far ahead.
SKIPPED_NONCES = 16
# Below what this many more of the same would cost, the account is to be filled.
LOW_AT_TRANSACTIONS = 100


class _Held(Exception):
    """Nothing more can be sent now; the alarm says why, and the sweep comes back to the jobs."""


class Sending:
    """Makes new transactions for one account, from the nonce that the lease allows."""

    def __init__(
        self,
        ports: SenderPorts,
        work: Work,
        *,
        lease: SignerLease,
        open_rows: list[ChainTransaction],
        survey: Survey,
    ) -> None:
        self._ports = ports
        self._work = work
        self._closing = Closing(ports, work)
        self._survey = survey
        self._rows: dict[TransactionId, ChainTransaction | None] = {row.id: row for row in open_rows}
        self.lease = lease
        self.open = open_rows

    def confirm(self, refs: Sequence[JobRef]) -> None:
        """Commits and broadcasts transactions for the jobs that wait and stand in none yet.

        What is beyond the transactions that may be open is not even read; it is put back.
        """
        distinct = list(dict.fromkeys(refs))
        room = min(SENT_A_LOOK, max(0, OPEN_TRANSACTIONS - len(self.open))) * JOBS_A_TRANSACTION
        self._work.again += distinct[room:]
        waiting = [job for chunk in chunks(distinct[:room], JOBS_A_READ) for job in self._waiting(chunk)]
        try:
            for path in ConfirmationPath:
                chosen = [job for job in waiting if job.path is path]
                for batch in chunks(chosen, JOBS_A_TRANSACTION):
                    if self._ports.clock.monotonic() - self._work.began > SENT_WITHIN_SECONDS:
                        self._work.again += [job.ref for job in batch]
                    else:
                        self._send_unrecorded(path, batch)
        except _Held:
            return

    def _waiting(self, refs: Sequence[JobRef]) -> list[Job]:
        # Also of rows that the job has left since, while another chain was configured.
        in_flight = {listed.ref for row in self.open for listed in row.jobs}
        found = self._ports.jobs.get_many([ref for ref in refs if ref not in in_flight])
        return [job for job in found if job and job.status is Status.CONFIRMING and self._is_free(job)]

    def _is_free(self, job: Job) -> bool:
        """Whether no transaction may still confirm the job: else it could have two paths."""
        placed = job.placed
        if placed is None or placed.account.genesis_hash != self._ports.genesis_hash:
            return True
        if placed not in self._rows:
            self._rows[placed] = self._ports.transactions.get(placed)
        row = self._rows[placed]
        assert row is not None, "a job is placed with its transaction's row"
        if row.path is ConfirmationPath.COMPACT and row.settlement is Settlement.FINAL:
            self._report_unclosed(job.ref)
            return False
        return row.settlement is not None

    def _report_unclosed(self, ref: JobRef) -> None:
        """A batch's jobs are closed before its row is settled, unless the chain holds another root."""
        (job,) = self._ports.jobs.get_many([ref])
        if job is not None and job.status is Status.CONFIRMING:
            self._work.conflicts.append(ref)

    def _send_unrecorded(self, path: ConfirmationPath, batch: Sequence[Job]) -> None:
        listed = [self._listed(job) for job in batch]
        rest = self._closing.close_recorded(listed, head=self._survey.head)
        jobs = {job.ref: job for job in batch}
        if rest:
            with tracing.story(*trace_ids_of(rest)):
                self._send(path, [(jobs[each.ref], each) for each in rest])

    def _send(self, path: ConfirmationPath, batch: Sequence[tuple[Job, Listed]]) -> None:
        """One transaction, or two of half the batch each if it takes more gas than one may have."""
        listed = tuple(each for _, each in batch)
        transaction_id = TransactionId(self.lease.account, self._next_nonce())
        call = call_of(transaction_id, path, tuple(each.entry for each in listed))
        try:
            gas = self._ports.chain.estimate_gas(call, signer=self.lease.account.signer)
        except TooMuchGas as error:
            if len(batch) == 1:
                self._hold(Alarm.REFUSED, str(error))
            middle = len(batch) // 2
            self._send(path, batch[:middle])
            self._send(path, batch[middle:])
            return
        except ConfirmationRejected as error:
            self._hold(Alarm.REFUSED, str(error))
        fees = self._fees(gas)
        attempt = sign(self._ports, transaction_id, path, listed, gas=gas, fees=fees)
        transaction = ChainTransaction(
            id=transaction_id,
            path=path,
            jobs=listed,
            gas=gas,
            attempts=(attempt,),
            sent_at_block=self._survey.head,
        )
        placed = [Change(job, place(job, transaction_id)) for job, _ in batch]
        self.lease = self._ports.transactions.record(self.lease, transaction, placed)
        self.open.append(transaction)
        self._ports.chain.broadcast(attempt.raw)

    def _next_nonce(self) -> int:
        """The lease's, or past what others have used up for good."""
        first = self.lease.next_nonce
        return max(first, min(self._survey.final_nonce, first + SKIPPED_NONCES))

    def _fees(self, gas: int) -> Fees:
        """What to offer, if it can be afforded beside all that is open."""
        fees = offered(base_fee_wei=self._survey.base_fee_wei, tip_wei=self._survey.tip_wei)
        if fees is None:
            self._hold(Alarm.FEES_ABOVE_CEILING, f"the base fee is {self._survey.base_fee_wei} wei")
        owed = sum(row.gas * row.latest.fees.max_fee_wei for row in self.open)
        left = self._survey.balance_wei - owed
        told = f"{self.lease.account.signer} has {left} wei beside what is open"
        if left < gas * fees.max_fee_wei:
            self._hold(Alarm.FUNDS_SPENT, told)
        if left < LOW_AT_TRANSACTIONS * gas * fees.max_fee_wei:
            self._work.alarms[Alarm.FUNDS_LOW] = told
        return fees

    def _hold(self, alarm: Alarm, told: str) -> NoReturn:
        self._work.alarms[alarm] = told
        raise _Held

    def _listed(self, job: Job) -> Listed:
        assert job.result is not None, "a confirming job has its commitment"
        key = job_key(self._ports.chain_id, self._ports.registry, job.ref.tenant_id, job.ref.job_id)
        return Listed(job.ref, Entry(key, job.result.commitment), job.trace_id)


def sign(
    ports: SenderPorts,
    transaction_id: TransactionId,
    path: ConfirmationPath | None,
    listed: tuple[Listed, ...],
    *,
    gas: int,
    fees: Fees,
) -> Attempt:
    """The transaction's call, signed for its nonce with these fees; asks no node."""
    signer = transaction_id.account.signer
    signed = ports.chain.sign(
        call_of(transaction_id, path, tuple(each.entry for each in listed)),
        signer=signer,
        nonce=transaction_id.nonce,
        gas=gas,
        fees=fees,
        sign=partial(ports.signers.sign, signer),
    )
    return Attempt(raw=signed.raw, hash=signed.hash, fees=fees)
