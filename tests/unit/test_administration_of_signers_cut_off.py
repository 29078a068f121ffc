"""Whatever is cut off, or done twice at once: the next run completes it, and no job and no key is lost."""

import pytest

from chalicelib.domain.audit import Act
from chalicelib.domain.errors import Superseded
from chalicelib.domain.roster import Duty
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.use_cases.rotate_signers import FUNDS_WEI, Reason
from tests.crash.failpoints import Failpoint
from tests.unit.handover import DROP, RETURN, STEPS, Scene, points
from tests.unit.office import ANNA, BERT, Cut
from tests.unit.world import SIGNER


@pytest.mark.parametrize("failpoint", [*STEPS, *RETURN, DROP], ids=str)
def test_the_next_run_completes_a_rotation_when_one_was_cut_off(scene: Scene, failpoint: Failpoint) -> None:
    with pytest.raises(Cut):
        scene.rotate(failpoint=failpoint)
    scene.rotate(actor=BERT)
    assert scene.duties() == [Duty.RETIRED, Duty.ACTIVE]
    assert scene.acts() == [Act.SIGNER_ADDED, Act.SIGNER_APPOINTED, Act.SIGNER_RETIRED]
    assert scene.appointments.balance(scene.roster.active or "") == FUNDS_WEI
    assert (scene.wrongs(), scene.alarms) == ([], {})


DISMISS = Failpoint("appointments", "revoke", "before")
ONCE_DISMISSED = [*(each for each in STEPS if each != DISMISS), *points(("chain", "sightings", 1)), DROP]


@pytest.mark.parametrize(
    ("failpoint", "second"),
    [(DISMISS, Reason.COMPROMISED), *((each, reason) for each in ONCE_DISMISSED for reason in Reason)],
    ids=str,
)
def test_the_next_run_completes_a_replacement_when_one_was_cut_off(
    scene: Scene, failpoint: Failpoint, second: Reason
) -> None:
    scene.world.chain.penniless.add(SIGNER)
    scene.submit(ConfirmationPath.DIRECT)
    scene.send()
    with pytest.raises(Cut):
        scene.rotate(Reason.COMPROMISED, failpoint=failpoint)
    scene.rotate(second)
    assert scene.wrongs() == []


@pytest.mark.parametrize("failpoint", [*STEPS, *RETURN, DROP], ids=str)
def test_a_replacement_completes_a_rotation_that_was_cut_off(scene: Scene, failpoint: Failpoint) -> None:
    with pytest.raises(Cut):
        scene.rotate(failpoint=failpoint)
    suspects = scene.roster.live
    scene.heard.clear()
    scene.rotate(Reason.COMPROMISED)
    assert scene.wrongs() == []
    active = scene.roster.active
    assert active not in suspects or scene.heard[0].endswith(f"{active} goes on; for another, run this again")


# Two at once


@pytest.mark.parametrize("failpoint", [*STEPS, *RETURN], ids=str)
def test_one_signer_follows_when_two_operators_rotate_at_once(scene: Scene, failpoint: Failpoint) -> None:
    scene.rotate(failpoint=failpoint, act=lambda: scene.rotate(actor=BERT))
    assert scene.duties().count(Duty.ACTIVE) == 1
    assert set(scene.duties()) == {Duty.RETIRED, Duty.ACTIVE}
    assert (scene.wrongs(), scene.alarms) == ([], {})


def test_one_key_is_kept_when_two_enlist_a_signer_at_once(scene: Scene) -> None:
    roster = scene.roster
    late = scene.rotation(
        Failpoint("registry", "commit", "before"),
        lambda: scene.rotation().enlist.next(roster, actor=BERT) and None,
    )
    with pytest.raises(Superseded):
        late.enlist.next(roster, actor=ANNA)
    assert set(scene.keys.kept()) == {SIGNER, scene.roster.with_duty(Duty.JOINING)}
    assert scene.acts() == [Act.SIGNER_ADDED]
