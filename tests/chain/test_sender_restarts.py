"""A chain that starts anew has the same id and contract addresses, and takes old bytes: we send none."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from coincurve import PrivateKey

from chalicelib.adapters.evm import EvmChain
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.errors import ChainUnavailable
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.merkle import keccak256
from chalicelib.domain.transaction_id import ConfirmationPath
from emulation.chain import CHAIN_ID, Mining, Node, checksummed, deploy_registry, start_node
from tests.chain.conftest import CONTRACTS, Bench
from tests.chain.sender import (
    confirming,
    finish,
    heard,
    mine,
    rows,
    statuses,
    sweep_and_look,
    world_on,
)
from tests.chain.sender_audit import audit
from tests.chain.test_sender_trouble import SEND, refusing_unheard
from tests.unit.world import World

KEY = PrivateKey((2**64).to_bytes(32, "big"))
SIGNER = checksummed(f"0x{keccak256(KEY.public_key.format(compressed=False)[1:])[-20:].hex()}")


@dataclass(frozen=True, slots=True)
class Left:
    """What a chain leaves behind: jobs that succeeded, that were sent, and that were stored but not sent."""

    world: World
    bench: Bench
    succeeded: list[JobRef]
    sent: list[JobRef]
    stored: list[JobRef]


def bench_on(node: Node, runner: asyncio.Runner) -> Bench:
    """On a new chain, whose accounts deploy the registry where they did on the one before."""

    def rpc(method: str, *params: object) -> Any:
        return runner.run(node.call(method, *params))

    registry = runner.run(deploy_registry(node, confirmer=SIGNER))
    genesis_hash = runner.run(node.genesis_hash())
    return Bench(
        chain=EvmChain(node.rpc_url, chain_id=CHAIN_ID, genesis_hash=genesis_hash, registry=registry),
        genesis_hash=genesis_hash,
        registry=registry,
        signer=SIGNER,
        key=KEY,
        rpc_url=node.rpc_url,
        rpc=rpc,
    )


def of_each_path(world: World, name: str) -> list[JobRef]:
    return [ref for path in ConfirmationPath for ref in confirming(world, path, 2, name=f"{name}-{path}-")]


def lived(bench: Bench) -> Left:
    world = world_on(bench)
    succeeded = of_each_path(world, "succeeded")
    finish(world, bench, succeeded)
    sent = of_each_path(world, "sent")
    world.confirm_jobs(sent)
    stored = of_each_path(world, "stored")
    with refusing_unheard(bench.rpc_url, SEND) as url:
        world.chain.chain = bench.at(url)
        world.confirm_jobs(stored)
    return Left(world, bench, succeeded, sent, stored)


@pytest.fixture(scope="module", params=list(Mining), ids=lambda mining: mining.name.lower())
def restarted(
    request: pytest.FixtureRequest, runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Left, Bench]]:
    """What the first chain left behind, and a second that runs in its place."""
    log = tmp_path_factory.mktemp("restarted") / "node.log"
    node = runner.run(start_node(CONTRACTS, log, mining=request.param))
    try:
        left = lived(bench_on(node, runner))
        runner.run(node.stop())
        node = runner.run(start_node(CONTRACTS, log, mining=request.param))
        yield left, bench_on(node, runner)
    finally:
        runner.run(node.stop())


@pytest.fixture
def left(restarted: tuple[Left, Bench]) -> Left:
    return restarted[0]


@pytest.fixture
def anew(restarted: tuple[Left, Bench]) -> Bench:
    return restarted[1]


def test_old_bytes_are_mined_when_someone_sends_them_to_the_chain_that_started_anew(
    left: Left, anew: Bench
) -> None:
    """Why the genesis is checked: this is the danger, and not the sender."""
    before = anew.rpc("evm_snapshot")
    first = rows(left.world)[0].latest
    assert anew.registry == left.bench.registry
    assert anew.rpc("eth_sendRawTransaction", f"0x{first.raw.hex()}") == first.hash
    mine(anew, FINAL_DEPTH)
    assert anew.receipt(first.hash).succeeded
    anew.rpc("evm_revert", before)


def test_nothing_is_sent_to_the_chain_that_started_anew_when_the_old_one_is_configured(
    left: Left, anew: Bench
) -> None:
    world = left.world
    world.chain.chain = left.bench.at(anew.rpc_url)
    with pytest.raises(ChainUnavailable, match="with another block"):
        sweep_and_look(world)
    for row in rows(world):
        with pytest.raises(ChainUnavailable, match="with another block"):
            world.chain.broadcast(row.latest.raw)
    mine(anew)
    assert anew.survey().next_nonce == 0
    assert statuses(world, [*left.sent, *left.stored]) == {Status.CONFIRMING}


def test_only_what_was_not_final_is_confirmed_anew_when_the_new_chain_is_configured(
    left: Left, anew: Bench
) -> None:
    world = left.world
    told = [world.job(ref) for ref in left.succeeded]
    heard(world).clear()
    world.genesis_hash, world.registry, world.chain.chain = anew.genesis_hash, anew.registry, anew.chain
    unfinished = [*left.sent, *left.stored]
    finish(world, anew, unfinished)
    audit(world, anew, unfinished)
    assert set(heard(world)) <= {attempt.raw for row in rows(world) for attempt in row.attempts}
    assert [world.job(ref) for ref in left.succeeded] == told
