"""Nonces that others use, give back or lie about: each is mined once, and no job waits in vain."""

import pytest

from chalicelib.domain.chain_call import ConfirmBatch, Fill
from chalicelib.domain.chain_transaction import FINAL_DEPTH, Settlement
from chalicelib.domain.confirmation import Entry
from chalicelib.domain.fees import CEILING_WEI
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.transaction_id import ConfirmationPath
from tests.chain.conftest import Bench
from tests.chain.sender import (
    BOTH_PATHS,
    Witness,
    base_fee,
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
from tests.chain.sender_audit import audit, go_on, go_on_after, key_of
from tests.chain.servers import lying
from tests.crash.failpoints import Failing, Failpoint
from tests.unit.world import World

LIE = 5
# Twice this is above the ceiling of what is offered.
SPIKE_GWEI = 60


def used_by_another(bench: Bench, *entries: Entry, nonce: int = 0) -> str:
    """The hash of a transaction with our key that is not ours, mined."""
    signed = bench.sign_call(ConfirmBatch(entries) if entries else Fill(), nonce=nonce)
    bench.mine(signed)
    assert bench.receipt(signed.hash) is not None
    return signed.hash


def overtaken(world: World, bench: Bench, refs: list[JobRef], *entries: Entry) -> str:
    """The sender has stored a transaction, and before that is sent its nonce is used by another."""
    taken: list[str] = []
    act = Failing(
        bench.chain,
        Failpoint("chain", "broadcast", "before"),
        lambda: taken.append(used_by_another(bench, *entries)),
    )
    world.chain.chain = act
    world.confirm_jobs(refs)
    world.chain.chain = bench.chain
    return taken[0]


@BOTH_PATHS
def test_jobs_get_the_next_nonce_when_another_used_up_the_first(bench: Bench, path: ConfirmationPath) -> None:
    world, refs = waiting(bench, path)
    stranger = used_by_another(bench)
    mine(bench, FINAL_DEPTH)
    finish(world, bench, refs)
    assert [row.nonce for row in rows(world)] == [1]
    audit(world, bench, refs, strangers=[stranger])


@BOTH_PATHS
@pytest.mark.parametrize("is_final", [False, True], ids=["while_ours_is_open", "after_ours_was_final"])
def test_nonce_is_filled_when_a_reorganisation_gives_it_back(
    bench: Bench, path: ConfirmationPath, *, is_final: bool
) -> None:
    world, refs = waiting(bench, path)
    before = bench.rpc("evm_snapshot")
    used_by_another(bench)
    mine(bench, FINAL_DEPTH)
    if is_final:
        finish(world, bench, refs)
    else:
        world.confirm_jobs(refs)
    go_on_after(world, bench, before, refs, path)
    assert [row.path for row in rows(world)] == [None, path, path]


@BOTH_PATHS
def test_jobs_get_another_transaction_when_the_nonce_of_theirs_is_taken(
    bench: Bench, path: ConfirmationPath
) -> None:
    world, refs = waiting(bench, path)
    stranger = overtaken(world, bench, refs)
    finish(world, bench, refs)
    assert [row.settlement for row in rows(world)] == [Settlement.NONCE_TAKEN, Settlement.FINAL]
    audit(world, bench, refs, strangers=[stranger])


def test_job_succeeds_by_the_transaction_that_took_its_nonce_when_that_recorded_it(bench: Bench) -> None:
    world, refs = waiting(bench, ConfirmationPath.DIRECT)
    recorded = world.job(refs[0])
    entry = Entry(key_of(recorded, bench), recorded.result.commitment)
    stranger = overtaken(world, bench, refs, entry)
    finish(world, bench, refs)
    assert world.job(refs[0]).confirmation.transaction_hash == stranger
    assert len(rows(world)) == 2
    audit(world, bench, refs, strangers=[stranger])


@BOTH_PATHS
def test_jobs_stay_under_one_transaction_when_the_nonce_of_their_first_is_given_back(
    bench: Bench, path: ConfirmationPath
) -> None:
    world, refs = waiting(bench, path)
    before = bench.rpc("evm_snapshot")
    overtaken(world, bench, refs)
    finish(world, bench, refs)
    go_on_after(world, bench, before, refs, path)


@BOTH_PATHS
def test_nonce_is_filled_when_what_it_was_signed_for_before_offered_the_ceiling(
    held: Bench, path: ConfirmationPath
) -> None:
    world, refs = waiting(held, path)
    before = held.rpc("evm_snapshot")
    with fees_are_restored(held):
        base_fee(held, SPIKE_GWEI)
        mine(held)
        overtaken(world, held, refs)
        assert rows(world)[0].latest.fees.max_fee_wei == CEILING_WEI
        finish(world, held, refs)
        held.rpc("evm_revert", before)
        sweep_and_look(world)
        finish(world, held, refs)
    assert [row.path for row in rows(world)] == [None, path]


@BOTH_PATHS
def test_gap_is_filled_when_the_node_has_lied_about_our_nonce(bench: Bench, path: ConfirmationPath) -> None:
    with lying(bench.rpc_url, "eth_getTransactionCount", lambda told: hex(int(told, 16) + LIE)) as url:
        world = world_on(bench, chain=bench.at(url))
        refs = confirming(world, path, 2)
        world.confirm_jobs(refs)
    assert [row.nonce for row in rows(world)] == [LIE]
    assert isinstance(world.chain, Witness)
    world.chain.chain = bench.chain
    go_on(world, bench, refs)
    assert [row.path for row in rows(world)] == [None] * LIE + [path]


@BOTH_PATHS
def test_nothing_is_placed_twice_when_the_node_hides_what_it_has_mined(
    bench: Bench, path: ConfirmationPath
) -> None:
    world, refs = waiting(bench, path)
    world.confirm_jobs(refs)
    mine(bench, FINAL_DEPTH)
    with (
        lying(bench.rpc_url, "eth_getTransactionReceipt", lambda _: None) as hidden,
        lying(hidden, "eth_getTransactionByHash", lambda _: None) as url,
    ):
        world.chain.chain = bench.at(url)
        for _ in range(3):
            sweep_and_look(world)
        assert statuses(world, refs) == {Status.CONFIRMING}
        assert len(rows(world)) == 1
    world.chain.chain = bench.chain
    go_on(world, bench, refs)
    assert len(set(heard(world))) == 1
