"""The sender's stored facts: a signer's lease, and transactions committed to before they are broadcast."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from chalicelib.domain.confirmation import Entry
from chalicelib.domain.job import JobRef

# Longer than any invocation of the sender may last, so that a live sender never loses its lease.
SENDER_LEASE = timedelta(seconds=60)
# Blocks on top of and including the transaction's own before a job is shown as succeeded.
FINAL_DEPTH = 3


class Settlement(StrEnum):
    """How a stored transaction ended; a row without one is still to be followed."""

    FINAL = "final"  # mined, and FINAL_DEPTH deep
    REVERTED = "reverted"  # mined without effect; its jobs wait for another
    NONCE_TAKEN = "nonce_taken"  # another transaction used the nonce; its jobs wait for another


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerLease:
    """The right to sign for one signer at one epoch, with the first nonce that it may use."""

    signer: str
    epoch: int
    next_nonce: int
    first_unsettled: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A job that a transaction confirms, and the trace that it is part of."""

    ref: JobRef
    entry: Entry
    trace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTransaction:
    """One nonce of one signer: the exact bytes, their hash, the chain they are for, and their jobs."""

    signer: str
    nonce: int
    raw: bytes
    hash: str
    genesis_hash: str
    jobs: tuple[Listed, ...]
    settlement: Settlement | None = None
