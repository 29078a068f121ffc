"""Several senders at once, on the real tables and a real node: one works, and a late one changes nothing."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from chalicelib.domain.chain_transaction import FINAL_DEPTH, SENDER_LEASE
from chalicelib.domain.errors import Superseded
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.transaction_id import ConfirmationPath
from tests.chain.conftest import Bench
from tests.chain.sender import (
    BOTH_PATHS,
    LOOKS,
    attempts,
    confirming,
    fees_are_restored,
    mine,
    rows,
    statuses,
)
from tests.chain.sender_audit import audit
from tests.crash.failpoints import Failing, Failpoint
from tests.crash.scene import Scene
from tests.crash.test_confirmations import around, shown, stuck
from tests.unit.world import World

CONFIRM_QUEUE = "jobs-confirm"
SENDERS = 6


def hanging(world: World, failpoint: Failpoint, act: Callable[[], object]) -> World:
    """The service, to which this happens there."""
    setattr(world, failpoint.port, Failing(getattr(world, failpoint.port), failpoint, act))
    return world


def finish(world: World, bench: Bench, refs: Sequence[JobRef]) -> None:
    for _ in range(LOOKS):
        report = world.confirm_jobs(refs)
        if statuses(world, refs) == {Status.SUCCEEDED} and not report.open_transactions:
            return
        mine(bench, FINAL_DEPTH)
    raise AssertionError(f"not done: {statuses(world, refs)}")


def stored(scene: Scene, world: World, refs: Sequence[JobRef]) -> tuple[Any, ...]:
    """All that a sender writes."""
    return [world.job(ref) for ref in refs], rows(world), scene.events()


# One lease


def test_others_put_the_jobs_back_when_one_sender_works(scene: Scene, world: World, bench: Bench) -> None:
    refs = confirming(world, ConfirmationPath.DIRECT, 2)
    scene.messages(CONFIRM_QUEUE)
    reports = []

    def others_come() -> None:
        reports.extend(scene.world(world.clock.now()).confirm_jobs(refs) for _ in range(2))

    hanging(world, Failpoint("chain", "survey", "after"), others_come)
    assert world.confirm_jobs(refs).open_transactions == 1
    assert [report.open_transactions for report in reports] == [0, 0]
    assert scene.messages(CONFIRM_QUEUE) == [tuple(refs)] * 2
    finish(world, bench, refs)
    audit(world, bench, refs)


@BOTH_PATHS
def test_jobs_are_confirmed_once_when_many_senders_race(
    scene: Scene, world: World, bench: Bench, path: ConfirmationPath
) -> None:
    refs = confirming(world, path, 2)
    racers = [scene.world(world.clock.now()) for _ in range(SENDERS)]
    with ThreadPoolExecutor(SENDERS) as threads:
        reports = list(threads.map(lambda racer: racer.confirm_jobs(refs), racers))
    assert any(report.open_transactions for report in reports)
    assert len(rows(world)) == 1
    finish(world, bench, refs)
    audit(world, bench, refs)


# Past the lease


BEFORE_THE_ROW = [Failpoint("chain", "estimate_gas", "after"), Failpoint("transactions", "record", "before")]
AFTER_THE_ROW = [Failpoint("chain", "broadcast", "before"), Failpoint("transactions", "release", "before")]


class Takeover:
    """A late sender, to whom it happens there that its lease ends and another does all the work."""

    def __init__(self, scene: Scene, bench: Bench, refs: Sequence[JobRef]) -> None:
        self.scene, self.bench, self.refs = scene, bench, refs
        self.then: list[object] = []

    def befalls(self, world: World, failpoint: Failpoint, woken: Sequence[JobRef]) -> None:
        """The late one goes on where it was."""
        late = hanging(self.scene.world(world.clock.now()), failpoint, lambda: self._by_another(world))
        with suppress(Superseded):
            late.confirm_jobs(woken)

    def _by_another(self, world: World) -> None:
        other = self.scene.world(world.clock.now() + SENDER_LEASE)
        finish(other, self.bench, self.refs)
        self.then.append(stored(self.scene, other, self.refs))

    def was_the_last_word(self, world: World) -> None:
        """All is as the other left it, and as it should be."""
        assert [stored(self.scene, world, self.refs)] == self.then
        audit(world, self.bench, self.refs)


@BOTH_PATHS
@pytest.mark.parametrize("failpoint", shown([*BEFORE_THE_ROW, *AFTER_THE_ROW]), ids=str)
def test_late_sender_changes_nothing_when_its_work_was_taken_over_while_it_sent(
    scene: Scene, world: World, bench: Bench, path: ConfirmationPath, failpoint: Failpoint
) -> None:
    refs = confirming(world, path, 2)
    takeover = Takeover(scene, bench, refs)
    takeover.befalls(world, failpoint, refs)
    mine(bench, FINAL_DEPTH)
    takeover.was_the_last_word(world)
    assert len(attempts(world)) == 1


@BOTH_PATHS
@pytest.mark.parametrize("failpoint", shown(around("jobs.save", "transactions.settle")), ids=str)
def test_late_sender_changes_nothing_when_its_work_was_taken_over_while_it_closed(
    scene: Scene, world: World, bench: Bench, path: ConfirmationPath, failpoint: Failpoint
) -> None:
    refs = confirming(world, path, 2)
    world.confirm_jobs(refs)
    mine(bench, FINAL_DEPTH)
    takeover = Takeover(scene, bench, refs)
    takeover.befalls(world, failpoint, [])
    takeover.was_the_last_word(world)
    assert scene.counted("active") == 0


@BOTH_PATHS
@pytest.mark.parametrize("failpoint", shown(around("transactions.amend", "chain.broadcast")), ids=str)
def test_late_sender_changes_nothing_when_its_work_was_taken_over_while_it_replaced(
    scene: Scene, world: World, bench: Bench, path: ConfirmationPath, failpoint: Failpoint
) -> None:
    refs = confirming(world, path, 2)
    takeover = Takeover(scene, bench, refs)
    with fees_are_restored(bench):
        stuck(world, bench, refs)
        takeover.befalls(world, failpoint, [])
        mine(bench, FINAL_DEPTH)
    takeover.was_the_last_word(world)
