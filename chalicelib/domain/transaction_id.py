"""What names a transaction of ours before it has a hash, and how it records its jobs."""

from dataclasses import dataclass
from enum import StrEnum


class ConfirmationPath(StrEnum):
    """How a job's commitment gets on the chain; its tenant chooses."""

    DIRECT = "direct"  # a word of storage of its own, which any contract can read
    COMPACT = "compact"  # one root for a whole batch, and a proof that the job carries


@dataclass(frozen=True, slots=True)
class Account:
    """An address on one chain: nonces belong to it. A chain that starts anew is another chain."""

    signer: str
    genesis_hash: str


@dataclass(frozen=True, slots=True)
class TransactionId:
    """One nonce of one account."""

    account: Account
    nonce: int
