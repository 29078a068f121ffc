"""Confirming on a chain under the test's hand: what each state of a stored transaction leads to."""

import json
from dataclasses import replace

import pytest

from chalicelib.adapters.memory_chain import MemoryChain
from chalicelib.domain.chain_transaction import FINAL_DEPTH, SENDER_LEASE
from chalicelib.domain.confirmation import Entry, RecordedAt, job_key
from chalicelib.domain.errors import ChainUnavailable
from chalicelib.domain.job import UNSEEN_AT_MOST, Status
from chalicelib.domain.transaction_id import Account
from chalicelib.use_cases.chain_work import Alarm
from chalicelib.use_cases.sending import OPEN_TRANSACTIONS
from tests.unit.world import REGISTRY, SIGNER, World

OTHER = "0x" + "52" * 20


def status(world: World, ref: object) -> Status:
    return world.job(ref).status


def test_the_job_succeeds_when_its_block_is_deep_enough(world: World) -> None:
    ref = world.confirming()
    world.confirm_jobs([ref])
    world.chain.mine(FINAL_DEPTH - 1)
    world.confirm_jobs([])
    assert status(world, ref) is Status.CONFIRMING
    world.chain.mine()
    report = world.confirm_jobs([])
    job = world.job(ref)
    assert (job.status, report.final, report.open_transactions) == (Status.SUCCEEDED, (ref,), 0)
    assert job.confirmation.block_number == 1
    assert world.chain.recorded_hashes([job.confirmation.job_key]) == [job.result.commitment]


def test_the_entitlement_is_released_and_the_event_written_when_the_job_succeeds(world: World) -> None:
    ref = world.confirming()
    world.confirm_jobs([ref])
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    assert world.jobs.count(ref.tenant_id, "active") == 0
    assert sorted(world.jobs.events()) == [
        f"{ref.job_id}:{meter}"
        for meter in ("compute.used", "job.accepted", "job.confirmed", "payload.stored")
    ]


def test_the_gas_is_shared_to_the_last_unit_when_a_batch_is_final(world: World) -> None:
    world.plan = replace(world.plan, active_jobs=7, jobs_per_month=7)
    refs = [world.confirming(f"k{n}") for n in range(7)]
    world.confirm_jobs(refs)
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    jobs = [world.job(ref) for ref in refs]
    (seen,) = world.chain.sightings([jobs[0].confirmation.transaction_hash])
    assert sum(job.confirmation.gas_used for job in jobs) == seen.receipt.gas_used


def test_one_transaction_is_made_when_a_job_is_named_again_and_again(world: World) -> None:
    ref = world.confirming()
    for _ in range(3):
        world.confirm_jobs([ref, ref])
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([ref])
    world.confirm_jobs([ref])
    assert len(set(world.chain.broadcasts)) == 1


def test_the_same_bytes_are_sent_when_the_pool_has_lost_them(world: World) -> None:
    ref = world.confirming()
    world.confirm_jobs([ref])
    world.chain.drop_pool()
    world.confirm_jobs([])
    assert len(world.chain.broadcasts) == 2
    assert len(set(world.chain.broadcasts)) == 1


def test_the_same_bytes_are_sent_when_a_reorganisation_drops_their_block(world: World) -> None:
    ref = world.confirming()
    world.confirm_jobs([ref])
    world.chain.mine(FINAL_DEPTH - 1)
    world.chain.reorganise(FINAL_DEPTH - 1)
    world.confirm_jobs([])
    assert len(set(world.chain.broadcasts)) == 1
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    assert status(world, ref) is Status.SUCCEEDED


def test_no_nonce_is_used_when_the_registry_would_refuse(world: World) -> None:
    ref = world.confirming()
    world.chain.refuses_with = "EnforcedPause"
    assert world.confirm_jobs([ref]).alarms == {Alarm.REFUSED: "EnforcedPause"}
    world.chain.refuses_with = None
    world.confirm_jobs([ref])
    assert f'["{SIGNER}", 0,' in json.loads(world.chain.broadcasts[0])[0]


def test_the_job_waits_when_the_chain_is_down(world: World) -> None:
    ref = world.confirming()
    world.chain.is_down = True
    with pytest.raises(ChainUnavailable):
        world.confirm_jobs([ref])
    assert status(world, ref) is Status.CONFIRMING
    world.chain.is_down = False
    world.confirm_jobs([ref])
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    assert status(world, ref) is Status.SUCCEEDED


def test_nothing_is_broadcast_when_the_chain_is_another_one(world: World) -> None:
    ref = world.confirming()
    world.confirm_jobs([ref])
    broadcasts = list(world.chain.broadcasts)
    world.chain.genesis_hash = "0x" + "68" * 32
    with pytest.raises(ChainUnavailable):
        world.confirm_jobs([ref])
    assert world.chain.broadcasts == broadcasts


def test_the_jobs_get_another_transaction_when_their_nonce_was_taken(world: World) -> None:
    ref = world.confirming()
    world.confirm_jobs([ref])
    world.chain.drop_pool()
    world.chain.take_nonce(SIGNER)
    world.confirm_jobs([])
    assert world.queue.confirm[-1] == ()  # a reorganisation could still give the nonce back
    world.chain.mine(FINAL_DEPTH - 1)
    world.confirm_jobs([])
    assert world.queue.confirm[-1] == (ref,)
    world.confirm_jobs([ref])
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    assert status(world, ref) is Status.SUCCEEDED


def test_the_job_succeeds_when_another_transaction_recorded_it(world: World) -> None:
    ref = world.confirming()
    world.confirm_jobs([ref])
    world.chain.drop_pool()
    key = job_key(31337, REGISTRY, ref.tenant_id, ref.job_id)
    world.chain.take_nonce(SIGNER, Entry(key, world.job(ref).result.commitment))
    world.confirm_jobs([])
    assert status(world, ref) is Status.CONFIRMING  # recorded, and not deep enough
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    assert status(world, ref) is Status.SUCCEEDED


class ChainWithoutEvents(MemoryChain):
    """A node that has forgotten its old events."""

    has_events = False

    def recorded_at(self, job_key: str) -> RecordedAt | None:
        """See `ports.Chain.recorded_at`."""
        return super().recorded_at(job_key) if self.has_events else None


def test_an_alarm_tells_of_it_and_the_sweep_comes_back_when_no_event_tells_of_the_record(
    world: World,
) -> None:
    world.chain = chain = ChainWithoutEvents()
    ref = world.confirming()
    key = job_key(31337, REGISTRY, ref.tenant_id, ref.job_id)
    chain.take_nonce(SIGNER, Entry(key, world.job(ref).result.commitment))
    chain.mine(FINAL_DEPTH)
    world.queue.confirm.clear()
    assert list(world.confirm_jobs([ref]).alarms) == [Alarm.CONTRADICTION]
    assert world.queue.confirm == []  # to look for it takes long
    chain.has_events = True
    world.clock.advance(UNSEEN_AT_MOST)
    world.sweep()
    world.confirm_jobs(world.queue.confirm[-1])
    assert status(world, ref) is Status.SUCCEEDED


def test_a_conflict_is_reported_when_the_chain_holds_another_hash(world: World) -> None:
    ref = world.confirming()
    key = job_key(31337, REGISTRY, ref.tenant_id, ref.job_id)
    world.confirm_jobs([ref])
    world.chain.drop_pool()
    world.chain.take_nonce(SIGNER, Entry(key, "0x" + "ee" * 32))
    world.chain.mine(FINAL_DEPTH)
    report = world.confirm_jobs([])
    assert (report.conflicts, status(world, ref)) == ((ref,), Status.CONFIRMING)


def test_a_second_sender_puts_its_jobs_back_when_the_lease_is_live(world: World) -> None:
    ref = world.confirming()
    now = world.clock.now()
    world.transactions.lease(Account(SIGNER, world.genesis_hash), now=now, until=now + SENDER_LEASE)
    world.confirm_jobs([ref])
    assert (world.chain.broadcasts, world.queue.confirm[-1]) == ([], (ref,))
    world.clock.advance(SENDER_LEASE)
    world.confirm_jobs([ref])
    assert len(world.chain.broadcasts) == 1


def test_the_jobs_get_another_transaction_when_theirs_was_reverted(world: World) -> None:
    ref = world.confirming()
    world.confirm_jobs([ref])
    world.chain.reverts_next = True
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    assert (ref,) in world.queue.confirm[1:]
    world.confirm_jobs([ref])
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    assert status(world, ref) is Status.SUCCEEDED


def test_no_gas_is_spent_when_the_job_is_recorded_already(world: World) -> None:
    agreeing, conflicting = world.confirming("k0"), world.confirming("k1")
    keys = [job_key(31337, REGISTRY, ref.tenant_id, ref.job_id) for ref in (agreeing, conflicting)]
    hashes = [world.job(agreeing).result.commitment, "0x" + "ee" * 32]
    entries = [Entry(key, hash_) for key, hash_ in zip(keys, hashes, strict=True)]
    world.chain.take_nonce(OTHER, *entries)
    world.chain.mine(FINAL_DEPTH)
    report = world.confirm_jobs([agreeing, conflicting])
    assert (report.final, report.conflicts, world.chain.broadcasts) == ((agreeing,), (conflicting,), [])


def test_no_more_is_signed_when_enough_transactions_are_open(world: World) -> None:
    world.plan = replace(world.plan, active_jobs=200, jobs_per_month=200)
    refs = [world.confirming(f"k{n}") for n in range(OPEN_TRANSACTIONS + 1)]
    for ref in refs:
        world.confirm_jobs([ref])
    assert len(set(world.chain.broadcasts)) == OPEN_TRANSACTIONS
    assert (refs[-1],) in world.queue.confirm


def test_canceled_jobs_are_not_confirmed_when_their_message_comes(world: World) -> None:
    ref = world.submit().job_ref
    world.cancel_job(ref)
    world.confirm_jobs([ref])
    assert world.chain.broadcasts == []
