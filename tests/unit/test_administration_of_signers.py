"""One signer makes way for the next: whatever is cut off, or done twice, no job and no key is lost."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.adapters.memory_access import (
    MemoryClients,
    MemoryKeyRings,
    MemoryRegistry,
    MemoryTenants,
)
from chalicelib.adapters.memory_registry_admin import MemoryRegistryAdmin
from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.adapters.memory_signers import MemorySigners
from chalicelib.domain.audit import Act
from chalicelib.domain.chain_transaction import FINAL_DEPTH, SENDER_LEASE
from chalicelib.domain.confirmation import ZERO_HASH, job_key
from chalicelib.domain.errors import Refused, Superseded
from chalicelib.domain.fees import CEILING_WEI, GWEI
from chalicelib.domain.job import UNSEEN_AT_MOST, JobRef, Status
from chalicelib.domain.roster import Duty, Roster
from chalicelib.domain.transaction_id import Account, ConfirmationPath
from chalicelib.use_cases.administer_signers import EnlistSigner, ListSigners
from chalicelib.use_cases.return_funds import ReturnFunds
from chalicelib.use_cases.rotate_signers import FUNDS_WEI, Reason, Request, RotateSigners
from tests.crash.failpoints import Failing, Failpoint
from tests.unit.office import ANNA, BERT, Cut
from tests.unit.world import REGISTRY, SIGNER, World

PATIENCE_SECONDS = 120


def cut() -> None:
    raise Cut


class Scene:
    """A service with jobs of either path at every stage, which go on while an operator waits."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.keys: Any = world.signers
        self.registry = MemoryRegistry(
            tenants=MemoryTenants(),
            clients=MemoryClients(),
            rings=MemoryKeyRings(),
            revocations=MemoryRevocations(),
            signers=self.keys,
        )
        self.appointments = MemoryRegistryAdmin(world.chain)
        self.appointments.grant(SIGNER)
        self.heard: list[str] = []
        self.alarms: Counter[str] = Counter()
        self.refs: list[JobRef] = []
        world.plan = type(world.plan)(name="test", jobs_per_month=10_000, active_jobs=1_000)
        world.clock.meanwhile = self.pass_time
        self.submit(ConfirmationPath.DIRECT)
        self.pass_time()
        self.submit(ConfirmationPath.COMPACT)
        self.send()

    def submit(self, path: ConfirmationPath) -> None:
        ref = self.world.submit(f"k{len(self.refs)}", path=path).job_ref
        self.world.run_job(ref)
        self.refs.append(ref)

    def send(self) -> None:
        """The sender takes every message."""
        messages = self.world.queue.confirm[:]
        self.world.queue.confirm.clear()
        report = self.world.confirm_jobs([ref for message in messages for ref in message])
        self.alarms.update(report.alarms)

    def pass_time(self) -> None:
        """A block, a job of each path, and a look of the sender's."""
        self.world.chain.mine()
        if len(self.refs) < 20:
            for path in ConfirmationPath:
                self.submit(path)
        self.send()

    def settle_block(self) -> None:
        """A block and a look, and nothing new."""
        self.world.chain.mine()
        self.send()

    def settle(self) -> None:
        """Until there is no message; then the sweep looks once, for what was cut off before it sent one."""
        for _ in range(2):
            while self.world.queue.confirm:
                self.settle_block()
            self.world.clock.advance(UNSEEN_AT_MOST)
            self.world.sweep()

    def rotation(self, failpoint: Failpoint | None = None, act: Callable[[], None] = cut) -> RotateSigners:
        ports: dict[str, Any] = {
            "keys": self.keys,
            "registry": self.registry,
            "appointments": self.appointments,
            "transactions": self.world.transactions,
            "queue": self.world.queue,
            "chain": self.world.chain,
        }
        if failpoint:
            ports[failpoint.port] = Failing(ports[failpoint.port], failpoint, act)
        enlist = EnlistSigner(
            signers=self.keys,
            keys=ports["keys"],
            registry=ports.pop("registry"),
            clock=self.world.clock,
            ids=self.world.ids,
        )
        return_funds = ReturnFunds(
            signers=self.keys,
            chain=ports["chain"],
            transactions=ports["transactions"],
            appointments=self.appointments,
        )
        return RotateSigners(
            enlist=enlist,
            return_funds=return_funds,
            signers=self.keys,
            clock=self.world.clock,
            genesis_hash=self.world.genesis_hash,
            **ports,
        )

    def rotate(
        self,
        reason: Reason = Reason.PLANNED,
        *,
        actor: str = ANNA,
        failpoint: Failpoint | None = None,
        act: Callable[[], None] = cut,
    ) -> None:
        self.rotation(failpoint, act)(
            Request(reason=reason, actor=actor, patience_seconds=PATIENCE_SECONDS, tell=self.heard.append)
        )

    def balance(self) -> int:
        """What the first signer has."""
        return self.world.chain.survey(SIGNER, final_depth=FINAL_DEPTH).balance_wei

    @property
    def roster(self) -> Roster:
        return self.keys.roster()

    def duties(self) -> list[Duty]:
        return [each.duty for each in self.roster.signers]

    def acts(self) -> list[Act]:
        return [event.act for event in reversed(self.registry.events(limit=100))]

    def confirmers(self) -> set[str]:
        return {each.address for each in self.roster.signers if self.appointments.is_confirmer(each.address)}

    def wrongs(self) -> list[str]:
        """What does not hold once a rotation is over and the sender has done its work."""
        self.settle()
        jobs = [self.world.job(ref) for ref in self.refs]
        active = self.roster.active
        placed = Counter(job.placed for job in jobs if job.path is ConfirmationPath.COMPACT)
        records = [self._records(job) for job in jobs]
        return [
            *(f"{job.ref} is {job.status}" for job in jobs if job.status is not Status.SUCCEEDED),
            *(f"{job.ref} has {n} records" for job, n in zip(jobs, records, strict=True) if n != 1),
            *(["the old signer is not retired"] if self.duties()[0] is not Duty.RETIRED else []),
            *(["others may confirm"] if self.confirmers() != {active} else []),
            *(["other keys are kept"] if set(self.keys.kept()) != {active} else []),
            *(["there is no compact batch"] if not placed else []),
        ]

    def _records(self, job: Any) -> int:
        """A direct record, and the compact batches of all signers that took effect with the job in it."""
        key = job_key(31337, REGISTRY, job.ref.tenant_id, job.ref.job_id)
        direct = self.world.chain.recorded_hashes([key]) != [ZERO_HASH]
        compact = 0
        for each in self.roster.signers:
            for row in self.world.transactions.rows(Account(each.address, self.world.genesis_hash)):
                seen = self.world.chain.sightings([attempt.hash for attempt in row.attempts])
                is_mined = any(one.receipt and one.receipt.succeeded for one in seen)
                if row.path is ConfirmationPath.COMPACT and is_mined:
                    compact += sum(listed.ref == job.ref for listed in row.jobs)
        return direct + compact


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


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


# Cut off


def points(*named: tuple[str, str, int]) -> list[Failpoint]:
    return [Failpoint(port, method, when, nth) for port, method, nth in named for when in ("before", "after")]


STEPS = points(
    ("keys", "make", 1),
    ("registry", "commit", 1),
    ("appointments", "grant", 1),
    ("appointments", "fund", 1),
    ("registry", "commit", 2),
    ("transactions", "lease", 1),
    ("transactions", "release", 1),
    ("queue", "wake_confirmer", 1),
    ("appointments", "revoke", 1),
    ("registry", "commit", 3),
)
RETURN = points(("transactions", "record", 1), ("chain", "broadcast", 1))
DROP = Failpoint("keys", "drop", "before")


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


# Compromised


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
