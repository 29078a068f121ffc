"""The chain, and the sender's memory of what it sent there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from chalicelib.domain.chain_transaction import ChainTransaction, SignerLease
from chalicelib.domain.confirmation import Entry, Fees, Receipt, RecordedAt, SignedTransaction


class ChainTransactions(Protocol):
    """The sender's memory: one lease a signer, one row a nonce, written before anything is broadcast."""

    def lease(self, signer: str, *, now: datetime, until: datetime) -> SignerLease:
        """A new lease at the next epoch, or `LeaseHeld`."""

    def release(self, lease: SignerLease) -> None:
        """Ends the lease early; nothing happens if it was taken over."""

    def unsettled(self, lease: SignerLease) -> Sequence[ChainTransaction]:
        """The signer's rows that are not settled, by nonce."""

    def record(self, lease: SignerLease, transaction: ChainTransaction) -> SignerLease:
        """Commits the row and the signer's nonce n → n+1 at this epoch together, or raises `Superseded`."""

    def settle(
        self, lease: SignerLease, transaction: ChainTransaction, *, first_unsettled: int
    ) -> SignerLease:
        """The row is done with, at this epoch, or `Superseded`; so is every row before `first_unsettled`."""


class Chain(Protocol):
    """An EVM chain with our registry on it. Raises `ChainUnavailable` when the node cannot be asked."""

    def genesis_hash(self) -> str:
        """What tells this chain from another with the same id."""

    def head(self) -> int:
        """The latest block's number."""

    def estimate_batch_gas(self, entries: Sequence[Entry], sender: str) -> int:
        """Gas of confirming all entries at once; raises `ConfirmationRejected` when the call would revert."""

    def fees(self) -> Fees:
        """What to offer for the next block."""

    def sign_batch(
        self, entries: Sequence[Entry], *, key: bytes, nonce: int, gas: int, fees: Fees
    ) -> SignedTransaction:
        """The signed bytes and their hash; asks no one."""

    def broadcast(self, raw: bytes) -> None:
        """Offers the bytes; what the node says of it is not believed."""

    def receipt(self, transaction_hash: str) -> Receipt | None:
        """The receipt, if the transaction is in a canonical block."""

    def is_pending(self, transaction_hash: str) -> bool:
        """Whether the node's pool holds it."""

    def next_nonce(self, address: str, *, block: int | None = None) -> int:
        """The first nonce that no transaction of the address has up to this block, or the latest."""

    def recorded_hashes(self, job_keys: Sequence[str]) -> Sequence[str]:
        """The recorded hash a key; the zero word where there is none."""

    def recorded_at(self, job_key: str) -> RecordedAt | None:
        """Where the key was recorded."""
