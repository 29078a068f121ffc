"""Confirming, made to happen: a process dies there, and what must follow follows."""

from datetime import timedelta

import pytest
from Crypto.Hash import keccak

from chalicelib.domain.chain_transaction import FINAL_DEPTH, SENDER_LEASE
from chalicelib.domain.confirmation import job_key
from chalicelib.domain.errors import ChainUnavailable, Superseded
from chalicelib.domain.job import JobRef, Status
from tests.chain.conftest import Bench
from tests.crash.failpoints import Failing, Failpoint
from tests.crash.scene import Scene
from tests.unit.world import World

CONFIRM_POINTS = [
    Failpoint("transactions", "lease", "after"),
    Failpoint("chain", "estimate_batch_gas", "after"),
    Failpoint("transactions", "record", "before"),
    Failpoint("transactions", "record", "after"),
    Failpoint("chain", "broadcast", "before"),
    Failpoint("chain", "broadcast", "after"),
    Failpoint("transactions", "release", "before"),
    Failpoint("transactions", "release", "after"),
    Failpoint("queue", "wake_confirmer", "after"),
]
CLOSE_POINTS = [
    Failpoint("chain", "receipt", "after"),
    Failpoint("jobs", "save", "before"),
    Failpoint("jobs", "save", "after"),
    Failpoint("transactions", "settle", "before"),
    Failpoint("transactions", "settle", "after"),
    Failpoint("transactions", "release", "before"),
]


def confirmed_once(scene: Scene, world: World, bench: Bench, refs: list[JobRef]) -> None:
    """However it came about: one record a job, one event a job, every nonce mined once, nothing held."""
    world.confirm_jobs(refs)  # the message comes again, and does nothing
    for ref in refs:
        job = world.job(ref)
        assert job.status is Status.SUCCEEDED
        assert job.version == 4
        key = job_key(31337, scene.registry, ref.tenant_id, ref.job_id)
        assert list(world.chain.recorded_hashes([key])) == [job.result.commitment]
        recorded = world.chain.recorded_at(key)
        assert (recorded.transaction_hash, recorded.block_number) == (
            job.confirmation.transaction_hash,
            job.confirmation.block_number,
        )
    assert len(confirmations(bench)) == len(refs)
    assert scene.signed(0)["hash"] == recorded.transaction_hash  # its row came before it
    nonces = world.transactions.lease(scene.signer, now=world.clock.now(), until=world.clock.now()).next_nonce
    assert world.chain.next_nonce(scene.signer) == nonces == 1
    wanted = [f"{ref.job_id}:job.{what}" for ref in refs for what in ("accepted", "confirmed")]
    assert (scene.events(), scene.counted("active")) == (sorted(wanted), 0)


def confirmations(bench: Bench) -> list[object]:
    """Every `JobConfirmed` that the registry ever emitted."""
    topic = "0x" + keccak.new(digest_bits=256, data=b"JobConfirmed(bytes32,bytes32)").hexdigest()
    criteria = {"address": bench.registry, "fromBlock": "0x0", "toBlock": "latest", "topics": [topic]}
    return list(bench.rpc("eth_getLogs", criteria))


def go_on(world: World, bench: Bench, refs: list[JobRef]) -> None:
    """The sender is woken after the dead one's lease, the message coming again, until all is done."""
    for _ in range(4):
        world.clock.advance(SENDER_LEASE + timedelta(seconds=1))
        world.confirm_jobs(refs)
        bench.rpc("hardhat_mine", hex(FINAL_DEPTH))


@pytest.mark.parametrize("failpoint", CONFIRM_POINTS, ids=str)
def test_each_job_is_confirmed_once_when_the_sender_dies_while_sending(
    scene: Scene, world: World, bench: Bench, failpoint: Failpoint
) -> None:
    refs = [world.confirming(f"k{n}") for n in range(3)]
    scene.crash(world, failpoint, "confirm_jobs", refs)
    go_on(world, bench, refs)
    confirmed_once(scene, world, bench, refs)


@pytest.mark.parametrize("failpoint", CLOSE_POINTS, ids=str)
def test_each_job_is_confirmed_once_when_the_sender_dies_while_closing(
    scene: Scene, world: World, bench: Bench, failpoint: Failpoint
) -> None:
    refs = [world.confirming(f"k{n}") for n in range(3)]
    world.confirm_jobs(refs)
    bench.rpc("hardhat_mine", hex(FINAL_DEPTH))
    scene.crash(world, failpoint, "confirm_jobs", [])
    go_on(world, bench, [])
    confirmed_once(scene, world, bench, refs)


def test_the_same_bytes_are_mined_when_a_reorganisation_drops_them(
    scene: Scene, world: World, bench: Bench
) -> None:
    refs = [world.confirming()]
    before = bench.rpc("evm_snapshot")
    world.confirm_jobs(refs)
    bench.rpc("evm_mine")
    first = world.transactions.unsettled(_peek(world, scene))[0]
    assert world.chain.receipt(first.hash) is not None
    bench.rpc("evm_revert", before)
    assert world.chain.receipt(first.hash) is None
    go_on(world, bench, [])
    assert world.job(refs[0]).confirmation.transaction_hash == first.hash
    confirmed_once(scene, world, bench, refs)


def test_the_row_decides_when_the_node_fails_during_the_broadcast(
    scene: Scene, world: World, bench: Bench
) -> None:
    refs = [world.confirming()]

    def node_dies() -> None:
        raise ChainUnavailable("connection refused")

    real = world.chain
    world.chain = Failing(real, Failpoint("chain", "broadcast", "before"), node_dies)
    with pytest.raises(ChainUnavailable):
        world.confirm_jobs(refs)
    world.chain = real
    go_on(world, bench, [])
    confirmed_once(scene, world, bench, refs)


def test_the_late_sender_signs_nothing_when_its_lease_was_taken_over(
    scene: Scene, world: World, bench: Bench
) -> None:
    refs = [world.confirming()]

    def another_sends() -> None:
        other = scene.world(world.clock.now() + SENDER_LEASE)
        other.confirm_jobs(refs)

    late = scene.world(world.clock.now())
    late.transactions = Failing(
        late.transactions, Failpoint("transactions", "record", "before"), another_sends
    )
    with pytest.raises(Superseded):
        late.confirm_jobs(refs)
    go_on(world, bench, refs)
    confirmed_once(scene, world, bench, refs)


def _peek(world: World, scene: Scene) -> object:
    """A lease that has already run out: it only reads."""
    return world.transactions.lease(scene.signer, now=world.clock.now(), until=world.clock.now())
