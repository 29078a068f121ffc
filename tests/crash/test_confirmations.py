"""Confirming, made to happen: a process dies there, and what must follow follows."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from chalicelib.domain.chain_call import Fill
from chalicelib.domain.chain_transaction import FINAL_DEPTH, SENDER_LEASE
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.metering import CONFIRMED
from chalicelib.domain.transaction_id import ConfirmationPath
from emulation.chain import Mining
from tests.chain.conftest import Bench
from tests.chain.sender import (
    BOTH_PATHS,
    LOOKS,
    attempts,
    base_fee,
    confirming,
    fees_are_restored,
    mine,
    rows,
    statuses,
)
from tests.chain.sender_audit import audit
from tests.crash.failpoints import Failing, Failpoint
from tests.crash.scene import Scene
from tests.unit.world import World

JOBS = 2
# The node's way of mining makes no difference where nothing is broadcast.
ONE_MINING = pytest.mark.parametrize("node", [Mining.AUTOMATIC], indirect=True, ids=["automatic"])


def around(*calls: str) -> list[Failpoint]:
    """Before and after each call."""
    return [Failpoint(*call.split("."), when) for call in calls for when in ("before", "after")]


def shown(failpoints: Sequence[Failpoint]) -> list[pytest.ParameterSet]:
    """Those before a call are deep: to anybody else, it is to be after the call before it."""
    return [pytest.param(each, marks=() if each.when == "after" else pytest.mark.deep) for each in failpoints]


def on_each_path(failpoints: Sequence[Failpoint]) -> list[pytest.ParameterSet]:
    """Both paths take the same steps, so the compact one's cases are deep, but for what it does alone."""
    direct = (
        pytest.param(ConfirmationPath.DIRECT, *each.values, marks=each.marks) for each in shown(failpoints)
    )
    compact = (pytest.param(ConfirmationPath.COMPACT, each, marks=pytest.mark.deep) for each in failpoints)
    return [*direct, *compact]


SENDING = around(
    "transactions.lease",
    "chain.survey",
    "transactions.unsettled",
    "jobs.get_many",
    "chain.recorded_hashes",
    "chain.estimate_gas",
    "signers.sign",
    "transactions.record",
    "transactions.release",
    "queue.wake_confirmer",
)
BROADCASTING = around("chain.broadcast")
FOLLOWING = around("chain.sightings", "transactions.amend", "transactions.release", "queue.wake_confirmer")
CLOSING = around("chain.sightings", "transactions.amend", "jobs.get_many", "jobs.save", "transactions.settle")
REPLACING = around("chain.sightings", "signers.sign", "transactions.amend")
FILLING = around("transactions.get", "signers.sign", "transactions.record", "chain.broadcast")


def recovered(
    scene: Scene, world: World, bench: Bench, refs: Sequence[JobRef], *, wakes: Sequence[JobRef] = ()
) -> None:
    """After the dead one's lease the sender goes on; `wakes` are named by a message that comes again.

    However it came about: one confirmation a job, one event a fact, every nonce mined once, nothing held.
    """
    world.clock.advance(SENDER_LEASE + timedelta(seconds=1))
    for _ in range(LOOKS):
        report = world.confirm_jobs(wakes)
        if statuses(world, refs) == {Status.SUCCEEDED} and not report.open_transactions:
            break
        mine(bench, FINAL_DEPTH)
    audit(world, bench, refs)
    told = [world.job(ref) for ref in refs], rows(world), scene.events()
    meters = ("job.accepted", "compute.used", "payload.stored")
    wanted = [f"{ref.job_id}:{meter}" for ref in refs for meter in meters]
    wanted += [f"{job.ref.job_id}:{CONFIRMED[job.path]}" for job in map(world.job, refs)]
    assert (scene.events(), scene.counted("active")) == (sorted(wanted), 0)
    world.confirm_jobs(refs)  # the message comes once more, and does nothing
    assert ([world.job(ref) for ref in refs], rows(world), scene.events()) == told


@ONE_MINING
@pytest.mark.parametrize(("path", "failpoint"), on_each_path(SENDING), ids=str)
def test_each_job_is_confirmed_once_when_the_sender_dies_before_it_sends(
    scene: Scene, world: World, bench: Bench, path: ConfirmationPath, failpoint: Failpoint
) -> None:
    refs = confirming(world, path, JOBS)
    scene.crash(world, failpoint, "confirm_jobs", refs)
    recovered(scene, world, bench, refs, wakes=refs)


@BOTH_PATHS
@pytest.mark.parametrize("failpoint", BROADCASTING, ids=str)
def test_each_job_is_confirmed_once_when_the_sender_dies_while_it_sends(
    scene: Scene, world: World, bench: Bench, path: ConfirmationPath, failpoint: Failpoint
) -> None:
    refs = confirming(world, path, JOBS)
    scene.crash(world, failpoint, "confirm_jobs", refs)
    recovered(scene, world, bench, refs)
    assert len(attempts(world)) == 1


@ONE_MINING
@pytest.mark.parametrize(("path", "failpoint"), on_each_path(FOLLOWING), ids=str)
def test_each_job_is_confirmed_once_when_the_sender_dies_before_the_depth_is_reached(
    scene: Scene, world: World, bench: Bench, path: ConfirmationPath, failpoint: Failpoint
) -> None:
    refs = confirming(world, path, JOBS)
    world.confirm_jobs(refs)
    mine(bench)
    scene.crash(world, failpoint, "confirm_jobs", [])
    recovered(scene, world, bench, refs)


@ONE_MINING
@pytest.mark.parametrize(
    ("path", "failpoint"),
    [
        *on_each_path(CLOSING),
        *((ConfirmationPath.DIRECT, each) for each in around("chain.recorded_hashes")),
        *((ConfirmationPath.COMPACT, each) for each in around("chain.compact_hash")),
    ],
    ids=str,
)
def test_each_job_is_confirmed_once_when_the_sender_dies_while_closing(
    scene: Scene, world: World, bench: Bench, path: ConfirmationPath, failpoint: Failpoint
) -> None:
    refs = confirming(world, path, JOBS)
    world.confirm_jobs(refs)
    mine(bench, FINAL_DEPTH)
    scene.crash(world, failpoint, "confirm_jobs", [])
    recovered(scene, world, bench, refs)


def stuck(world: World, bench: Bench, refs: Sequence[JobRef]) -> None:
    """A transaction is stored and sent for less than the base fee, which rose meanwhile."""
    real = world.chain
    rise = Failpoint("chain", "broadcast", "before")
    world.chain = Failing(real, rise, lambda: base_fee(bench, 60))
    world.confirm_jobs(refs)
    world.chain = real
    mine(bench)


def recovered_when_stuck(
    scene: Scene, world: World, bench: Bench, path: ConfirmationPath, failpoint: Failpoint
) -> list[JobRef]:
    """The sender dies when it replaces what is stuck; then there is the one replacement and no more."""
    refs = confirming(world, path, JOBS)
    with fees_are_restored(bench):
        stuck(world, bench, refs)
        scene.crash(world, failpoint, "confirm_jobs", [])
        recovered(scene, world, bench, refs)
    assert len(attempts(world)) == 2
    return refs


@ONE_MINING
@pytest.mark.parametrize(("path", "failpoint"), on_each_path(REPLACING), ids=str)
def test_each_job_is_confirmed_once_when_the_sender_dies_before_it_sends_a_replacement(
    scene: Scene, world: World, bench: Bench, path: ConfirmationPath, failpoint: Failpoint
) -> None:
    recovered_when_stuck(scene, world, bench, path, failpoint)


@pytest.mark.parametrize(("path", "failpoint"), on_each_path(BROADCASTING), ids=str)
def test_each_job_is_confirmed_once_when_the_sender_dies_while_it_sends_a_replacement(
    scene: Scene, world: World, bench: Bench, path: ConfirmationPath, failpoint: Failpoint
) -> None:
    refs = recovered_when_stuck(scene, world, bench, path, failpoint)
    assert {world.job(ref).confirmation.transaction_hash for ref in refs} == {attempts(world)[1]}


@pytest.mark.parametrize(("path", "failpoint"), on_each_path(FILLING), ids=str)
def test_each_job_is_confirmed_once_when_the_sender_dies_while_it_fills_a_nonce(
    scene: Scene, world: World, bench: Bench, path: ConfirmationPath, failpoint: Failpoint
) -> None:
    refs = confirming(world, path, JOBS)
    before = bench.rpc("evm_snapshot")
    bench.mine(bench.sign_call(Fill()))
    mine(bench, FINAL_DEPTH)
    world.confirm_jobs(refs)
    bench.rpc("evm_revert", before)  # the first nonce is free again, and has no row
    scene.crash(world, failpoint, "confirm_jobs", [])
    recovered(scene, world, bench, refs)
    assert [row.path for row in rows(world)] == [None, path]


@pytest.mark.parametrize(
    ("path", "failpoint"), on_each_path(around("transactions.amend", "chain.broadcast")), ids=str
)
def test_each_job_is_confirmed_once_when_the_sender_dies_while_it_fills_a_nonce_that_was_taken(
    scene: Scene, world: World, bench: Bench, path: ConfirmationPath, failpoint: Failpoint
) -> None:
    refs = confirming(world, path, JOBS)
    before = bench.rpc("evm_snapshot")
    real = world.chain
    overtake = Failpoint("chain", "broadcast", "before")
    world.chain = Failing(real, overtake, lambda: bench.mine(bench.sign_call(Fill())))
    world.confirm_jobs(refs)
    world.chain = real
    mine(bench, FINAL_DEPTH)
    world.confirm_jobs([])
    world.confirm_jobs(refs)
    assert [row.nonce for row in rows(world)] == [0, 1]
    bench.rpc("evm_revert", before)  # both nonces are free again, and the jobs stand in the second
    scene.crash(world, failpoint, "confirm_jobs", [])
    recovered(scene, world, bench, refs)
    assert [row.path for row in rows(world)] == [None, path]


@BOTH_PATHS
@pytest.mark.parametrize("blocks", [0, 2])
def test_the_same_bytes_are_mined_when_a_reorganisation_drops_them(
    scene: Scene, world: World, held: Bench, path: ConfirmationPath, blocks: int
) -> None:
    refs = confirming(world, path, JOBS)
    before = held.rpc("evm_snapshot")
    world.confirm_jobs(refs)
    mine(held, blocks)
    world.confirm_jobs([])
    held.rpc("evm_revert", before)
    recovered(scene, world, held, refs)
    assert len(attempts(world)) == 1
