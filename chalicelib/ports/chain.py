"""The chain, the keys that sign for it, and the sender's memory of what it sent there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from chalicelib.domain.chain_call import Call, Inclusion
from chalicelib.domain.chain_transaction import ChainTransaction, SignerLease, TransactionProgress
from chalicelib.domain.confirmation import Entry, RecordedAt, Sighting, SignedTransaction, Survey
from chalicelib.domain.fees import Fees
from chalicelib.domain.roster import Roster
from chalicelib.domain.transaction_id import Account, TransactionId
from chalicelib.ports.jobs import Change


class ChainTransactions(Protocol):
    """The sender's memory: one lease an account, one row a nonce, written before anything is broadcast."""

    def lease(self, account: Account, *, now: datetime, until: datetime) -> SignerLease:
        """A new lease at the next epoch, or `LeaseHeld`."""

    def peek(self, account: Account) -> SignerLease:
        """The account's lease as last written, which gives no right to anything."""

    def release(self, lease: SignerLease) -> None:
        """Ends the lease early; nothing happens if it was taken over."""

    def get(self, transaction_id: TransactionId) -> ChainTransaction | None:
        """The row as last written."""

    def progress(
        self, transaction_ids: Sequence[TransactionId]
    ) -> Mapping[TransactionId, TransactionProgress]:
        """How far each row is, as last written; at most 100, each once. One that is not there is left out."""

    def unsettled(self, lease: SignerLease) -> Sequence[ChainTransaction]:
        """The account's rows that are not settled, by nonce."""

    def rows(self, account: Account) -> Iterator[ChainTransaction]:
        """Every row of the account, by nonce; read in pages, for administration."""

    def record(
        self, lease: SignerLease, transaction: ChainTransaction, placed: Sequence[Change]
    ) -> SignerLease:
        """Commits at this epoch the new row, its nonce as used, and its jobs as placed in it.

        All or nothing; `Superseded` if the lease was taken over, the nonce has a row, or a job has moved.
        """

    def amend(self, lease: SignerLease, transaction: ChainTransaction) -> None:
        """The row's attempts, and where it was seen, at this epoch, or `Superseded`.

        It may be open again, and without its jobs and path, as one that fills its nonce.
        """

    def settle(
        self, lease: SignerLease, transaction: ChainTransaction, *, first_unsettled: int
    ) -> SignerLease:
        """The row is done with, at this epoch, or `Superseded`; so is every row before `first_unsettled`."""


class Chain(Protocol):
    """An EVM chain with our registry on it.

    Raises `ChainUnavailable` when the node cannot be asked, contradicts itself, or runs another chain.
    """

    def survey(self, signer: str, *, final_depth: int) -> Survey:
        """The chain as it is now, which is ours: its id and its genesis hash are checked each time."""

    def estimate_gas(self, call: Call, *, signer: str) -> int:
        """Gas of the call now. Raises `ConfirmationRejected` if it would revert, or `TooMuchGas`."""

    def sign(
        self, call: Call, *, signer: str, nonce: int, gas: int, fees: Fees, sign: Callable[[bytes], bytes]
    ) -> SignedTransaction:
        """The signed bytes and their hash; asks no node. `sign` makes r, s and y parity of a digest."""

    def broadcast(self, raw: bytes) -> None:
        """Offers the bytes, if the chain is ours; what the node says of it is not believed."""

    def sightings(self, hashes: Sequence[str], *, head: int = 0) -> Sequence[Sighting]:
        """What the node knows of each transaction; a receipt counts if its block is canonical.

        `NodeLags` if the node has not come as far as the block `head`: what such a one does not know may be
        mined, and what it has may be less deep than it seems.
        """

    def recorded_hashes(self, job_keys: Sequence[str]) -> Sequence[str]:
        """The recorded hash a key; the zero word where there is none."""

    def recorded_at(self, job_key: str) -> RecordedAt | None:
        """Where the key was recorded, if that is not too long ago to be found in bounded time."""

    def compact_hash(self, word: int) -> str:
        """What is recorded of a compact batch; the zero word if nothing."""


class Signers(Protocol):
    """Who signs for us, and their signatures; the private keys stay behind this port."""

    def roster(self) -> Roster:
        """The signers as last written."""

    def sign(self, address: str, digest: bytes) -> bytes:
        """The signature of a 32-byte digest: r, s and the y parity, 65 bytes."""


class RegistryAdmin(Protocol):
    """Whoever appoints the registry's confirmers and pays for their gas; what it does is mined on return.

    Raises `Refused`, with what is to be signed elsewhere, where its key is not at hand.
    """

    def address(self) -> str:
        """Its own address."""

    def grant(self, address: str) -> None:
        """The address may confirm; nothing is sent if it may already."""

    def revoke(self, address: str) -> None:
        """The address may no longer confirm; nothing is sent if it may not anyway."""

    def is_confirmer(self, address: str, *, depth: int = 1) -> bool:
        """Whether the address may confirm, as of the block that is this deep; the latest one's depth is 1."""

    def fund(self, address: str, wei: int) -> None:
        """Sends this much, each time."""

    def balance(self, address: str) -> int:
        """What the address has, in wei."""

    def materialize(self, entry: Entry, inclusion: Inclusion) -> None:
        """Records by itself what a compact batch holds, paid by any account that is at hand."""
