"""What a run may read of the chain: blocks that are final, and the logs in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Block:
    """A block by its number and its 0x-prefixed hash."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One log as `eth_getLogs` gives it; hashes and topics are 0x-prefixed hex in lower case."""

    block: Block
    transaction_hash: str
    log_index: int
    topics: tuple[str, ...]
    data: bytes


class TooManyLogs(Exception):
    """The logs of these blocks are more than are read at once; those of fewer blocks may not be."""


class ChainLogs(Protocol):
    """The chain that this service confirms on. Raises `ChainUnavailable` when the node cannot be asked."""

    def chain_id(self) -> int:
        """The chain's id."""

    def last_final(self) -> Block:
        """The newest block that is as deep as a confirmation has to be."""

    def block(self, number: int) -> Block:
        """The canonical block of this number; one that the node does not have (yet) is `ChainUnavailable`."""

    def logs(self, address: str, *, first: int, last: int) -> Sequence[Log]:
        """All logs of the contract in these blocks, both included, in their order on the chain.

        Or `TooManyLogs`. Each was in the canonical block of its number.
        """
