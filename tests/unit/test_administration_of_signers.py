"""One signer makes way for the next, is shown while it does, and no job, key or fund is lost."""

import pytest

from chalicelib.adapters.memory_signers import MemorySigners
from chalicelib.domain.audit import Act
from chalicelib.domain.chain_transaction import SENDER_LEASE
from chalicelib.domain.errors import Refused
from chalicelib.domain.fees import CEILING_WEI, GWEI
from chalicelib.domain.roster import Duty, Roster
from chalicelib.domain.transaction_id import Account, ConfirmationPath
from chalicelib.use_cases.administer_signers import ListSigners
from chalicelib.use_cases.rotate_signers import FUNDS_WEI, Reason
from tests.crash.failpoints import Failing, Failpoint
from tests.unit.handover import Scene
from tests.unit.world import SIGNER, World


def test_a_signer_makes_way_for_the_next_and_no_job_is_lost(scene: Scene) -> None:
    scene.rotate()
    assert scene.duties() == [Duty.RETIRED, Duty.ACTIVE]
    assert scene.acts() == [Act.SIGNER_ADDED, Act.SIGNER_APPOINTED, Act.SIGNER_RETIRED]
    assert scene.appointments.balance(scene.roster.active or "") == FUNDS_WEI
    assert (scene.wrongs(), scene.alarms) == ([], {})
    assert f"open transactions of {SIGNER}: " in " ".join(scene.heard)


def test_the_next_rotation_follows_when_one_is_over(scene: Scene) -> None:
    scene.rotate()
    scene.rotate()
    assert scene.duties() == [Duty.RETIRED, Duty.RETIRED, Duty.ACTIVE]
    assert (scene.wrongs(), scene.alarms) == ([], {})


def test_a_first_signer_is_made_when_the_roster_is_empty(world: World) -> None:
    scene = Scene(world)
    scene.keys.drop(SIGNER)
    scene.keys.current = Roster()
    scene.rotate()
    assert scene.duties() == [Duty.ACTIVE]
    assert scene.confirmers() == set(scene.keys.kept())


# The sender, meanwhile


@pytest.mark.parametrize("reason", Reason)
def test_the_rest_of_the_funds_goes_back_when_the_signer_is_not_compromised(
    scene: Scene, reason: Reason
) -> None:
    had = scene.balance()
    scene.rotate(reason)
    assert (scene.balance() < had / 1000) is (reason is Reason.PLANNED)


def test_the_rotation_goes_on_when_its_receiver_takes_no_funds(scene: Scene) -> None:
    scene.settle()
    scene.world.clock.meanwhile = scene.world.chain.mine
    had = scene.balance()
    scene.world.chain.refuses_with = "it takes nothing"
    scene.rotate()
    assert (scene.duties(), scene.balance()) == ([Duty.RETIRED, Duty.ACTIVE], had)


def test_no_funds_are_lost_with_their_key_when_they_can_be_sent_only_later(scene: Scene) -> None:
    scene.settle()
    had = scene.balance()
    scene.world.chain.base_fee_wei = CEILING_WEI
    with pytest.raises(Refused, match="when blocks cost less"):
        scene.rotate()
    assert scene.duties() == [Duty.DRAINING, Duty.ACTIVE]
    scene.world.chain.base_fee_wei = GWEI
    scene.rotate()
    assert scene.duties() == [Duty.RETIRED, Duty.ACTIVE]
    assert scene.balance() < had / 1000
    assert scene.wrongs() == []


def test_a_sender_that_read_the_roster_before_signs_nothing_new_for_who_makes_way(scene: Scene) -> None:
    scene.submit(ConfirmationPath.DIRECT)
    ref, account = scene.refs[-1], Account(SIGNER, scene.world.genesis_hash)
    before = scene.world.transactions.peek(account).next_nonce
    world = scene.world
    world.transactions = Failing(  # type: ignore[assignment]
        world.transactions, Failpoint("transactions", "lease", "before"), lambda: switch(scene)
    )
    world.confirm_jobs([ref])
    assert world.transactions.peek(account).next_nonce == before
    assert (ref,) in world.queue.confirm


def switch(scene: Scene) -> None:
    """The roster has another active signer, at once."""
    address = scene.keys.make()
    scene.appointments.grant(address)
    scene.keys.current = scene.roster.joined(address).moved(address, Duty.ACTIVE)


def test_the_rotation_waits_when_a_sender_holds_the_lease(scene: Scene) -> None:
    scene.settle()
    world = scene.world
    world.clock.meanwhile = scene.settle_block
    now = world.clock.now()
    account = Account(SIGNER, world.genesis_hash)
    world.transactions.lease(account, now=now, until=now + SENDER_LEASE)
    scene.rotate()
    assert f"a sender works for {SIGNER}" in scene.heard
    assert world.clock.now() >= now + SENDER_LEASE


# Refusals, and what is shown


def test_the_operator_is_told_when_patience_ends_and_the_next_run_goes_on(scene: Scene) -> None:
    world = scene.world
    world.clock.meanwhile = lambda: None
    with pytest.raises(Refused, match=rf"^After 120 seconds: open transactions of {SIGNER}: "):
        scene.rotate()
    assert scene.duties() == [Duty.DRAINING, Duty.ACTIVE]
    world.clock.meanwhile = scene.pass_time
    scene.rotate()
    assert scene.duties() == [Duty.RETIRED, Duty.ACTIVE]
    assert (scene.wrongs(), scene.alarms) == ([], {})


@pytest.mark.parametrize("reason", Reason)
def test_the_next_run_goes_on_when_the_admins_key_is_elsewhere(scene: Scene, reason: Reason) -> None:
    scene.appointments.holds_key = False
    with pytest.raises(Refused, match="The admin's key is elsewhere; have it"):
        scene.rotate(reason)
    assert scene.roster.active == SIGNER
    scene.appointments.holds_key = True
    scene.rotate(reason)
    assert scene.duties() == [Duty.RETIRED, Duty.ACTIVE]
    assert scene.wrongs() == []


def test_a_signer_is_shown_with_what_it_has_and_owes(scene: Scene) -> None:
    scene.appointments.fund(SIGNER, 7)
    listed = ListSigners(
        signers=scene.keys,
        appointments=scene.appointments,
        transactions=scene.world.transactions,
        genesis_hash=scene.world.genesis_hash,
    )
    [shown] = listed()
    nonces = scene.world.transactions.peek(Account(SIGNER, scene.world.genesis_hash))
    assert (shown.address, shown.duty, shown.is_confirmer, shown.balance_wei) == (
        SIGNER,
        Duty.ACTIVE,
        True,
        7,
    )
    assert shown.next_nonce == nonces.next_nonce == shown.open_transactions > 0


def test_a_key_that_nobody_knows_is_dropped_when_the_next_is_made(scene: Scene) -> None:
    lost = scene.keys.make()
    scene.rotate()
    assert lost not in scene.keys.kept()
    assert scene.wrongs() == []


def test_memory_signers_have_a_roster_of_the_given_addresses() -> None:
    signers = MemorySigners({"0x1": b"1", "0x2": b"2"})
    assert (signers.roster().live, signers.roster().active) == (("0x1", "0x2"), "0x2")
