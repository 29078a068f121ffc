"""What the steps of one invocation of the sender share: its ports, and what has come of the work so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from chalicelib.domain.chain_transaction import Listed
from chalicelib.domain.job import JobRef
from chalicelib.domain.prices import PriceBook
from chalicelib.ports import Chain, ChainTransactions, Clock, Jobs, Queue, Signers

T = TypeVar("T")


class Alarm(StrEnum):
    """What a person should look at. Nothing is lost: the jobs wait, and the sweep comes back to them."""

    REFUSED = "refused"  # the registry would revert (a pause, no role), or no block has the gas
    FEES_ABOVE_CEILING = "fees_above_ceiling"  # the next block costs more than we may offer
    FUNDS_LOW = "funds_low"  # enough for now, and not for long
    FUNDS_SPENT = "funds_spent"  # what is next might not be paid for
    NO_SIGNER = "no_signer"  # the roster has none that may sign what is new
    CONTRADICTION = "contradiction"  # receipts and the registry's storage do not agree


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderPorts:
    """What the sender works with, and for which chain, registry and prices."""

    jobs: Jobs
    transactions: ChainTransactions
    chain: Chain
    signers: Signers
    queue: Queue
    clock: Clock
    prices: PriceBook
    chain_id: int
    genesis_hash: str
    registry: str


@dataclass(slots=True)
class Work:
    """What an invocation has done since it `began`, and what it leaves to a later one.

    `trace_ids` are of the jobs that it tried to move, not of those whose transactions it only looked at.
    """

    began: float
    final: list[JobRef] = field(default_factory=list)
    conflicts: list[JobRef] = field(default_factory=list)
    again: list[JobRef] = field(default_factory=list)
    alarms: dict[Alarm, str] = field(default_factory=dict)
    trace_ids: list[str] = field(default_factory=list)


def refs_of(listed: Sequence[Listed]) -> list[JobRef]:
    """Which jobs these are."""
    return [each.ref for each in listed]


def trace_ids_of(listed: Sequence[Listed]) -> list[str]:
    """Whose traces these are."""
    return [each.trace_id for each in listed]


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in their order, `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
