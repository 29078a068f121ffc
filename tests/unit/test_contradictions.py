"""Nodes that contradict themselves, as several behind one address do: what one lacks decides nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chalicelib.adapters.memory_chain import MemoryChain
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.confirmation import ZERO_HASH, Sighting
from chalicelib.domain.errors import NodeLags
from chalicelib.domain.job import Status
from chalicelib.use_cases.chain_work import Alarm
from tests.unit.confirming import compact, look, mined, proofs_on_chain, row, rows
from tests.unit.world import World


class ForgetfulChain(MemoryChain):
    """A node that has its contract's storage, and none of its receipts."""

    has_receipts = False

    def sightings(self, hashes: list[str], *, head: int = 0) -> list[Sighting]:
        """See `ports.Chain.sightings`."""
        return super().sightings(hashes, head=head) if self.has_receipts else [Sighting() for _ in hashes]


def test_no_second_batch_is_made_when_a_node_has_the_first_and_denies_its_transaction(world: World) -> None:
    world.chain = chain = ForgetfulChain()
    ref = compact(world)
    world.confirm_jobs([ref])
    for _ in range(3):
        mined(world)
        world.confirm_jobs([ref])
    assert (len(rows(world)), row(world).settlement) == (1, None)
    assert Alarm.CONTRADICTION in look(world).alarms
    chain.has_receipts = True
    look(world)
    assert (world.job(ref).status, proofs_on_chain(world, ref)) == (Status.SUCCEEDED, 1)


class LaggingChain(MemoryChain):
    """Two nodes behind one address: one for surveys, and one that stopped some blocks ago for all else."""

    lags_by = 0

    def sightings(self, hashes: list[str], *, head: int = 0) -> list[Sighting]:
        """See `ports.Chain.sightings`."""
        with self._behind():
            return super().sightings(hashes, head=head)

    def compact_hash(self, word: int) -> str:
        """See `ports.Chain.compact_hash`."""
        with self._behind():
            return super().compact_hash(word)

    @contextmanager
    def _behind(self) -> Iterator[None]:
        until = len(self._blocks) - self.lags_by
        self._blocks, later = self._blocks[:until], self._blocks[until:]
        try:
            yield
        finally:
            self._blocks += later


def test_no_second_batch_is_made_when_the_first_is_looked_for_at_a_node_that_lags(world: World) -> None:
    world.chain = chain = LaggingChain()
    ref = compact(world)
    world.confirm_jobs([ref])
    chain.mine(FINAL_DEPTH)
    chain.lags_by = FINAL_DEPTH
    assert world.confirm_jobs([ref]).open_transactions == 1
    assert (len(rows(world)), row(world).settlement) == (1, None)
    chain.lags_by = 0
    look(world)
    assert (world.job(ref).status, proofs_on_chain(world, ref)) == (Status.SUCCEEDED, 1)


class EffectlessChain(MemoryChain):
    """A node that has its receipts, and nothing of its contract's storage."""

    has_storage = False

    def compact_hash(self, word: int) -> str:
        """See `ports.Chain.compact_hash`."""
        return super().compact_hash(word) if self.has_storage else ZERO_HASH


def test_an_alarm_tells_of_it_when_a_batch_has_a_receipt_and_no_effect(world: World) -> None:
    world.chain = chain = EffectlessChain()
    ref = compact(world)
    world.confirm_jobs([ref])
    assert Alarm.CONTRADICTION in mined(world).alarms
    assert (world.job(ref).status, row(world).settlement) == (Status.CONFIRMING, None)
    chain.has_storage = True
    assert look(world).alarms == {}
    assert world.job(ref).status is Status.SUCCEEDED


class FlickeringChain(MemoryChain):
    """Two nodes behind one address, asked by turns: one has its contract's storage."""

    is_steady = False
    asked = 0

    def compact_hash(self, word: int) -> str:
        """See `ports.Chain.compact_hash`."""
        self.asked += 1
        return super().compact_hash(word) if self.is_steady or self.asked == 1 else ZERO_HASH


def test_nothing_is_a_conflict_when_a_node_has_lost_the_batch_that_another_has(world: World) -> None:
    world.chain = chain = FlickeringChain()
    ref = compact(world)
    world.confirm_jobs([ref])
    chain.mine(FINAL_DEPTH)
    with pytest.raises(NodeLags):
        look(world)
    assert row(world).settlement is None
    chain.is_steady = True
    assert look(world).conflicts == ()
    assert world.job(ref).status is Status.SUCCEEDED
