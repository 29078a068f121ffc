"""A signer that drains beside an active one: no job stands in two transactions that both may confirm it."""

import pytest
from coincurve import PrivateKey

from chalicelib.adapters.memory_signers import MemorySigners
from chalicelib.domain.chain_transaction import FINAL_DEPTH, Settlement
from chalicelib.domain.errors import Superseded
from chalicelib.domain.merkle import keccak256
from chalicelib.domain.roster import Duty
from chalicelib.domain.transaction_id import ConfirmationPath
from emulation.chain import checksummed
from tests.chain.conftest import Bench
from tests.chain.sender import (
    GRANT,
    appoint,
    confirming,
    mine,
    rows,
    unpause,
)
from tests.chain.sender_audit import audit
from tests.crash.failpoints import Failpoint
from tests.crash.scene import Scene
from tests.crash.test_senders_at_once import finish, hanging
from tests.unit.world import World

ETHER_WEI = 10**18


class Signing:
    """Two of them, each a confirmer with funds: the first drains and the second is active."""

    def __init__(self, scene: Scene, bench: Bench) -> None:
        key = PrivateKey(keccak256(bench.key.secret))
        self.new = checksummed(f"0x{keccak256(key.public_key.format(compressed=False)[1:])[-20:].hex()}")
        self.old = scene.signer
        self._keys = {self.old: scene.signer_key, self.new: key.secret}
        appoint(bench, by=GRANT, signer=self.new)
        bench.rpc("hardhat_setBalance", self.new, hex(ETHER_WEI))

    def rotated(self) -> MemorySigners:
        """As they are after the rotation."""
        return MemorySigners(self._keys)

    def before(self) -> MemorySigners:
        """As they were before it, and as a process may still believe them to be."""
        signers = MemorySigners(self._keys)
        signers.current = signers.current.moved(self.new, Duty.JOINING).moved(self.old, Duty.ACTIVE)
        return signers


@pytest.fixture
def signing(scene: Scene, bench: Bench) -> Signing:
    return Signing(scene, bench)


def test_jobs_stay_in_their_row_when_its_signer_drains(
    scene: Scene, world: World, bench: Bench, signing: Signing
) -> None:
    world.signers = signing.before()
    old = confirming(world, ConfirmationPath.COMPACT, 2)
    world.confirm_jobs(old)
    world.signers = signing.rotated()
    new = confirming(world, ConfirmationPath.COMPACT, 2, name="new")
    finish(world, bench, [*old, *new])
    audit(world, bench, [*old, *new])
    placed = [{world.job(ref).placed.account.signer for ref in refs} for refs in (old, new)]
    assert placed == [{signing.old}, {signing.new}]


def test_active_signer_takes_the_jobs_when_the_draining_ones_transaction_reverts(
    scene: Scene, world: World, held: Bench, signing: Signing
) -> None:
    world.signers = signing.before()
    refs = confirming(world, ConfirmationPath.COMPACT, 2)
    world.confirm_jobs(refs)
    held.rpc("hardhat_dropTransaction", rows(world)[0].latest.hash)
    held.pause()
    world.signers = signing.rotated()
    world.confirm_jobs(refs)
    mine(held, FINAL_DEPTH)
    world.confirm_jobs(refs)
    assert [row.settlement for row in rows(world)] == [Settlement.REVERTED]
    unpause(held)
    finish(world, held, refs)
    audit(world, held, refs)
    assert {world.job(ref).placed.account.signer for ref in refs} == {signing.new}


@pytest.mark.parametrize("method", ["estimate_gas", "sign"])
def test_a_job_is_in_one_row_when_two_signers_place_it_at_once(
    scene: Scene, world: World, bench: Bench, signing: Signing, method: str
) -> None:
    refs = confirming(world, ConfirmationPath.COMPACT, 2)
    world.signers = signing.rotated()
    late = scene.world(world.clock.now())
    late.signers = signing.before()  # it has read the roster, and the rotation came
    hanging(late, Failpoint("chain", method, "after"), lambda: world.confirm_jobs(refs))
    with pytest.raises(Superseded):
        late.confirm_jobs(refs)
    assert {row.id.account.signer for row in rows(world)} == {signing.new}
    finish(world, bench, refs)
    audit(world, bench, refs)


def test_a_job_is_in_one_row_when_it_is_named_while_its_first_row_settles(
    scene: Scene, world: World, held: Bench, signing: Signing
) -> None:
    world.signers = signing.before()
    refs = confirming(world, ConfirmationPath.COMPACT, 2)
    world.confirm_jobs(refs)
    mine(held, FINAL_DEPTH)
    world.signers = signing.rotated()
    late = scene.world(world.clock.now())
    late.signers = signing.rotated()

    def another_comes() -> None:
        other = scene.world(world.clock.now())
        other.signers = signing.rotated()
        other.confirm_jobs(refs)

    hanging(late, Failpoint("jobs", "save", "before"), another_comes)
    late.confirm_jobs(refs)
    finish(world, held, refs)
    audit(world, held, refs)
    assert {row.id.account.signer for row in rows(world)} == {signing.old}
