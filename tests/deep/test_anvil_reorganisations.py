"""Blocks are replaced by others, not only taken back as by a snapshot: each job is still confirmed once.

So are jobs whose transaction leaves the pool, or whose node mines by itself.
"""

import asyncio
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from chalicelib.domain.chain_transaction import FINAL_DEPTH, Settlement
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.transaction_id import ConfirmationPath
from emulation.chain import Node
from tests.chain.conftest import Bench, bench, runner
from tests.chain.sender import (
    BOTH_PATHS,
    attempts,
    confirming,
    finish,
    mine,
    rows,
    statuses,
    sweep_and_look,
    world_on,
)
from tests.chain.sender_audit import audit, go_on, mined_by
from tests.deep.anvil import AnvilMining, start_anvil
from tests.unit.world import World
from tests.waiting import until

__all__ = ("bench", "runner")

pytestmark = pytest.mark.deep

PATIENCE_SECONDS = 30.0
ETHER = 10**18


@pytest.fixture
def node(request: pytest.FixtureRequest, runner: asyncio.Runner, tmp_path: Path) -> Iterator[Node]:
    """A chain of the test's own; it mines when told to, if nothing else is asked for."""
    mining = getattr(request, "param", AnvilMining.WHEN_TOLD)
    node = runner.run(start_anvil(tmp_path / "anvil.log", mining=mining))
    yield node
    runner.run(node.stop())


def sent_and_mined(world: World, bench: Bench, path: ConfirmationPath, *, blocks: int) -> list[JobRef]:
    """Jobs whose transaction is mined, so deep, and seen."""
    refs = confirming(world, path, 3, name=f"k{len(rows(world))}-")
    world.confirm_jobs(refs)
    mine(bench, blocks)
    world.confirm_jobs([])
    return refs


def reorganise(bench: Bench, depth: int, *placed: object) -> None:
    """The newest blocks are replaced by as many others, with these in them; no pool holds what they held."""
    bench.rpc("anvil_reorg", depth, placed)


@BOTH_PATHS
@pytest.mark.parametrize("depth", range(1, FINAL_DEPTH))
def test_same_bytes_are_mined_again_when_other_blocks_take_their_place(
    bench: Bench, depth: int, path: ConfirmationPath
) -> None:
    world = world_on(bench)
    refs = sent_and_mined(world, bench, path, blocks=depth)
    (before,) = rows(world)
    assert before.mined is not None
    reorganise(bench, depth)
    assert mined_by(bench, bench.signer) == []
    go_on(world, bench, refs)
    assert attempts(world) == [before.mined.hash]


@BOTH_PATHS
def test_same_bytes_are_mined_again_when_other_blocks_replace_final_ones(
    bench: Bench, path: ConfirmationPath
) -> None:
    world = world_on(bench)
    refs = sent_and_mined(world, bench, path, blocks=FINAL_DEPTH)
    assert statuses(world, refs) == {Status.SUCCEEDED}
    reorganise(bench, FINAL_DEPTH)
    assert mined_by(bench, bench.signer) == []
    later = confirming(world, path, name="later")
    finish(world, bench, later)
    audit(world, bench, [*refs, *later], moved=refs)


def test_each_job_is_confirmed_once_when_all_that_is_open_is_replaced_again_and_again(bench: Bench) -> None:
    world, refs = world_on(bench), list[JobRef]()
    for path, depth in product(ConfirmationPath, range(1, FINAL_DEPTH)):
        refs += sent_and_mined(world, bench, path, blocks=depth)
        reorganise(bench, depth)
        assert mined_by(bench, bench.signer) == []
    go_on(world, bench, refs)
    assert len(rows(world)) == 4


@BOTH_PATHS
def test_new_block_is_told_when_a_reorganisation_moves_the_transaction(
    bench: Bench, path: ConfirmationPath
) -> None:
    world = world_on(bench)
    refs = sent_and_mined(world, bench, path, blocks=2)
    (row,) = rows(world)
    assert row.mined is not None
    reorganise(bench, 2, [f"0x{row.latest.raw.hex()}", 1])  # in the second of the new blocks
    go_on(world, bench, refs)
    assert world.job(refs[0]).confirmation.block_number == row.mined.block_number + 1


@BOTH_PATHS
def test_jobs_get_another_transaction_when_the_new_blocks_give_their_nonce_away(
    bench: Bench, path: ConfirmationPath
) -> None:
    world = world_on(bench)
    refs = sent_and_mined(world, bench, path, blocks=2)
    bench.rpc("anvil_impersonateAccount", bench.signer)
    reorganise(bench, 2, [{"from": bench.signer, "to": bench.signer, "nonce": "0x0"}, 0])
    ((_, stranger),) = mined_by(bench, bench.signer)
    for _ in range(2 * FINAL_DEPTH):
        sweep_and_look(world)
        mine(bench)
    sweep_and_look(world)
    audit(world, bench, refs, strangers=[stranger])
    assert [row.settlement for row in rows(world)] == [Settlement.NONCE_TAKEN, Settlement.FINAL]


@BOTH_PATHS
def test_gap_is_filled_when_the_new_blocks_lack_what_was_not_ours(
    bench: Bench, path: ConfirmationPath
) -> None:
    world = world_on(bench)
    bench.rpc("anvil_impersonateAccount", bench.signer)
    bench.rpc("eth_sendTransaction", {"from": bench.signer, "to": bench.signer})
    mine(bench, FINAL_DEPTH)
    refs = sent_and_mined(world, bench, path, blocks=1)
    reorganise(bench, FINAL_DEPTH + 1)
    go_on(world, bench, refs)
    assert [(row.nonce, row.path) for row in rows(world)] == [(0, None), (1, path)]


@BOTH_PATHS
def test_same_bytes_are_sent_when_the_pool_drops_them(bench: Bench, path: ConfirmationPath) -> None:
    world = world_on(bench)
    refs = confirming(world, path, 2)
    world.confirm_jobs(refs)
    (dropped,) = attempts(world)
    assert bench.rpc("anvil_dropTransaction", dropped) == dropped
    mine(bench)
    go_on(world, bench, refs)
    assert attempts(world) == [dropped]


@BOTH_PATHS
def test_job_is_confirmed_when_the_account_is_drained_under_way_and_filled_again(
    bench: Bench, path: ConfirmationPath
) -> None:
    world = world_on(bench)
    refs = confirming(world, path)
    world.confirm_jobs(refs)
    bench.rpc("anvil_setBalance", bench.signer, "0x0")
    mine(bench, 2)
    world.confirm_jobs([])
    assert mined_by(bench, bench.signer) == []
    bench.rpc("anvil_setBalance", bench.signer, hex(ETHER))
    go_on(world, bench, refs)


@BOTH_PATHS
@pytest.mark.parametrize("node", [AnvilMining.EVERY_SECOND], indirect=True, ids=["every_second"])
def test_jobs_succeed_by_themselves_when_the_node_mines_every_second(
    bench: Bench, path: ConfirmationPath
) -> None:
    world = world_on(bench)
    refs = confirming(world, path, 100)
    until(
        lambda: sweep_and_look(world).open_transactions == 0 and statuses(world, refs) == {Status.SUCCEEDED},
        within_seconds=PATIENCE_SECONDS,
    )
    audit(world, bench, refs)
    assert len(rows(world)) == 2
