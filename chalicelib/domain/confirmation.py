"""What is confirmed on chain, and what the sender does next with a transaction that it has stored.

Pure: the hashes are those of `contracts/src/IJobRegistry.sol`, computed here so that nobody must be asked,
and the decision needs no more than the facts that it is given. Hashes, keys and addresses are 0x-prefixed
hex; only an address may have capitals.
"""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.abi import WORD_BYTES, abi_encode, abi_word, text
from chalicelib.domain.merkle import keccak256

# What the registry answers for a job that it has not recorded.
ZERO_HASH = "0x" + "00" * WORD_BYTES


@dataclass(frozen=True, slots=True)
class Entry:
    """One job as the registry sees it: its key, and the hash that commits to its result."""

    job_key: str
    result_hash: str


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """The exact bytes to broadcast, and the hash that any node will know them by."""

    raw: bytes
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A mined transaction: where, whether it took effect, and the keys that it recorded, in its own order."""

    transaction_hash: str
    succeeded: bool
    block_number: int
    block_hash: str
    gas_used: int
    gas_price_wei: int
    recorded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordedAt:
    """The block and transaction that recorded a job."""

    block_number: int
    transaction_hash: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a node knows of a hash: a receipt in a canonical block, a place in its pool, or nothing."""

    receipt: Receipt | None = None
    is_pending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The chain as one look finds it, for one signer.

    `next_nonce` is the first that no mined transaction of the signer has; `final_nonce` the same as of the
    latest final block, so that no reorganisation gives it back.
    """

    head: int
    next_nonce: int
    final_nonce: int
    balance_wei: int
    base_fee_wei: int
    tip_wei: int


class Next(StrEnum):
    """What a stored transaction needs now."""

    FINAL = "final"  # mined, took effect, and deep enough: close its jobs
    REVERTED = "reverted"  # mined without effect, and deep enough: its jobs need another
    MINED_NOT_DEEP = "mined_not_deep"  # wait: a reorganisation may still undo it
    NONCE_TAKEN = "nonce_taken"  # it can never be mined: the contract says which jobs are recorded
    REPLACE = "replace"  # no block takes it: sign the same call again for more
    PENDING = "pending"  # wait: the node's pool holds it
    REBROADCAST = "rebroadcast"  # nobody knows it: send the same bytes


# Blocks that an offer which pays for them may be passed over before it is raised.
PATIENCE_BLOCKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a stored transaction: the survey is older than the sightings of its attempts.

    Then one that is mined meanwhile shows as unknown at worst, which is harmless, and never as a taken nonce.
    `final_depth` counts the transaction's own block.
    """

    survey: Survey
    nonce: int
    sighting: Sighting
    final_depth: int
    max_fee_wei: int
    sent_at_block: int

    @property
    def depth(self) -> int:
        """Of the receipt's block, which counts."""
        assert self.sighting.receipt is not None, "only what is mined is deep"
        # The survey may be a block older than the receipt.
        return max(1, self.survey.head - self.sighting.receipt.block_number + 1)

    @property
    def is_stuck(self) -> bool:
        """Whether the next block cannot take it, or several did not although it was its turn."""
        survey = self.survey
        if self.max_fee_wei < survey.base_fee_wei:
            return True
        return self.sighting.is_pending and self.is_passed_over

    @property
    def is_passed_over(self) -> bool:
        """Whether several blocks did not take it although it was its turn."""
        waited = self.survey.head - self.sent_at_block >= PATIENCE_BLOCKS
        return self.nonce == self.survey.next_nonce and waited


def decide(facts: Facts) -> Next:
    """The one next step: receipt → nonce → price → pool, in that order.

    >>> survey = Survey(head=7, next_nonce=4, final_nonce=4, balance_wei=0, base_fee_wei=1, tip_wei=1)
    >>> unknown = Facts(
    ...     survey=survey, nonce=4, sighting=Sighting(), final_depth=3, max_fee_wei=3, sent_at_block=7
    ... )
    >>> decide(unknown)
    <Next.REBROADCAST: 'rebroadcast'>
    """
    receipt = facts.sighting.receipt
    if receipt is not None:
        if facts.depth < facts.final_depth:
            return Next.MINED_NOT_DEEP
        return Next.FINAL if receipt.succeeded else Next.REVERTED
    if facts.survey.final_nonce > facts.nonce:
        return Next.NONCE_TAKEN
    if facts.is_stuck:
        return Next.REPLACE
    return Next.PENDING if facts.sighting.is_pending else Next.REBROADCAST


def job_key(chain_id: int, registry: str, tenant_id: str, job_id: str) -> str:
    """The key under which the registry records the job: `IJobRegistry.jobKeyOf`.

    >>> job_key(31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3", "ten_1", "job_1")
    '0x53a3f9ad229bd6ca94e2e8981d24d2e3e1c6aa151b7a9306611af025bc4de110'
    """
    place = abi_word(chain_id), abi_word(int(registry, 16))
    return _keccak(abi_encode(*place, text(tenant_id.encode()), text(job_id.encode())))


def commitment(salt: bytes, content: bytes) -> str:
    """The hash that commits to exactly these bytes of a result: `IJobRegistry.commitmentOf`.

    >>> commitment(bytes(32), b"{}")
    '0x660f98825626a1ad0c3df3b009bce35103b7739ae33ff1be20c965b032a2f0a1'
    """
    assert len(salt) == WORD_BYTES, "a salt is one word"
    return _keccak(salt + keccak256(content))


def _keccak(data: bytes) -> str:
    return f"0x{keccak256(data).hex()}"
