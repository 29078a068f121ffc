"""The sender at work on a real node: the service on tables in memory, and a hand on the node.

Nothing here waits: blocks are mined by the tests themselves, and a node that mines every second as well only
makes more of them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.adapters.memory_signers import MemorySigners
from chalicelib.domain.chain_transaction import ChainTransaction
from chalicelib.domain.entitlements import Plan
from chalicelib.domain.fees import GWEI
from chalicelib.domain.job import UNSEEN_AT_MOST, JobRef, Status
from chalicelib.domain.merkle import keccak256
from chalicelib.domain.transaction_id import Account, ConfirmationPath
from chalicelib.ports import Chain
from chalicelib.use_cases.confirm_jobs import ConfirmReport
from tests.chain.conftest import Bench
from tests.unit.world import World

BOTH_PATHS = pytest.mark.parametrize("path", list(ConfirmationPath), ids=str)
PLENTY = Plan(name="test", jobs_per_month=10_000, active_jobs=10_000, spend_cap_micros=10**12, currency="USD")
# More than any of these tests needs, and few enough to fail soon.
LOOKS = 20
ADMIN, PAUSER = 0, 1  # of the node's accounts
UNPAUSE, GRANT, REVOKE = "0x3f4ba83a", "0x2f2ff15d", "0xd547741f"
CONFIRMER_ROLE = keccak256(b"CONFIRMER_ROLE").hex()
IN_FULL = True  # of a block's transactions


@dataclass
class Witness:
    """A chain that is offered nothing but bytes that a row holds already, and notes them."""

    chain: Chain
    world: World | None = None
    heard: list[bytes] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.chain, name)

    def broadcast(self, raw: bytes) -> None:
        assert self.world is not None
        assert raw in stored_bytes(self.world), "it is broadcast before its row is written"
        self.heard.append(raw)
        self.chain.broadcast(raw)


def world_on(bench: Bench, *, chain: Chain | None = None) -> World:
    """The service, confirming on the bench's registry."""
    witness = Witness(chain or bench.chain)
    world = World(
        chain=witness,
        signers=MemorySigners({bench.signer: bench.key.secret}),
        genesis_hash=bench.genesis_hash,
        registry=bench.registry,
        plan=PLENTY,
    )
    witness.world = world
    return world


def heard(world: World) -> list[bytes]:
    """What was broadcast, in order."""
    assert isinstance(world.chain, Witness)
    return world.chain.heard


def confirming(world: World, path: ConfirmationPath, number: int = 1, *, name: str = "k") -> list[JobRef]:
    """Jobs that have run and wait for the chain, on this path."""
    return [world.confirming(f"{name}{count}", path=path) for count in range(number)]


def waiting(bench: Bench, path: ConfirmationPath, number: int = 2) -> tuple[World, list[JobRef]]:
    """The service on the bench's registry, and jobs that wait for the chain on this path."""
    world = world_on(bench)
    return world, confirming(world, path, number)


def statuses(world: World, refs: Sequence[JobRef]) -> set[Status]:
    """Which the jobs have."""
    return {world.job(ref).status for ref in refs}


def rows(world: World) -> list[ChainTransaction]:
    """Every stored transaction of this chain, by signer and nonce."""
    assert world.transactions is not None
    return [
        row
        for signer in world.signers.roster().signers
        for row in world.transactions.rows(Account(signer.address, world.genesis_hash))
    ]


def stored_bytes(world: World) -> set[bytes]:
    """Every attempt of every row."""
    return {attempt.raw for row in rows(world) for attempt in row.attempts}


def attempts(world: World, nonce: int = 0) -> list[str]:
    """The hashes ever signed for a nonce."""
    (row,) = (row for row in rows(world) if row.nonce == nonce)
    return [attempt.hash for attempt in row.attempts]


def mine(bench: Bench, blocks: int = 1) -> None:
    """That many more blocks, the first with what the pool holds and pays for it."""
    for _ in range(blocks):
        bench.rpc("evm_mine")


def sweep_and_look(world: World) -> ConfirmReport:
    """Whatever waits is woken, and one invocation of the sender takes it."""
    world.clock.advance(UNSEEN_AT_MOST)
    waiting = [job.ref for job in world.jobs.due(now=world.clock.now(), limit=1_000)]
    return world.confirm_jobs(waiting)


def finish(world: World, bench: Bench, refs: Sequence[JobRef]) -> None:
    """The sender is woken, block after block, until these jobs have succeeded and nothing is open."""
    for _ in range(LOOKS):
        report = sweep_and_look(world)
        if statuses(world, refs) == {Status.SUCCEEDED} and not report.open_transactions:
            return
        mine(bench)
    raise AssertionError(f"not done after {LOOKS} blocks: {statuses(world, refs)}, {report}")


# A hand on the node


def base_fee(bench: Bench, gwei: int) -> None:
    """The next block's; each after it takes an eighth less, being nearly empty."""
    bench.rpc("hardhat_setNextBlockBaseFeePerGas", hex(gwei * GWEI))


@contextmanager
def fees_are_restored(bench: Bench) -> Iterator[None]:
    """Whatever the base fee becomes, the next test finds a low one: the node is shared."""
    try:
        yield
    finally:
        base_fee(bench, 1)
        mine(bench)


@contextmanager
def block_gas_limit(bench: Bench, gas: int) -> Iterator[None]:
    """Blocks have this much, until the end."""
    before = bench.rpc("eth_getBlockByNumber", "latest", not IN_FULL)["gasLimit"]
    bench.rpc("evm_setBlockGasLimit", hex(gas))
    mine(bench)
    try:
        yield
    finally:
        bench.rpc("evm_setBlockGasLimit", before)
        mine(bench)


def as_account(bench: Bench, account: int, data: str) -> None:
    """One of the node's accounts calls the registry, and it is mined."""
    sender = bench.rpc("eth_accounts")[account]
    sent = bench.rpc("eth_sendTransaction", {"from": sender, "to": bench.registry, "data": data})
    mine(bench)
    assert bench.rpc("eth_getTransactionReceipt", sent)["status"] == "0x1"


def unpause(bench: Bench) -> None:
    """Lets the registry go on."""
    as_account(bench, PAUSER, UNPAUSE)


def appoint(bench: Bench, *, by: str, signer: str | None = None) -> None:
    """`GRANT` or `REVOKE`: the signer may confirm, or no longer."""
    address = (signer or bench.signer)[2:].lower().rjust(64, "0")
    as_account(bench, ADMIN, f"{by}{CONFIRMER_ROLE}{address}")
