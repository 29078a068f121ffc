"""Reorganisations under the sender: the same bytes are mined again, however deep, and none is shown early."""

import pytest

from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.job import Status
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.use_cases.sending import SKIPPED_NONCES
from emulation.chain import Mining
from tests.chain.conftest import Bench
from tests.chain.sender import (
    BOTH_PATHS,
    attempts,
    confirming,
    finish,
    heard,
    mine,
    rows,
    statuses,
    sweep_and_look,
    waiting,
    world_on,
)
from tests.chain.sender_audit import audit, go_on
from tests.waiting import until

# Four blocks, of a second each.
PATIENCE_SECONDS = 20.0


@BOTH_PATHS
@pytest.mark.parametrize("blocks", range(FINAL_DEPTH))
def test_same_bytes_are_mined_when_a_reorganisation_drops_them(
    bench: Bench, path: ConfirmationPath, blocks: int
) -> None:
    world, refs = waiting(bench, path, 3)
    before = bench.rpc("evm_snapshot")
    world.confirm_jobs(refs)
    mine(bench, blocks)
    bench.rpc("evm_revert", before)
    go_on(world, bench, refs)
    assert len(set(heard(world))) == 1
    assert {world.job(ref).confirmation.transaction_hash for ref in refs} == set(attempts(world))


@BOTH_PATHS
def test_job_waits_again_when_its_receipt_is_lost(held: Bench, path: ConfirmationPath) -> None:
    world, refs = waiting(held, path, 1)
    before = held.rpc("evm_snapshot")
    world.confirm_jobs(refs)
    mine(held, FINAL_DEPTH - 1)
    world.confirm_jobs([])
    (row,) = rows(world)
    assert (row.mined.hash, row.mined.depth) == (attempts(world)[0], FINAL_DEPTH - 1)
    held.rpc("evm_revert", before)
    world.confirm_jobs([])
    (row,) = rows(world)
    assert (row.mined, statuses(world, refs)) == (None, {Status.CONFIRMING})
    mine(held, FINAL_DEPTH - 1)
    world.confirm_jobs([])
    assert statuses(world, refs) == {Status.CONFIRMING}
    mine(held)
    world.confirm_jobs([])
    audit(world, held, refs)


@BOTH_PATHS
def test_settled_bytes_are_sent_again_when_a_reorganisation_is_deeper_than_final(
    bench: Bench, path: ConfirmationPath
) -> None:
    world, refs = waiting(bench, path)
    before = bench.rpc("evm_snapshot")
    finish(world, bench, refs)
    bench.rpc("evm_revert", before)
    later = confirming(world, path, 2, name="later")
    finish(world, bench, later)
    audit(world, bench, [*refs, *later], moved=refs)
    hashes = [attempts(world, nonce) for nonce in (0, 1)]
    assert [[world.job(each[0]).confirmation.transaction_hash] for each in (refs, later)] == hashes


@BOTH_PATHS
def test_settled_bytes_are_sent_again_when_nothing_else_waits(bench: Bench, path: ConfirmationPath) -> None:
    world, refs = waiting(bench, path)
    before = bench.rpc("evm_snapshot")
    finish(world, bench, refs)
    bench.rpc("evm_revert", before)
    sweep_and_look(world)
    mine(bench)
    audit(world, bench, refs, moved=refs)
    assert len(set(heard(world))) == 1


@pytest.mark.parametrize("node", [Mining.AUTOMATIC], indirect=True, ids=["automatic"])
def test_all_is_mined_again_when_a_reorganisation_takes_more_than_one_look_mends(bench: Bench) -> None:
    world, refs = waiting(bench, ConfirmationPath.DIRECT, SKIPPED_NONCES + 2)
    before = bench.rpc("evm_snapshot")
    for ref in refs:
        world.confirm_jobs([ref])
    finish(world, bench, refs)
    bench.rpc("evm_revert", before)
    for _ in range(2):
        sweep_and_look(world)
        mine(bench)
    audit(world, bench, refs, moved=refs)
    assert len(set(heard(world))) == len(refs)


@pytest.mark.parametrize("node", [Mining.EVERY_SECOND], indirect=True, ids=["every_second"])
def test_jobs_succeed_when_only_the_node_mines(bench: Bench) -> None:
    world = world_on(bench)
    refs = [
        *confirming(world, ConfirmationPath.DIRECT),
        *confirming(world, ConfirmationPath.COMPACT, name="c"),
    ]
    until(
        lambda: not sweep_and_look(world).open_transactions,
        within_seconds=PATIENCE_SECONDS,
        what="depth",
    )
    audit(world, bench, refs)
