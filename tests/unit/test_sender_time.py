"""What one invocation of the sender has time for: it ends before its function's limit, and gets somewhere."""

from datetime import timedelta

import pytest

from chalicelib.adapters.memory_chain import MemoryChain
from chalicelib.domain.confirmation import Sighting
from chalicelib.domain.job import Status
from chalicelib.use_cases.sender import FOLLOW_SECONDS
from chalicelib.use_cases.sending import SENT_WITHIN_SECONDS
from tests.unit.confirming import MANY, before_rotation, compact, finish, look, rotate, rows
from tests.unit.world import World


class SlowChain(MemoryChain):
    """Takes its time over everything that is asked of it."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self.seconds: float = 0

    def sightings(self, hashes: list[str], *, head: int = 0) -> list[Sighting]:
        """See `ports.Chain.sightings`."""
        self._world.clock.advance(timedelta(seconds=self.seconds))
        return super().sightings(hashes, head=head)

    def broadcast(self, raw: bytes) -> None:
        """See `ports.Chain.broadcast`."""
        self._world.clock.advance(timedelta(seconds=self.seconds))
        super().broadcast(raw)

    def recorded_hashes(self, job_keys: list[str]) -> list[str]:
        """See `ports.Chain.recorded_hashes`."""
        self._world.clock.advance(timedelta(seconds=self.seconds))
        return super().recorded_hashes(job_keys)


@pytest.fixture
def slow(world: World) -> SlowChain:
    world.plan = MANY
    world.chain = SlowChain(world)
    return world.chain


def test_one_transaction_is_followed_at_each_look_when_asking_takes_all_the_time(
    world: World, slow: SlowChain
) -> None:
    refs = [world.confirming(f"k{n}") for n in range(3)]
    for ref in refs:
        world.confirm_jobs([ref])
    slow.mine(3)
    slow.seconds = FOLLOW_SECONDS + 1
    for done in range(1, 4):
        look(world)
        assert [world.job(ref).status for ref in refs].count(Status.SUCCEEDED) == done


def test_what_waits_is_put_back_when_there_is_no_time_to_send_it(world: World, slow: SlowChain) -> None:
    refs = [compact(world, f"k{n}") for n in range(98 + 1)]
    slow.seconds = SENT_WITHIN_SECONDS + 1
    world.confirm_jobs(refs)
    assert [len(each.jobs) for each in rows(world)] == [98]
    assert tuple(refs[98:]) in world.queue.confirm
    finish(world, *refs)


def test_two_signers_share_the_time_when_both_have_much_to_follow(world: World) -> None:
    world.plan = MANY
    before_rotation(world)
    world.chain = slow = SlowChain(world)
    for key in ("k0", "k1", "k2"):
        world.confirm_jobs([world.confirming(key)])
    rotate(world)
    refs = [world.confirming(f"k{n}") for n in range(3, 6)]
    for ref in refs:
        world.confirm_jobs([ref])
    slow.mine(3)
    slow.seconds = FOLLOW_SECONDS / 3
    look(world)
    # The first signer had all of the time; of the second, one is followed nevertheless.
    assert [world.job(ref).status for ref in refs].count(Status.SUCCEEDED) == 1
    slow.seconds = 0
    finish(world, *refs)
