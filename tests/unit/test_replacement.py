"""What no block takes is offered again for more, up to a ceiling, and whichever offer is mined counts."""

from itertools import pairwise

import pytest

from chalicelib.adapters.memory_chain import MemoryChain
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.confirmation import PATIENCE_BLOCKS
from chalicelib.domain.fees import CEILING_WEI, GWEI
from chalicelib.domain.job import Status
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.use_cases.chain_work import Alarm
from tests.unit.confirming import Crash, TroubledChain, asked, crash, finish, look, mined, row, rows
from tests.unit.world import World

PATHS = pytest.mark.parametrize("path", ConfirmationPath)


@PATHS
def test_the_same_call_is_offered_for_more_when_the_base_fee_exceeds_the_offer(
    world: World, path: ConfirmationPath
) -> None:
    ref = world.confirming(path=path)
    world.confirm_jobs([ref])
    for _ in range(3):
        world.chain.base_fee_wei = row(world).latest.fees.max_fee_wei + 1
        mined(world, 1)
    attempts = row(world).attempts
    assert len(attempts) == len({each.hash for each in attempts}) == 4
    for before, after in pairwise(each.fees for each in attempts):
        assert 8 * after.max_fee_wei >= 9 * before.max_fee_wei
        assert 8 * after.max_priority_fee_wei >= 9 * before.max_priority_fee_wei
    assert world.chain.broadcasts == [each.raw for each in attempts]
    assert len({asked(each) for each in attempts}) == 1
    mined(world)
    assert world.job(ref).confirmation.transaction_hash == attempts[-1].hash


def test_an_offer_is_raised_when_no_block_takes_it_at_its_turn(world: World) -> None:
    world.chain = TroubledChain()
    world.confirm_jobs([world.confirming()])
    world.chain.is_full = True
    mined(world, PATIENCE_BLOCKS - 1)
    assert len(row(world).attempts) == 1
    mined(world, 1)
    first, second = (each.fees for each in row(world).attempts)
    assert 8 * second.max_fee_wei >= 9 * first.max_fee_wei
    mined(world, PATIENCE_BLOCKS - 1)
    assert len(row(world).attempts) == 2  # the new offer has its own patience


class DearChain(MemoryChain):
    """Its pool takes nothing below a tip that it does not tell."""

    least_tip_wei = 0

    def broadcast(self, raw: bytes) -> None:
        """See `ports.Chain.broadcast`."""
        super().broadcast(raw)
        for each in tuple(self._pool.values()):
            if each.fees.max_priority_fee_wei < self.least_tip_wei:
                del self._pool[each.hash]


def test_an_offer_is_raised_when_no_pool_takes_it_at_its_turn(world: World) -> None:
    world.chain = chain = DearChain()
    chain.least_tip_wei = 2 * chain.tip_wei
    ref = world.confirming()
    world.confirm_jobs([ref])
    mined(world, PATIENCE_BLOCKS - 1)
    assert len(row(world).attempts) == 1
    assert chain.broadcasts == [row(world).latest.raw] * 2  # the same bytes, before any others
    finish(world, ref)
    assert world.job(ref).status is Status.SUCCEEDED


def test_an_offer_stays_when_it_is_not_its_turn(world: World) -> None:
    world.chain = TroubledChain()
    for key in ("k0", "k1"):
        world.confirm_jobs([world.confirming(key)])
    world.chain.is_full = True
    mined(world, PATIENCE_BLOCKS)
    assert [len(each.attempts) for each in rows(world)] == [2, 1]


@PATHS
def test_the_job_is_closed_with_the_older_hash_when_the_older_attempt_is_mined(
    world: World, path: ConfirmationPath
) -> None:
    ref = world.confirming(path=path)
    world.confirm_jobs([ref])
    world.chain.base_fee_wei = 4 * GWEI
    look(world)
    older, newer = row(world).attempts
    world.chain.drop_pool()
    world.chain.base_fee_wei = GWEI
    world.chain.broadcast(older.raw)  # some other node still had it
    mined(world)
    job = world.job(ref)
    assert (job.status, job.confirmation.transaction_hash) == (Status.SUCCEEDED, older.hash)
    assert newer.hash != older.hash


def test_an_alarm_is_raised_and_the_last_offer_stands_when_the_ceiling_is_reached(world: World) -> None:
    ref = world.confirming()
    world.confirm_jobs([ref])
    world.chain.base_fee_wei = 60 * GWEI
    look(world)
    assert row(world).latest.fees.max_fee_wei == CEILING_WEI
    world.chain.base_fee_wei = CEILING_WEI + 1
    reports = [mined(world, 1) for _ in range(3)]
    assert all(Alarm.FEES_ABOVE_CEILING in report.alarms for report in reports)
    assert (len(row(world).attempts), len(world.chain.broadcasts)) == (2, 2)
    world.chain.drop_pool()
    look(world)
    assert world.chain.broadcasts[2:] == [row(world).latest.raw]
    world.chain.base_fee_wei = GWEI
    mined(world)
    assert world.job(ref).status is Status.SUCCEEDED


def test_the_row_decides_when_the_sender_dies_between_storing_and_sending_a_replacement(world: World) -> None:
    world.chain = chain = TroubledChain()
    ref = world.confirming()
    world.confirm_jobs([ref])
    chain.base_fee_wei = 4 * GWEI
    chain.trouble["before", "broadcast"] = crash
    with pytest.raises(Crash):
        look(world)
    assert (len(row(world).attempts), len(chain.broadcasts)) == (2, 1)
    look(world)
    assert chain.broadcasts[1:] == [row(world).latest.raw]
    mined(world)
    assert world.job(ref).confirmation.transaction_hash == row(world).latest.hash


def test_the_row_decides_when_the_sender_dies_between_storing_and_sending_the_first(world: World) -> None:
    world.chain = chain = TroubledChain()
    ref = world.confirming()
    chain.trouble["before", "broadcast"] = crash
    with pytest.raises(Crash):
        world.confirm_jobs([ref])
    assert (len(rows(world)), chain.broadcasts) == (1, [])
    world.confirm_jobs([ref])
    assert (len(rows(world)), chain.broadcasts) == (1, [row(world).latest.raw])
    finish(world, ref)


def test_a_mined_transaction_is_not_raised_when_the_base_fee_rises(world: World) -> None:
    world.confirm_jobs([world.confirming()])
    mined(world, FINAL_DEPTH - 1)
    world.chain.base_fee_wei = 90 * GWEI
    look(world)
    assert len(row(world).attempts) == 1


def test_no_offer_exceeds_the_ceiling_when_no_block_ever_takes_one(world: World) -> None:
    world.chain = TroubledChain()
    ref = world.confirming()
    world.confirm_jobs([ref])
    world.chain.is_full = True
    reports = [mined(world, PATIENCE_BLOCKS) for _ in range(40)]
    assert Alarm.FEES_ABOVE_CEILING in reports[-1].alarms
    offers = [each.fees.max_fee_wei for each in row(world).attempts]
    assert CEILING_WEI * 8 // 9 <= offers[-1] <= CEILING_WEI
    world.chain.is_full = False
    finish(world, ref)
