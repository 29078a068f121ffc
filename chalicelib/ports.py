"""What the use cases need of the world. Each port has two implementations: in memory, and the real one.

One conformance suite runs on both. Every port raises `Unavailable` when its service does not answer;
whether a write took effect is then unknown, and the caller reads again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from chalicelib.domain.chain_transaction import ChainTransaction, SignerLease
from chalicelib.domain.confirmation import Entry, Fees, Receipt, RecordedAt, SignedTransaction
from chalicelib.domain.entitlements import Plan, Tenant
from chalicelib.domain.idempotency import Claim
from chalicelib.domain.job import Job, JobRef
from chalicelib.domain.metering import UsageEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """All that one submit commits, or none of it."""

    claim: Claim
    job: Job
    input: bytes
    plan: Plan
    event: UsageEvent


@dataclass(frozen=True, slots=True)
class Change:
    """One job as it was read and as it shall be, with the usage events that become true by it."""

    before: Job
    after: Job
    events: tuple[UsageEvent, ...] = ()


class Jobs(Protocol):
    """Jobs, their inputs, claims, entitlements and usage events: what must commit together."""

    def admit(self, admission: Admission, *, now: datetime) -> Claim:
        """The claim that holds the key: the admission's own if it committed, or the older one.

        An older claim outranks a spent limit. Raises `ActiveJobsExceeded` or `JobQuotaExceeded`.
        """

    def get(self, ref: JobRef) -> Job | None:
        """The job as last committed."""

    def input_of(self, ref: JobRef) -> bytes:
        """The canonical JSON that the job was submitted with."""

    def save(self, changes: Sequence[Change]) -> None:
        """All changes in one transaction, releasing entitlements of jobs that became terminal.

        At most 30 changes. Raises `Superseded` if any row is not as it was read; then nothing is written.
        """

    def due(self, *, now: datetime, limit: int) -> Sequence[Job]:
        """Unfinished jobs whose `due_at` has come, in no order; an index that may lag is enough."""


class Queue(Protocol):
    """Messages that wake a function. What there is to do stands in the tables."""

    def wake_runner(self, ref: JobRef) -> None:
        """Some worker will look at this job."""

    def wake_confirmer(self, refs: Sequence[JobRef]) -> None:
        """The sender will look at these jobs; without any, it looks at its open transactions."""


class Payloads(Protocol):
    """Results, stored under the hash of their content: another content can never overwrite them."""

    def put(self, ref: JobRef, content: bytes) -> str:
        """The storage key."""

    def get(self, storage_key: str) -> bytes:
        """Exactly the bytes that were stored."""


class Tenants(Protocol):
    """The tenants and their plans."""

    def get(self, tenant_id: str) -> Tenant | None:
        """The tenant as last written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A tenant's credential. Only a digest of its secret is stored."""

    client_id: str
    tenant_id: str
    secret_sha256: str
    scopes: tuple[str, ...]


class Clients(Protocol):
    """The credentials that the token endpoint knows."""

    def get(self, client_id: str) -> Client | None:
        """The client as last written."""


class Keys(Protocol):
    """Secrets made at provisioning."""

    def token_key(self) -> str:
        """The private JWK (JSON text) that signs access tokens."""

    def signer_key(self, address: str) -> bytes:
        """The 32-byte private key of a chain signer."""


class Tokens(Protocol):
    """Access tokens (RFC 9068), signed and verified without asking anyone once the key is known."""

    def sign(self, claims: Mapping[str, JsonValue]) -> str:
        """The compact JWS."""

    def verify(self, token: str) -> Mapping[str, JsonValue]:
        """The claims of a token that is ours, for us and live now; else `InvalidToken`."""

    def public_keys(self) -> Mapping[str, JsonValue]:
        """The JWK set to verify with."""


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


class Clock(Protocol):
    """Time."""

    def now(self) -> datetime:
        """The time in UTC: what leases, periods and expiries follow."""

    def monotonic(self) -> float:
        """Seconds for what waits in real time: heartbeats."""


class Ids(Protocol):
    """Chance."""

    def new_id(self, prefix: str) -> str:
        """A fresh, time-ordered identifier such as `job_01J…`."""

    def salt(self) -> bytes:
        """32 unpredictable bytes."""
