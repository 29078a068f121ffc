"""Batches are sized by their gas: a chain that takes less in a transaction gets more transactions."""

from chalicelib.adapters.memory_chain import GAS_A_TRANSACTION, GAS_AN_ENTRY
from chalicelib.domain.chain_transaction import JOBS_A_TRANSACTION
from chalicelib.domain.job import Status
from chalicelib.use_cases.chain_work import Alarm
from tests.unit.confirming import MANY, finish, rows
from tests.unit.world import World


def test_batches_are_halved_until_they_fit_when_a_transaction_takes_ten_jobs(world: World) -> None:
    world.plan = MANY
    world.chain.most_gas = GAS_A_TRANSACTION + 10 * GAS_AN_ENTRY
    refs = [world.confirming(f"k{n}") for n in range(JOBS_A_TRANSACTION)]
    world.confirm_jobs(refs)
    assert [listed.ref for each in rows(world) for listed in each.jobs] == refs
    assert all(5 <= len(each.jobs) <= 10 for each in rows(world))
    assert [each.nonce for each in rows(world)] == list(range(len(rows(world))))
    finish(world, *refs)
    assert {world.job(ref).status for ref in refs} == {Status.SUCCEEDED}


def test_batches_are_full_when_a_transaction_takes_them(world: World) -> None:
    world.plan = MANY
    refs = [world.confirming(f"k{n}") for n in range(JOBS_A_TRANSACTION + 1)]
    world.confirm_jobs(refs)
    assert [len(each.jobs) for each in rows(world)] == [JOBS_A_TRANSACTION, 1]


def test_a_person_is_told_when_not_even_one_job_fits(world: World) -> None:
    world.chain.most_gas = GAS_A_TRANSACTION
    ref = world.confirming()
    assert list(world.confirm_jobs([ref]).alarms) == [Alarm.REFUSED]
    assert (rows(world), world.job(ref).status) == ([], Status.CONFIRMING)
    world.chain.most_gas = 2**24
    finish(world, ref)
