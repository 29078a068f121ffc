"""What an operator does to tenants: whole or not at all, and safe to repeat."""

import pytest

from chalicelib.domain.access_token import last_use
from chalicelib.domain.audit import Act, Outcome
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.errors import Refused, Superseded
from chalicelib.use_cases.administer_tenants import tenant_id_of
from tests.unit.office import ANNA, BERT, HOUR, Cut, Office
from tests.unit.world import START


def test_a_tenant_has_a_row_and_keys_when_it_is_added(office: Office) -> None:
    tenant, outcome = office.tenants.add("acme", plan="pro", actor=ANNA)
    assert outcome is Outcome.CHANGED
    assert tenant == Tenant(tenant_id=tenant_id_of("acme"), name="acme", plan="pro")
    assert office.registry.tenants() == [tenant]
    assert office.metering.plans == {tenant.tenant_id: "pro"}


def test_nothing_changes_when_a_tenant_is_added_again(office: Office) -> None:
    first = office.acme()
    assert office.tenants.add("acme", plan="pro", actor=BERT) == (first, Outcome.UNCHANGED)
    assert office.acts() == [Act.TENANT_ADDED]


def test_a_suspended_tenant_stays_so_when_it_is_added_again(office: Office) -> None:
    office.acme()
    suspended, _ = office.tenants.suspend("acme", actor=ANNA)
    assert office.tenants.add("acme", plan="pro", actor=BERT) == (suspended, Outcome.UNCHANGED)


def test_a_tenant_is_refused_when_it_has_another_plan(office: Office) -> None:
    office.acme()
    with pytest.raises(Refused, match="has the plan pro and keeps it"):
        office.tenants.add("acme", plan="free", actor=ANNA)
    assert office.metering.plans == {tenant_id_of("acme"): "pro"}


def test_a_tenant_is_refused_when_there_is_no_such_plan(office: Office) -> None:
    with pytest.raises(Refused, match="no plan 'gold': the plans are free, pro"):
        office.tenants.add("acme", plan="gold", actor=ANNA)
    assert (office.registry.tenants(), office.metering.plans, office.log()) == ([], {}, [])


@pytest.mark.parametrize("name", ["a", "acme", "Acme-2.eu_west", "7", "x" * 64])
def test_a_name_is_taken_when_it_needs_no_quoting(office: Office, name: str) -> None:
    assert office.tenants.add(name, plan="pro", actor=ANNA)[0].name == name


@pytest.mark.parametrize(
    "name",
    ["", "-acme", "--json", ".", "a b", "acme\n", "acme:pro", "äcme", "a\x1b[2J", "a\u202eb", "x" * 65],
)
def test_a_name_is_refused_when_it_would_act_where_it_is_shown(office: Office, name: str) -> None:
    for act in (
        lambda: office.tenants.add(name, plan="pro", actor=ANNA),
        lambda: office.tenants.suspend(name, actor=ANNA),
    ):
        with pytest.raises(Refused, match=r"^This is no name of a tenant: take 1 to 64 letters"):
            act()


def test_one_plan_wins_when_two_add_a_tenant_with_different_plans(office: Office) -> None:
    office.meanwhile = lambda: office.tenants.add("acme", plan="free", actor=BERT)
    with pytest.raises(Superseded):
        office.tenants.add("acme", plan="pro", actor=ANNA)
    assert office.metering.plans == {tenant_id_of("acme"): "free"}
    assert [event.actor for event in office.log()] == [BERT]


def test_the_keys_are_attached_by_the_next_run_when_one_was_cut_off_before(office: Office) -> None:
    attach, office.metering.attach = office.metering.attach, cut  # type: ignore[method-assign]
    with pytest.raises(Cut):
        office.acme()
    office.metering.attach = attach  # type: ignore[method-assign]
    assert office.tenants.add("acme", plan="pro", actor=ANNA)[1] is Outcome.UNCHANGED
    assert office.metering.plans == {tenant_id_of("acme"): "pro"}
    assert office.acts() == [Act.TENANT_ADDED]


def cut(*_: object, **__: object) -> None:
    raise Cut


def test_a_suspended_tenant_is_on_the_list_of_revocations_until_it_is_resumed(office: Office) -> None:
    tenant = office.acme()
    suspended, outcome = office.tenants.suspend("acme", actor=ANNA)
    assert (outcome, suspended.suspended_at) == (Outcome.CHANGED, START)
    assert office.revocations.in_force(now=last_use(revoked_at=START)) == {tenant.tenant_id}
    assert office.tenants.resume("acme", actor=BERT) == (tenant, Outcome.CHANGED)
    assert office.revocations.in_force(now=START) == frozenset()


def test_nothing_changes_when_a_tenant_is_suspended_or_resumed_again(office: Office) -> None:
    tenant = office.acme()
    assert office.tenants.resume("acme", actor=ANNA) == (tenant, Outcome.UNCHANGED)
    suspended, _ = office.tenants.suspend("acme", actor=ANNA)
    office.clock.advance(HOUR)
    assert office.tenants.suspend("acme", actor=BERT) == (suspended, Outcome.UNCHANGED)
    assert office.acts() == [Act.TENANT_ADDED, Act.TENANT_SUSPENDED]


def test_a_suspension_holds_when_a_resumption_had_read_the_tenant_before(office: Office) -> None:
    office.acme()
    office.tenants.suspend("acme", actor=ANNA)

    def resumed_and_suspended() -> None:
        office.tenants.resume("acme", actor=BERT)
        office.clock.advance(HOUR)
        office.tenants.suspend("acme", actor=BERT)

    office.meanwhile = resumed_and_suspended
    with pytest.raises(Superseded):
        office.tenants.resume("acme", actor=ANNA)
    assert office.tenants.named("acme").is_suspended
    assert office.revocations.in_force(now=office.clock.now()) == {tenant_id_of("acme")}


@pytest.mark.parametrize("act", ["suspend", "resume", "named"])
def test_an_act_is_refused_when_there_is_no_such_tenant(office: Office, act: str) -> None:
    with pytest.raises(Refused, match="There is no tenant acme: `tenant list` shows"):
        getattr(office.tenants, act)("acme", **({} if act == "named" else {"actor": ANNA}))
    assert office.log() == []
