"""Confirming whole batches by one root: each job has one path, whatever becomes of its transactions."""

import pytest

from chalicelib.adapters.memory_chain import MemoryChain
from chalicelib.domain.chain_call import proves
from chalicelib.domain.chain_transaction import FINAL_DEPTH, Settlement
from chalicelib.domain.confirmation import ZERO_HASH
from chalicelib.domain.job import Status
from chalicelib.domain.transaction_id import ConfirmationPath
from tests.crash.failpoints import Failing, Failpoint
from tests.unit.confirming import (
    COMPACT,
    MANY,
    NEXT,
    before_rotation,
    compact,
    crash,
    entry,
    look,
    mined,
    proofs_on_chain,
    rotate,
    row,
    rows,
)
from tests.unit.world import SIGNER, World


def test_each_job_carries_a_proof_when_its_batch_is_final(world: World) -> None:
    refs = [compact(world, f"k{n}") for n in range(5)]
    world.confirm_jobs(refs)
    report = mined(world)
    jobs = [world.job(ref) for ref in refs]
    assert (report.final, {job.status for job in jobs}) == (tuple(refs), {Status.SUCCEEDED})
    proofs = [job.confirmation.inclusion for job in jobs]
    assert [proof.bit for proof in proofs] == list(range(5))
    assert {(proof.word, proof.mask) for proof in proofs} == {(int(SIGNER, 16) << 64, 0b11111)}
    for proof, job in zip(proofs, jobs, strict=True):
        assert [proves(proof, entry(each)) for each in jobs] == [each is job for each in jobs]
    assert len(set(world.chain.broadcasts)) == 1


def test_the_gas_is_shared_to_the_last_unit_when_a_compact_batch_is_final(world: World) -> None:
    world.plan = MANY
    refs = [compact(world, f"k{n}") for n in range(7)] + [world.confirming("direct")]
    world.confirm_jobs(refs)
    mined(world)
    jobs = [world.job(ref) for ref in refs]
    hashes = list(dict.fromkeys(job.confirmation.transaction_hash for job in jobs))
    receipts = [seen.receipt for seen in world.chain.sightings(hashes)]
    assert sum(job.confirmation.gas_used for job in jobs) == sum(receipt.gas_used for receipt in receipts)
    assert len(receipts) == 2


def test_nothing_of_a_compact_job_is_recorded_by_itself_when_it_succeeds(world: World) -> None:
    ref = compact(world)
    world.confirm_jobs([ref])
    mined(world)
    assert world.chain.recorded_hashes([entry(world.job(ref)).job_key]) == [ZERO_HASH]


def test_two_transactions_are_made_when_a_message_has_jobs_of_both_paths(world: World) -> None:
    direct, proven = world.confirming("k1"), compact(world, "k2")
    world.confirm_jobs([proven, direct])
    assert [(each.path, [listed.ref for listed in each.jobs]) for each in rows(world)] == [
        (ConfirmationPath.DIRECT, [direct]),
        (COMPACT, [proven]),
    ]
    mined(world)
    assert world.job(direct).confirmation.inclusion is None
    assert world.job(proven).confirmation.inclusion is not None


def test_a_job_has_one_batch_when_its_message_comes_again_and_again(world: World) -> None:
    ref = compact(world)
    for _ in range(3):
        world.confirm_jobs([ref, ref])
    mined(world)
    world.confirm_jobs([ref])
    assert (len(rows(world)), proofs_on_chain(world, ref)) == (1, 1)


@pytest.mark.parametrize("path", ConfirmationPath)
def test_a_job_keeps_its_place_when_another_signer_takes_over(world: World, path: ConfirmationPath) -> None:
    before_rotation(world)
    ref = world.confirming(path=path)
    world.confirm_jobs([ref])
    rotate(world)
    world.confirm_jobs([ref])
    assert (len(rows(world)), rows(world, NEXT)) == (1, [])
    mined(world)
    assert world.job(ref).placed.account.signer == SIGNER
    assert world.job(ref).status is Status.SUCCEEDED


def test_a_job_gets_another_word_when_its_transaction_was_reverted(world: World) -> None:
    ref = compact(world)
    world.confirm_jobs([ref])
    world.chain.reverts_next = True
    mined(world, FINAL_DEPTH - 1)
    world.confirm_jobs([ref])
    assert len(rows(world)) == 1  # a reorganisation may still have it succeed
    mined(world, 1)
    assert row(world).settlement is Settlement.REVERTED
    look(world)
    mined(world)
    assert world.job(ref).confirmation.inclusion.word == int(SIGNER, 16) << 64 | 1
    assert proofs_on_chain(world, ref) == 1


def test_a_job_gets_another_word_when_its_nonce_was_taken(world: World) -> None:
    ref = compact(world)
    world.confirm_jobs([ref])
    world.chain.drop_pool()
    world.chain.take_nonce(SIGNER)
    mined(world)
    assert row(world).settlement is Settlement.NONCE_TAKEN
    look(world)
    mined(world)
    assert world.job(ref).confirmation.inclusion.word == int(SIGNER, 16) << 64 | 1
    assert proofs_on_chain(world, ref) == 1


class OtherHashChain(MemoryChain):
    """Has something else under each word."""

    def compact_hash(self, word: int) -> str:
        """See `ports.Chain.compact_hash`."""
        return "0x" + "ee" * 32


def test_a_conflict_is_reported_when_the_chain_has_another_batch_under_its_word(world: World) -> None:
    world.chain = OtherHashChain()
    ref = compact(world)
    world.confirm_jobs([ref])
    report = mined(world)
    assert (set(report.conflicts), world.job(ref).status) == ({ref}, Status.CONFIRMING)
    # The function's policy lets it read jobs as many, and not one by one.
    world.jobs = Failing(world.jobs, Failpoint("jobs", "get", "before"), crash)
    assert world.confirm_jobs([ref]).conflicts == (ref,)
    assert len(rows(world)) == 1  # a person decides; another batch could prove the job twice


def test_a_compact_batch_takes_as_many_as_a_transaction_when_more_wait(world: World) -> None:
    world.plan = MANY
    refs = [compact(world, f"k{n}") for n in range(100)]
    world.confirm_jobs(refs)
    assert [len(each.jobs) for each in rows(world)] == [98, 2]
    mined(world)
    assert {world.job(ref).status for ref in refs} == {Status.SUCCEEDED}
