"""More than one signer, or one lease: what each may still do."""

import pytest

from chalicelib.domain.chain_transaction import FINAL_DEPTH, SENDER_LEASE
from chalicelib.domain.errors import Superseded, Unavailable
from chalicelib.domain.fees import GWEI
from chalicelib.domain.job import Status
from chalicelib.domain.roster import Duty
from chalicelib.domain.transaction_id import Account
from tests.unit.confirming import (
    NEXT,
    TroubledChain,
    before_rotation,
    compact,
    finish,
    look,
    mined,
    proofs_on_chain,
    rotate,
    row,
    rows,
)
from tests.unit.world import SIGNER, World


def test_a_draining_signer_is_followed_and_signs_nothing_new(world: World) -> None:
    before_rotation(world)
    old = world.confirming("k0")
    world.confirm_jobs([old])
    rotate(world)
    new = world.confirming("k1")
    world.confirm_jobs([new])
    assert [[listed.ref for listed in each.jobs] for each in rows(world)] == [[old]]
    assert [[listed.ref for listed in each.jobs] for each in rows(world, NEXT)] == [[new]]
    mined(world)
    assert {world.job(ref).status for ref in (old, new)} == {Status.SUCCEEDED}


def test_a_draining_signer_offers_more_when_no_block_takes_its_last(world: World) -> None:
    before_rotation(world)
    ref = world.confirming()
    world.confirm_jobs([ref])
    rotate(world)
    world.chain.base_fee_wei = 4 * GWEI
    look(world)
    assert (len(row(world).attempts), rows(world, NEXT)) == (2, [])
    mined(world)
    assert world.job(ref).status is Status.SUCCEEDED


def test_the_next_signer_does_its_work_when_the_draining_ones_key_is_gone(world: World) -> None:
    before_rotation(world)
    old = world.confirming("k0")
    world.confirm_jobs([old])
    rotate(world)
    world.signers.drop(SIGNER)
    world.chain.base_fee_wei = 4 * GWEI  # which asks for a replacement, and so for a signature
    new = world.confirming("k1")
    with pytest.raises(Unavailable):
        world.confirm_jobs([new])
    assert [[listed.ref for listed in each.jobs] for each in rows(world, NEXT)] == [[new]]
    world.chain.base_fee_wei = GWEI
    mined(world)
    assert {world.job(ref).status for ref in (old, new)} == {Status.SUCCEEDED}


def test_the_next_signer_takes_the_jobs_when_the_draining_ones_nonce_was_taken(world: World) -> None:
    before_rotation(world)
    ref = compact(world)
    world.confirm_jobs([ref])
    rotate(world)
    world.chain.drop_pool()
    world.chain.take_nonce(SIGNER)
    mined(world)
    finish(world, ref)
    assert world.job(ref).placed.account.signer == NEXT
    assert proofs_on_chain(world, ref) == 1


def test_a_retired_signer_is_not_looked_after_when_all_of_its_work_is_done(world: World) -> None:
    before_rotation(world)
    world.confirm_jobs([world.confirming("k0")])
    mined(world)
    rotate(world)
    world.signers.current = world.signers.current.moved(SIGNER, Duty.RETIRED)
    later = world.confirming("k1")
    finish(world, later)
    assert (len(rows(world)), len(rows(world, NEXT))) == (1, 1)


def test_its_jobs_go_back_to_the_queue_when_another_sender_has_the_lease(world: World) -> None:
    refs = [world.confirming("k0"), compact(world, "k1")]
    now = world.clock.now()
    world.transactions.lease(Account(SIGNER, world.genesis_hash), now=now, until=now + SENDER_LEASE)
    world.queue.confirm.clear()
    assert world.confirm_jobs(refs).open_transactions == 0
    assert (rows(world), world.queue.confirm) == ([], [tuple(refs)])


# Between any two of its steps a sender may be stopped for longer than its lease, while another does its work.
@pytest.mark.parametrize("call", ["survey", "estimate_gas", "sign", "broadcast"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("make", [World.confirming, compact], ids=["direct", "compact"])
def test_a_job_is_placed_once_when_a_second_sender_overtakes(
    world: World, call: str, when: str, make: object
) -> None:
    world.chain = chain = TroubledChain()
    ref = make(world)

    def overtake() -> None:
        world.clock.advance(SENDER_LEASE)
        world.confirm_jobs([ref])

    chain.trouble[when, call] = overtake
    try:
        world.confirm_jobs([ref])
    except Superseded:
        pass
    else:
        assert call in ("survey", "broadcast")
    assert [[listed.ref for listed in each.jobs] for each in rows(world)] == [[ref]]
    finish(world, ref)
    assert len({each.hash for each in row(world).attempts}) == 1


def test_the_jobs_are_confirmed_anew_when_the_chain_was_started_anew(world: World) -> None:
    confirmed, open_one, proven = world.confirming("k0"), world.confirming("k1"), compact(world, "k2")
    world.confirm_jobs([confirmed])
    mined(world)
    world.confirm_jobs([open_one, proven])
    before, old_chain = rows(world), world.chain
    done, genesis_hash = world.job(confirmed), world.genesis_hash
    world.genesis_hash = "0x" + "68" * 32
    world.chain = type(old_chain)(world.genesis_hash)
    finish(world, open_one, proven)
    assert {world.job(ref).status for ref in (open_one, proven)} == {Status.SUCCEEDED}
    assert world.job(confirmed) == done
    assert list(world.transactions.rows(Account(SIGNER, genesis_hash))) == before
    assert not set(world.chain.broadcasts) & set(old_chain.broadcasts)
    placed = {world.job(ref).placed.account.genesis_hash for ref in (open_one, proven)}
    assert placed == {world.genesis_hash}


def test_nothing_is_looked_up_on_the_new_chain_when_its_rows_are_the_old_ones(world: World) -> None:
    world.confirm_jobs([world.confirming()])
    world.queue.confirm.clear()
    world.genesis_hash = "0x" + "68" * 32
    world.chain = type(world.chain)(world.genesis_hash)
    report = mined(world, FINAL_DEPTH)
    assert (report.open_transactions, world.chain.broadcasts) == (0, [])


def test_a_job_keeps_its_open_transaction_when_the_configuration_returns_to_its_chain(world: World) -> None:
    ref, (home, chain) = compact(world), (world.genesis_hash, world.chain)
    world.confirm_jobs([ref])
    world.genesis_hash = "0x" + "68" * 32
    world.chain = type(chain)(world.genesis_hash)
    world.confirm_jobs([ref])
    world.genesis_hash, world.chain = home, chain
    world.confirm_jobs([ref])
    assert len(list(world.transactions.rows(Account(SIGNER, home)))) == 1
    finish(world, ref)
    assert world.job(ref).status is Status.SUCCEEDED
