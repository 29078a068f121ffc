"""The sender: whose every step can be taken up by the next, because what it is about to do is stored first.

Phases: *follow* what was committed before (receipt → nonce → price → pool), *mend* nonces that a
reorganisation gave back, then, for the active signer, *commit* new transactions {nonce, signed bytes, hash,
jobs}, *broadcast* them, and at depth *close* their jobs.
"""

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.domain import tracing
from chalicelib.domain.chain_transaction import (
    FINAL_DEPTH,
    Attempt,
    ChainTransaction,
    Mined,
    Settlement,
    SignerLease,
)
from chalicelib.domain.confirmation import Facts, Next, Receipt, Sighting, Survey, decide
from chalicelib.domain.errors import NodeLags
from chalicelib.domain.fees import offered, raised
from chalicelib.domain.job import JobRef
from chalicelib.domain.transaction_id import TransactionId
from chalicelib.use_cases.chain_work import Alarm, SenderPorts, Work, chunks, refs_of, trace_ids_of
from chalicelib.use_cases.closing import Closing
from chalicelib.use_cases.sending import SKIPPED_NONCES, Sending, sign

# Half of what an invocation has, for all signers: what takes longest is to close many transactions' jobs.
FOLLOW_SECONDS = 15
# As many attempts as the node is asked about in one request, if each has one.
FOLLOWED_AT_ONCE = 16
# A row keeps the bytes of each, 7 KB; from 1 gwei on the ceiling is reached with as many.
ATTEMPTS_AT_MOST = 40
# What a transfer without data costs, by the protocol.
FILL_GAS = 21_000


class Sender:
    """One invocation's work for one account, under one lease."""

    def __init__(self, ports: SenderPorts, work: Work, *, lease: SignerLease, survey: Survey) -> None:
        self._ports = ports
        self._work = work
        self._closing = Closing(ports, work)
        self._survey = survey
        self.lease = lease
        self.open: list[ChainTransaction] = list(ports.transactions.unsettled(lease))

    def follow(self) -> None:
        """Takes every open transaction one step further, oldest first, while there is time.

        One at least: to ask about many attempts of many may take all of the time, at each look again.
        """
        for rows in chunks(tuple(self.open), FOLLOWED_AT_ONCE):
            hashes = [attempt.hash for row in rows for attempt in row.attempts]
            try:
                found = self._ports.chain.sightings(hashes, head=self._survey.head)
            except NodeLags:
                return  # the next look may have it from a better one
            sightings = dict(zip(hashes, found, strict=True))
            for row in rows:
                with tracing.story(*trace_ids_of(row.jobs)):
                    self._step(row, _of_any([sightings[attempt.hash] for attempt in row.attempts]))
                if self._ports.clock.monotonic() - self._work.began > FOLLOW_SECONDS:
                    return

    def _step(self, row: ChainTransaction, sighting: Sighting) -> None:
        facts = Facts(
            survey=self._survey,
            nonce=row.nonce,
            sighting=sighting,
            final_depth=FINAL_DEPTH,
            max_fee_wei=row.latest.fees.max_fee_wei,
            sent_at_block=row.sent_at_block,
        )
        receipt = sighting.receipt
        row = self._amended(row, replace(row, mined=_mined(receipt, facts.depth) if receipt else None))
        match decide(facts):
            case Next.FINAL if self._closing.lacks(row):
                self._report_contradiction(row, "has a receipt without its effect")
            case Next.REVERTED | Next.NONCE_TAKEN if self._closing.holds(row):
                self._report_contradiction(row, "has the effect that its receipt lacks, or no receipt")
            case Next.FINAL:
                assert receipt is not None, "final is what its receipt says"
                self._closing.close_mined(row, receipt, head=self._survey.head)
                self._settle(row, Settlement.FINAL)
            case Next.REVERTED:
                self._work.again += refs_of(row.jobs)
                self._settle(row, Settlement.REVERTED)
            case Next.NONCE_TAKEN:
                self._close_elsewhere(row)
                self._settle(row, Settlement.NONCE_TAKEN)
            case Next.REPLACE:
                self._replace(row, sighting)
            case Next.REBROADCAST:
                self._ports.chain.broadcast(row.latest.raw)
                if facts.is_passed_over and not self._is_known(row.latest):
                    self._replace(row, sighting)
            case Next.PENDING | Next.MINED_NOT_DEEP:
                pass

    def _report_contradiction(self, row: ChainTransaction, what: str) -> None:
        """The node contradicts itself, as one of many behind an address does that lags: it is asked again."""
        self._work.alarms[Alarm.CONTRADICTION] = f"nonce {row.nonce} of {row.id.account.signer} {what}"

    def _is_known(self, attempt: Attempt) -> bool:
        """Whether the node took what it was just sent: a pool that asks for more than it offers does not."""
        (sighting,) = self._ports.chain.sightings([attempt.hash])
        return sighting.is_pending or sighting.receipt is not None

    def _close_elsewhere(self, row: ChainTransaction) -> None:
        """What of its jobs the registry holds is closed; the others wait for another transaction."""
        rest = self._closing.close_recorded(row.jobs, head=self._survey.head)
        self._work.again += refs_of(rest)

    def _replace(self, row: ChainTransaction, sighting: Sighting) -> None:
        """The same call for more, stored before it is sent; at the ceiling, the last offer stands."""
        wanted = offered(base_fee_wei=self._survey.base_fee_wei, tip_wei=self._survey.tip_wei)
        fees = wanted and raised(row.latest.fees, wanted)
        if fees is None or len(row.attempts) >= ATTEMPTS_AT_MOST:
            self._work.alarms[Alarm.FEES_ABOVE_CEILING] = (
                f"nonce {row.nonce} waits for a base fee that we pay"
            )
            if not sighting.is_pending:
                self._ports.chain.broadcast(row.latest.raw)
            return
        attempt = sign(self._ports, row.id, row.path, row.jobs, gas=row.gas, fees=fees)
        replaced = replace(row, attempts=(*row.attempts, attempt), sent_at_block=self._survey.head)
        self._amended(row, replaced)
        self._ports.chain.broadcast(attempt.raw)

    def mend(self, *, signs_more: bool) -> None:
        """Sends again what a reorganisation deeper than final took away, and fills the other nonces.

        Else every later transaction would wait for ever. What ended without effect is not sent again, for
        its jobs may stand in another by now. What is missing by more than a lying node could make us pay
        for is mended over several looks.
        """
        for transaction_id, row in self._given_back(signs_more=signs_more):
            if row is None or row.settlement is not Settlement.FINAL:
                self._fill(transaction_id, row)
            else:
                self._send_again(row)

    def _given_back(self, *, signs_more: bool) -> list[tuple[TransactionId, ChainTransaction | None]]:
        """The nonces below all that is open, with their rows, that the chain has not or no more.

        Of a signer that signs nothing more, those at the end that had no effect are left out: nothing waits
        for them, and a row that is opened again for nothing keeps its jobs from the next signer.
        """
        start = self._survey.next_nonce
        first = min((row.nonce for row in self.open), default=self.lease.next_nonce)
        ids = [
            TransactionId(self.lease.account, nonce)
            for nonce in range(start, min(first, start + SKIPPED_NONCES))
        ]
        found = [(each, self._ports.transactions.get(each)) for each in ids]
        while found and not (self.open or signs_more or _is_final(found[-1][1])):
            found.pop()
        return found

    def _send_again(self, row: ChainTransaction) -> None:
        """The attempt that was mined; one that no block takes any more is followed, to be raised."""
        mined = row.mined and row.mined.hash
        again = next((each for each in row.attempts if each.hash == mined), row.latest)
        if again.fees.max_fee_wei < self._survey.base_fee_wei:
            opened = replace(row, mined=None, settlement=None, sent_at_block=self._survey.head)
            self.lease = self.lease.recorded(row.nonce)
            self._ports.transactions.amend(self.lease, opened)
            self.open.append(opened)
        self._ports.chain.broadcast(again.raw)

    def _fill(self, transaction_id: TransactionId, before: ChainTransaction | None) -> None:
        """A transfer in the nonce's row, beside what was signed for it before; one is mined at most.

        It outbids that if it can; at the ceiling, whatever a node still holds of it is as good.
        """
        fees = offered(base_fee_wei=self._survey.base_fee_wei, tip_wei=self._survey.tip_wei)
        fees = raised(before.latest.fees, fees) or fees if fees and before else fees
        if fees is None:
            self._work.alarms[Alarm.FEES_ABOVE_CEILING] = f"nonce {transaction_id.nonce} waits to be filled"
            return
        attempt = sign(self._ports, transaction_id, None, (), gas=FILL_GAS, fees=fees)
        row = ChainTransaction(
            id=transaction_id,
            path=None,
            jobs=(),
            gas=FILL_GAS,
            attempts=(*(before.attempts if before else ()), attempt),
            sent_at_block=self._survey.head,
        )
        if before is None:
            self.lease = self._ports.transactions.record(self.lease, row, [])
        else:
            self.lease = self.lease.recorded(row.nonce)
            self._ports.transactions.amend(self.lease, row)
        self.open.append(row)
        self._ports.chain.broadcast(attempt.raw)

    def confirm(self, refs: Sequence[JobRef]) -> None:
        """Sends what waits; see `Sending`."""
        sending = Sending(self._ports, self._work, lease=self.lease, open_rows=self.open, survey=self._survey)
        try:
            sending.confirm(refs)
        finally:
            self.lease = sending.lease

    def _amended(self, before: ChainTransaction, after: ChainTransaction) -> ChainTransaction:
        if after != before:
            self._ports.transactions.amend(self.lease, after)
            self.open[self.open.index(before)] = after
        return after

    def _settle(self, row: ChainTransaction, settlement: Settlement) -> None:
        self.open.remove(row)
        first_unsettled = min((each.nonce for each in self.open), default=self.lease.next_nonce)
        self.lease = self._ports.transactions.settle(
            self.lease, replace(row, settlement=settlement), first_unsettled=first_unsettled
        )


def _is_final(row: ChainTransaction | None) -> bool:
    return row is not None and row.settlement is Settlement.FINAL


def _mined(receipt: Receipt, depth: int) -> Mined:
    return Mined(hash=receipt.transaction_hash, block_number=receipt.block_number, depth=depth)


def _of_any(sightings: Sequence[Sighting]) -> Sighting:
    """What is known of a nonce's attempts: of any, whether it is mined; of the last, whether it waits."""
    receipts: list[Receipt] = [each.receipt for each in sightings if each.receipt]
    return Sighting(next(iter(receipts), None), is_pending=sightings[-1].is_pending)
