"""What is confirmed on chain, and what the sender does next with a transaction that it has stored.

Pure: the hashes are those of `contracts/src/IJobRegistry.sol`, computed here so that nobody must be asked,
and the decision needs no more than the facts that it is given. Hashes, keys and addresses are 0x-prefixed
hex; only an address may have capitals.
"""

from dataclasses import dataclass
from enum import StrEnum

from Crypto.Hash import keccak

WORD_BYTES = 32
# What the registry answers for a job that it has not recorded.
ZERO_HASH = "0x" + "00" * WORD_BYTES


@dataclass(frozen=True, slots=True)
class Entry:
    """One job as the registry sees it: its key, and the hash that commits to its result."""

    job_key: str
    result_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """What is offered for a unit of gas (EIP-1559)."""

    max_fee_wei: int
    max_priority_fee_wei: int


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """The exact bytes to broadcast, and the hash that any node will know them by."""

    raw: bytes
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A mined transaction: where, whether it took effect, and the keys that it recorded, in its own order."""

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


class Next(StrEnum):
    """What a stored transaction needs now."""

    WRONG_CHAIN = "wrong_chain"  # it was signed for another chain; broadcast nothing
    FINAL = "final"  # mined, took effect, and deep enough: close its jobs
    REVERTED = "reverted"  # mined without effect, and deep enough: its jobs need another
    MINED_NOT_DEEP = "mined_not_deep"  # wait: a reorganisation may still undo it
    PENDING = "pending"  # wait: the node's pool holds it
    NONCE_TAKEN = "nonce_taken"  # it can never be mined: the contract says which jobs are recorded
    REBROADCAST = "rebroadcast"  # nobody knows it: send the same bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a stored transaction and its chain, asked in this order: nonce, receipt, pool.

    Then one that is mined meanwhile shows as unknown at worst, which is harmless, and never as a taken nonce.
    `final_depth` counts the transaction's own block.
    """

    same_chain: bool
    receipt: Receipt | None
    head: int
    final_depth: int
    pending: bool
    nonce: int
    next_nonce: int


def decide(facts: Facts) -> Next:
    """The one next step: receipt → pool → nonce → contract, in that order.

    >>> unknown = Facts(
    ...     same_chain=True, receipt=None, head=7, final_depth=3, pending=False, nonce=4, next_nonce=4
    ... )
    >>> decide(unknown)
    <Next.REBROADCAST: 'rebroadcast'>
    """
    if not facts.same_chain:
        return Next.WRONG_CHAIN
    if facts.receipt is not None:
        if facts.head - facts.receipt.block_number + 1 < facts.final_depth:
            return Next.MINED_NOT_DEEP
        return Next.FINAL if facts.receipt.succeeded else Next.REVERTED
    if facts.pending:
        return Next.PENDING
    return Next.NONCE_TAKEN if facts.next_nonce > facts.nonce else Next.REBROADCAST


def job_key(chain_id: int, registry: str, tenant_id: str, job_id: str) -> str:
    """The key under which the registry records the job: `IJobRegistry.jobKeyOf`.

    The values are laid out by hand as `abi.encode` does it: two words, where the two texts begin, the texts.
    The library for it would add 0.4 s to the cold start of every function.

    >>> job_key(31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3", "ten_1", "job_1")
    '0x53a3f9ad229bd6ca94e2e8981d24d2e3e1c6aa151b7a9306611af025bc4de110'
    """
    tenant, job = _abi_text(tenant_id), _abi_text(job_id)
    heads_bytes = 4 * WORD_BYTES
    words = (chain_id, int(registry, 16), heads_bytes, heads_bytes + len(tenant))
    return _keccak(b"".join(map(_word, words)) + tenant + job)


def commitment(salt: bytes, content: bytes) -> str:
    """The hash that commits to exactly these bytes of a result: `IJobRegistry.commitmentOf`.

    >>> commitment(bytes(32), b"{}")
    '0x660f98825626a1ad0c3df3b009bce35103b7739ae33ff1be20c965b032a2f0a1'
    """
    assert len(salt) == WORD_BYTES, "a salt is one word"
    digest = keccak.new(digest_bits=256, data=content).digest()
    return _keccak(salt + digest)


def _abi_text(text: str) -> bytes:
    """A `string`'s tail: its length in bytes, then its bytes, padded to whole words."""
    encoded = text.encode()
    return _word(len(encoded)) + encoded + bytes(-len(encoded) % WORD_BYTES)


def _word(number: int) -> bytes:
    return number.to_bytes(WORD_BYTES, "big")


def _keccak(data: bytes) -> str:
    return "0x" + keccak.new(digest_bits=256, data=data).hexdigest()
