"""Nonces that a reorganisation gave back although they were final, and others that have no row."""

from collections.abc import Callable

import pytest

from chalicelib.adapters.memory_chain import MemoryChain
from chalicelib.domain.chain_transaction import FINAL_DEPTH, Settlement
from chalicelib.domain.confirmation import Survey
from chalicelib.domain.fees import CEILING_WEI, GWEI
from chalicelib.domain.job import Status
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.use_cases.chain_work import Alarm
from chalicelib.use_cases.sending import SKIPPED_NONCES
from tests.unit.confirming import (
    COMPACT,
    compact,
    entry,
    finish,
    forget_blocks,
    look,
    mined,
    proofs_on_chain,
    row,
    rows,
)
from tests.unit.world import SIGNER, World


def test_the_same_bytes_are_sent_when_a_final_transaction_is_dropped(world: World) -> None:
    ref = world.confirming()
    world.confirm_jobs([ref])
    world.chain.base_fee_wei = 4 * GWEI
    look(world)
    older, _ = row(world).attempts
    world.chain.drop_pool()
    world.chain.base_fee_wei = GWEI
    world.chain.broadcast(older.raw)
    mined(world)
    world.chain.reorganise(FINAL_DEPTH)
    world.chain.broadcasts.clear()
    look(world)
    assert world.chain.broadcasts == [older.raw]  # of all attempts, the one that its job tells of
    mined(world)
    job = world.job(ref)
    (seen,) = world.chain.sightings([job.confirmation.transaction_hash])
    assert (seen.receipt.succeeded, rows(world)[0].settlement) == (True, Settlement.FINAL)
    assert world.chain.recorded_hashes([entry(job).job_key]) == [job.result.commitment]


@pytest.mark.parametrize("path", ConfirmationPath)
def test_later_transactions_are_mined_when_final_ones_before_them_are_dropped(
    world: World, path: ConfirmationPath
) -> None:
    first, second = world.confirming("k0", path=path), world.confirming("k1", path=path)
    world.confirm_jobs([first])
    mined(world)
    world.chain.reorganise(FINAL_DEPTH)
    world.confirm_jobs([second])
    finish(world, second)
    assert world.chain.next_nonce(SIGNER) == 2
    assert {world.job(ref).status for ref in (first, second)} == {Status.SUCCEEDED}
    assert len(rows(world)) == 2


@pytest.mark.parametrize("path", ConfirmationPath)
def test_a_final_transaction_that_was_dropped_is_raised_when_no_block_takes_its_offer_any_more(
    world: World, path: ConfirmationPath
) -> None:
    first, second = world.confirming("k0", path=path), world.confirming("k1", path=path)
    world.confirm_jobs([first])
    mined(world)
    world.chain.reorganise(FINAL_DEPTH)
    world.chain.base_fee_wei = 4 * GWEI
    world.confirm_jobs([second])
    finish(world, second)
    assert world.chain.next_nonce(SIGNER) == 2
    assert [each.settlement for each in rows(world)] == [Settlement.FINAL] * 2
    job = world.job(first)
    if path is COMPACT:
        assert proofs_on_chain(world, first) == 1
    else:
        assert world.chain.recorded_hashes([entry(job).job_key]) == [job.result.commitment]


def test_a_nonce_is_filled_when_it_has_no_row(world: World) -> None:
    for _ in range(2):
        world.chain.take_nonce(SIGNER)
    world.chain.mine(FINAL_DEPTH)
    ref = world.confirming()
    world.confirm_jobs([ref])
    assert [each.nonce for each in rows(world)] == [2]
    world.chain.reorganise(FINAL_DEPTH + 2)
    look(world)
    assert [(each.nonce, each.path) for each in rows(world)] == [(0, None), (1, None), (2, "direct")]
    finish(world, ref)
    assert {each.settlement for each in rows(world)} == {Settlement.FINAL}
    assert world.job(ref).status is Status.SUCCEEDED


def test_a_filling_is_raised_when_the_base_fee_exceeds_its_offer(world: World) -> None:
    world.chain.take_nonce(SIGNER)
    world.chain.mine(FINAL_DEPTH)
    ref = world.confirming()
    world.confirm_jobs([ref])
    world.chain.reorganise(FINAL_DEPTH + 1)
    look(world)
    world.chain.base_fee_wei = 4 * GWEI
    look(world)
    assert (row(world).path, len(row(world).attempts)) == (None, 2)
    finish(world, ref)


def test_an_alarm_is_raised_when_a_nonce_cannot_be_filled_below_the_ceiling(world: World) -> None:
    world.chain.take_nonce(SIGNER)
    world.chain.mine(FINAL_DEPTH)
    ref = world.confirming()
    world.confirm_jobs([ref])
    world.chain.reorganise(FINAL_DEPTH + 1)
    world.chain.base_fee_wei = CEILING_WEI
    assert Alarm.FEES_ABOVE_CEILING in look(world).alarms
    assert [each.nonce for each in rows(world)] == [1]
    world.chain.base_fee_wei = GWEI
    finish(world, ref)


def revert(world: World) -> None:
    world.chain.reverts_next = True


def take_its_nonce(world: World) -> None:
    world.chain.drop_pool()
    world.chain.take_nonce(SIGNER)


@pytest.mark.parametrize("end", [revert, take_its_nonce])
def test_what_ended_without_effect_is_never_sent_again_when_its_nonce_comes_back(
    world: World, end: Callable[[World], None]
) -> None:
    ref = compact(world)
    world.confirm_jobs([ref])
    end(world)
    mined(world)
    spent = row(world).latest
    look(world)
    mined(world)
    assert world.job(ref).confirmation.inclusion.word & 1
    forget_blocks(world)
    world.chain.broadcasts.clear()
    finish(world)
    finish(world)
    assert spent.raw not in world.chain.broadcasts
    assert (row(world).path, row(world).attempts[0], row(world).jobs) == (None, spent, ())
    assert (world.chain.next_nonce(SIGNER), proofs_on_chain(world, ref)) == (2, 1)
    assert [each.settlement for each in rows(world)] == [Settlement.FINAL] * 2


class LyingChain(MemoryChain):
    """Says of its nonces what it likes."""

    lies_by = 0

    def survey(self, signer: str, *, final_depth: int) -> Survey:
        """See `ports.Chain.survey`."""
        told = super().survey(signer, final_depth=final_depth)
        nonce = told.next_nonce + self.lies_by
        return Survey(
            head=told.head,
            next_nonce=nonce,
            final_nonce=nonce,
            balance_wei=told.balance_wei,
            base_fee_wei=told.base_fee_wei,
            tip_wei=told.tip_wei,
        )


def test_a_look_costs_sixteen_transactions_at_most_when_a_node_lies_by_millions(world: World) -> None:
    world.chain = chain = LyingChain()
    chain.lies_by = 5_000_000
    ref = world.confirming()
    world.confirm_jobs([ref])
    assert [each.nonce for each in rows(world)] == [SKIPPED_NONCES]
    chain.lies_by = 0
    before = len(chain.broadcasts)
    look(world)
    # What fills, and what the lie had settled as taken, is at most this.
    assert len(chain.broadcasts) - before <= SKIPPED_NONCES + 1
    finish(world, ref)
    assert world.job(ref).status is Status.SUCCEEDED
    assert chain.next_nonce(SIGNER) == SKIPPED_NONCES + 1


def test_a_gap_is_mended_over_several_looks_when_it_is_wider_than_one_may_pay_for(world: World) -> None:
    for _ in range(2 * SKIPPED_NONCES):
        world.chain.take_nonce(SIGNER)
    world.chain.mine(FINAL_DEPTH)
    ref = world.confirming()
    world.confirm_jobs([ref])
    for _ in range(3):
        mined(world)
    forget_blocks(world)
    for _ in range(4):
        before = len(rows(world))
        look(world)
        assert len(rows(world)) - before <= SKIPPED_NONCES
        world.chain.mine()
    finish(world, ref)
    nonces = [each.nonce for each in rows(world)]
    assert nonces == list(range(len(nonces)))


def test_nonces_are_skipped_when_others_have_used_them_for_good(world: World) -> None:
    for _ in range(3):
        world.chain.take_nonce(SIGNER)
    world.chain.mine(FINAL_DEPTH)
    ref = compact(world)
    world.confirm_jobs([ref])
    mined(world)
    assert [(each.nonce, each.path) for each in rows(world)] == [(3, COMPACT)]
    assert world.job(ref).status is Status.SUCCEEDED
