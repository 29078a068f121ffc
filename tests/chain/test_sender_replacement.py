"""Replacing what no block takes: the same call for more, up to a ceiling, and whichever is mined counts."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.confirmation import PATIENCE_BLOCKS
from chalicelib.domain.errors import ChainUnavailable
from chalicelib.domain.fees import CEILING_WEI, GWEI
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.use_cases.chain_work import Alarm
from tests.chain.conftest import Bench
from tests.chain.sender import (
    BOTH_PATHS,
    attempts,
    base_fee,
    block_gas_limit,
    confirming,
    fees_are_restored,
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
from tests.crash.failpoints import Failing, Failpoint
from tests.unit.world import World

# Above what is offered for a base fee of 1 gwei or less, and below the ceiling for several blocks.
SPIKE_GWEI = 60
# Above the ceiling for 17 blocks.
PEAK_GWEI = 1_000


def at_broadcast(world: World, act: Callable[[], None], *, nth: int = 1) -> None:
    """This happens between the sender's `nth` decision to send and the sending."""
    world.chain.chain = Failing(world.chain.chain, Failpoint("chain", "broadcast", "before", nth), act)


def lost() -> None:
    raise ChainUnavailable("connection reset")


def stuck(world: World, bench: Bench, path: ConfirmationPath, *, gwei: int = SPIKE_GWEI) -> list[JobRef]:
    """Jobs whose transaction offers less than the base fee, which rose just before it was sent."""
    refs = confirming(world, path, 2)
    at_broadcast(world, lambda: base_fee(bench, gwei))
    world.confirm_jobs(refs)
    mine(bench)
    assert world.chain.survey(bench.signer, final_depth=FINAL_DEPTH).next_nonce == 0
    return refs


def overheard(bench: Bench, raw: bytes) -> None:
    """Someone else sends the node bytes of ours, which it may know already."""
    bench.chain.broadcast(raw)


@BOTH_PATHS
def test_transaction_is_replaced_when_the_base_fee_rises_above_its_offer(
    bench: Bench, path: ConfirmationPath
) -> None:
    world = world_on(bench)
    with fees_are_restored(bench):
        refs = stuck(world, bench, path)
        world.confirm_jobs([])
        first, second = attempts(world)
        go_on(world, bench, refs)
    assert attempts(world) == [first, second]
    assert {world.job(ref).confirmation.transaction_hash for ref in refs} == {second}
    assert bench.receipt(first) is None


@BOTH_PATHS
def test_replacement_raises_both_fees_by_an_eighth_when_it_is_signed(
    bench: Bench, path: ConfirmationPath
) -> None:
    world = world_on(bench)
    with fees_are_restored(bench):
        stuck(world, bench, path)
        world.confirm_jobs([])
        before, after = (attempt.fees for attempt in rows(world)[0].attempts)
    assert 8 * after.max_fee_wei >= 9 * before.max_fee_wei
    assert 8 * after.max_priority_fee_wei >= 9 * before.max_priority_fee_wei
    assert after.max_fee_wei <= CEILING_WEI


@BOTH_PATHS
@pytest.mark.parametrize("is_known", [True, False], ids=["replacement_dropped", "replacement_lost"])
def test_jobs_are_confirmed_once_when_the_old_bytes_are_mined_after_they_were_replaced(
    held: Bench, path: ConfirmationPath, *, is_known: bool
) -> None:
    world = world_on(held)
    with fees_are_restored(held):
        refs = stuck(world, held, path)
        if is_known:
            world.confirm_jobs([])
            assert held.rpc("hardhat_dropTransaction", attempts(world)[1])
        else:
            at_broadcast(world, lost)
            with pytest.raises(ChainUnavailable):
                world.confirm_jobs([])
        first, second = attempts(world)
        base_fee(held, 1)
        overheard(held, heard(world)[0])
        mine(held)
        go_on(world, held, refs)
    assert {world.job(ref).confirmation.transaction_hash for ref in refs} == {first}
    assert attempts(world) == [first, second]


@BOTH_PATHS
def test_replacement_is_sent_again_when_the_node_has_only_the_old_one(
    held: Bench, path: ConfirmationPath
) -> None:
    world = world_on(held)
    with fees_are_restored(held):
        refs = stuck(world, held, path)
        at_broadcast(world, lost)
        with pytest.raises(ChainUnavailable):
            world.confirm_jobs([])
        first, second = attempts(world)
        assert [held.sighting(each).is_pending for each in (first, second)] == [True, False]
        world.confirm_jobs([])
        assert [held.sighting(each).is_pending for each in (first, second)] == [False, True]
        go_on(world, held, refs)
    assert {world.job(ref).confirmation.transaction_hash for ref in refs} == {second}


@BOTH_PATHS
def test_replacement_is_mined_again_when_a_reorganisation_drops_it(
    held: Bench, path: ConfirmationPath
) -> None:
    world = world_on(held)
    with fees_are_restored(held):
        refs = stuck(world, held, path)
        before = held.rpc("evm_snapshot")
        world.confirm_jobs([])
        mine(held)
        world.confirm_jobs([])
        held.rpc("evm_revert", before)
        go_on(world, held, refs)
    _, second = attempts(world)
    assert {world.job(ref).confirmation.transaction_hash for ref in refs} == {second}


@BOTH_PATHS
def test_no_nonce_is_used_when_the_base_fee_is_above_the_ceiling(
    bench: Bench, path: ConfirmationPath
) -> None:
    world, refs = waiting(bench, path, 1)
    with fees_are_restored(bench):
        base_fee(bench, PEAK_GWEI)
        mine(bench)
        assert set(world.confirm_jobs(refs).alarms) == {Alarm.FEES_ABOVE_CEILING}
        assert (rows(world), heard(world)) == ([], [])
        base_fee(bench, 1)
        mine(bench)
        go_on(world, bench, refs)
    assert rows(world)[0].latest.fees.max_fee_wei <= 4 * GWEI


@BOTH_PATHS
def test_offer_stands_with_an_alarm_when_only_more_than_the_ceiling_would_do(
    bench: Bench, path: ConfirmationPath
) -> None:
    world = world_on(bench)
    with fees_are_restored(bench):
        refs = stuck(world, bench, path, gwei=PEAK_GWEI)
        for _ in range(2):
            assert set(world.confirm_jobs([]).alarms) == {Alarm.FEES_ABOVE_CEILING}
        assert statuses(world, refs) == {Status.CONFIRMING}
        assert len(attempts(world)) == 1
        base_fee(bench, 1)
        mine(bench)
        go_on(world, bench, refs)
    assert len(attempts(world)) == 1


@BOTH_PATHS
def test_transaction_outbids_others_when_they_have_filled_six_blocks(
    held: Bench, path: ConfirmationPath
) -> None:
    world, refs = waiting(held, path, 1)
    with block_gas_limit(held, 90_000):
        world.confirm_jobs(refs)
        for _ in range(PATIENCE_BLOCKS):
            assert len(attempts(world)) == 1
            fill_block(held)
            world.confirm_jobs([])
        first, second = attempts(world)
        fill_block(held)
        assert (held.receipt(first), held.receipt(second) is None) == (None, False)
        for _ in range(FINAL_DEPTH):
            sweep_and_look(world)
            mine(held)
        finish(world, held, refs)
    audit(world, held, refs)


def fill_block(bench: Bench) -> None:
    """A block that has no room for ours: another pays a tenth more of a tip, and takes most of it."""
    stranger: Any = bench.rpc("eth_accounts")[6]
    costly = {"data": "0x" + "ff" * 1_000, "gas": hex(70_000)}  # 40 gas a byte at least (EIP-7623)
    fees = {"maxFeePerGas": hex(50 * GWEI), "maxPriorityFeePerGas": hex(GWEI * 11 // 10)}
    bench.rpc("eth_sendTransaction", {"from": stranger, "to": stranger, **costly, **fees})
    mine(bench)
