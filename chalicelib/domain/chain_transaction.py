"""The sender's stored facts: a signer's lease, and transactions committed to before they are broadcast."""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from chalicelib.domain.chain_call import Call, ConfirmBatch, Fill, compact_call
from chalicelib.domain.confirmation import Entry
from chalicelib.domain.fees import Fees
from chalicelib.domain.job import JobRef
from chalicelib.domain.transaction_id import Account, ConfirmationPath, TransactionId

# Longer than any invocation of the sender may last, so that a live sender never loses its lease.
SENDER_LEASE = timedelta(seconds=60)
# Blocks on top of and including the transaction's own before a job is shown as succeeded.
FINAL_DEPTH = 3
# The row, its signer and the jobs that it places commit together, in a storage transaction of 100 actions.
JOBS_A_TRANSACTION = 98


class Settlement(StrEnum):
    """How a stored transaction ended; a row without one is still to be followed."""

    FINAL = "final"  # mined, and FINAL_DEPTH deep
    REVERTED = "reverted"  # mined without effect, or its signer may not confirm; its jobs wait for another
    NONCE_TAKEN = "nonce_taken"  # another transaction used the nonce; its jobs wait for another


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerLease:
    """The right to sign for one account at one epoch, with the first nonce that it may use."""

    account: Account
    epoch: int
    next_nonce: int
    first_unsettled: int

    def recorded(self, nonce: int) -> "SignerLease":
        """The lease once a row for this nonce is stored; one that fills a gap lies below those after it."""
        return replace(
            self,
            next_nonce=max(self.next_nonce, nonce + 1),
            first_unsettled=min(self.first_unsettled, nonce),
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """A job that a transaction confirms, and the trace that it is part of."""

    ref: JobRef
    entry: Entry
    trace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The exact bytes signed for a nonce, the hash that any node knows them by, and what they offer."""

    raw: bytes
    hash: str
    fees: Fees


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """Where the sender last saw the transaction; `depth` counts its own block."""

    hash: str
    block_number: int
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionProgress:
    """How far a stored transaction is, without what it is made of; `latest_hash` is its last attempt's."""

    path: ConfirmationPath | None
    latest_hash: str
    mined: Mined | None = None
    settlement: Settlement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTransaction:
    """One nonce of one account: its jobs, and every attempt ever signed for it, of which one may be mined.

    `path` is None for one that only fills a nonce; `sent_at_block` is the head at its last attempt.
    """

    id: TransactionId
    path: ConfirmationPath | None
    jobs: tuple[Listed, ...]
    gas: int
    attempts: tuple[Attempt, ...]
    sent_at_block: int
    mined: Mined | None = None
    settlement: Settlement | None = None

    @property
    def nonce(self) -> int:
        """Which of the account's transactions it is."""
        return self.id.nonce

    @property
    def latest(self) -> Attempt:
        """The attempt that offers most."""
        return self.attempts[-1]

    @property
    def progress(self) -> TransactionProgress:
        """How far it is."""
        return TransactionProgress(
            path=self.path, latest_hash=self.latest.hash, mined=self.mined, settlement=self.settlement
        )


def call_of(transaction_id: TransactionId, path: ConfirmationPath | None, entries: tuple[Entry, ...]) -> Call:
    """What a transaction of this id asks of the chain for these entries: the same, whenever it is asked."""
    match path:
        case ConfirmationPath.DIRECT:
            return ConfirmBatch(entries)
        case ConfirmationPath.COMPACT:
            return compact_call(transaction_id.account.signer, transaction_id.nonce, entries)
        case None:
            return Fill()
