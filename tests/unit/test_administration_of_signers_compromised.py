"""A compromised signer is dismissed first, and no job is kept from the one that follows it."""

import pytest

from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.roster import Duty
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.use_cases.rotate_signers import Reason
from tests.crash.failpoints import Failpoint
from tests.unit.handover import Scene, points
from tests.unit.office import Cut
from tests.unit.world import SIGNER


def test_a_compromised_signer_may_not_confirm_when_anything_else_is_done(scene: Scene) -> None:
    with pytest.raises(Cut):
        scene.rotate(Reason.COMPROMISED, failpoint=Failpoint("keys", "make", "before"))
    assert scene.confirmers() == set()
    assert SIGNER in scene.keys.kept()


def test_every_job_gets_another_transaction_when_the_pending_ones_of_a_compromised_signer_revert(
    scene: Scene,
) -> None:
    scene.rotate(Reason.COMPROMISED)
    assert scene.duties() == [Duty.RETIRED, Duty.ACTIVE]
    assert scene.wrongs() == []
    assert scene.alarms.keys() <= {"refused"}


def test_every_job_gets_another_transaction_when_a_thief_took_the_funds(scene: Scene) -> None:
    scene.world.chain.penniless.add(SIGNER)
    scene.submit(ConfirmationPath.COMPACT)
    scene.send()
    scene.rotate(Reason.COMPROMISED)
    assert scene.wrongs() == []
    scene.world.chain.penniless.clear()
    scene.world.chain.mine(FINAL_DEPTH)
    assert scene.wrongs() == []


LOOKS = points(
    *((port, method, 1) for port, method in (("transactions", "release"), ("appointments", "revoke")))
)


@pytest.mark.parametrize(
    "failpoint", [*LOOKS, *points(*(("queue", "wake_confirmer", n) for n in range(1, 8)))], ids=str
)
def test_no_job_is_kept_from_the_next_signer_when_the_sender_looks_while_the_old_one_is_dismissed(
    scene: Scene, failpoint: Failpoint
) -> None:
    scene.world.chain.penniless.add(SIGNER)
    scene.submit(ConfirmationPath.COMPACT)
    scene.send()
    scene.rotate(Reason.COMPROMISED, failpoint=failpoint, act=scene.send)
    assert scene.wrongs() == []


def test_the_new_signer_goes_too_when_it_is_compromised_while_the_old_one_drains(scene: Scene) -> None:
    with pytest.raises(Cut):
        scene.rotate(failpoint=Failpoint("registry", "commit", "after", 2))
    second = scene.roster.active
    scene.rotate(Reason.COMPROMISED)
    assert scene.duties() == [Duty.RETIRED, Duty.RETIRED, Duty.ACTIVE]
    assert scene.roster.active != second
    assert scene.wrongs() == []
