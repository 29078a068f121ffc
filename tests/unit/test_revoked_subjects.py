"""A client or a tenant that is stopped: its tokens are of no use within five seconds, and nobody else's."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.adapters.memory_access import MemoryMeteringKeys, MemoryTenants
from chalicelib.domain.access_token import LAST_SIGNED_AFTER, AccessToken
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.errors import TenantSuspended
from chalicelib.domain.job import Status
from chalicelib.domain.key_ring import SKEW, TOKEN_LIFETIME
from chalicelib.use_cases.administer_clients import AdministerClients
from chalicelib.use_cases.administer_tenants import AdministerTenants, tenant_id_of
from tests.crash.failpoints import Failing, Failpoint
from tests.unit.access import GLOBEXS, Access, basic, client
from tests.unit.world import START, World

WITHIN = timedelta(seconds=5)
SHORTLY = timedelta(microseconds=1)
NAME = "hooli"
TENANT = tenant_id_of(NAME)
MINE, ALSO_MINE = (f"cli_{n:026d}" for n in (7, 8))
GRANT = {"grant_type": "client_credentials"}


class Office(Access):
    """A tenant with two clients, another tenant, and an operator."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tenants.rows[TENANT] = Tenant(tenant_id=TENANT, name=NAME, plan="test")
        self.clients.rows |= {each: client(each, TENANT) for each in (MINE, ALSO_MINE)}

    def suspend(self) -> None:
        self._administer_tenants.suspend(NAME, actor="me")

    def resume(self) -> None:
        self._administer_tenants.resume(NAME, actor="me")

    def revoke_client(self) -> None:
        AdministerClients(
            clients=self.clients, registry=self.registry, clock=self.clock, ids=self.ids
        ).revoke(MINE, actor="me")

    @property
    def _administer_tenants(self) -> AdministerTenants:
        return AdministerTenants(
            tenants=self.tenants,
            registry=self.registry,
            metering_keys=MemoryMeteringKeys(),
            plans=("test",),
            clock=self.clock,
            ids=self.ids,
        )

    def decisions(self, *tokens: str) -> list[str]:
        """Of a warm function and a cold one."""
        return [self.decision(token, verify) for verify in (self.warm, self.cold()) for token in tokens]


@pytest.fixture
def office() -> Office:
    return Office()


Stop = Callable[[Office], None]
STOPS = pytest.mark.parametrize("stop", [Office.revoke_client, Office.suspend])


@STOPS
def test_no_token_is_taken_when_its_client_or_tenant_was_stopped_five_seconds_ago(
    office: Office, stop: Stop
) -> None:
    tokens = [office.token(MINE) for _ in range(2)]
    assert office.decisions(*tokens) == ["Allow"] * 4
    stop(office)
    assert office.ask(GRANT, basic(MINE)).status in {400, 401}
    for _ in range(int((TOKEN_LIFETIME + 2 * SKEW) / WITHIN)):
        office.clock.advance(WITHIN)
        assert office.decisions(*tokens) == ["Deny"] * 4


def test_the_other_clients_go_on_when_one_is_revoked(office: Office) -> None:
    others = [office.token(each) for each in (ALSO_MINE, GLOBEXS)]
    office.revoke_client()
    office.clock.advance(WITHIN)
    assert office.decisions(*others, office.token(ALSO_MINE)) == ["Allow"] * 6


def test_all_clients_of_the_tenant_are_stopped_and_no_others_when_it_is_suspended(office: Office) -> None:
    mine, theirs = [office.token(each) for each in (MINE, ALSO_MINE)], office.token(GLOBEXS)
    office.suspend()
    office.clock.advance(WITHIN)
    assert (office.decisions(*mine), office.decisions(theirs)) == (["Deny"] * 4, ["Allow"] * 2)
    answers = [office.ask(GRANT, basic(each)) for each in (MINE, ALSO_MINE, GLOBEXS)]
    assert [answer.status for answer in answers] == [400, 400, 200]
    assert b'"unauthorized_client"' in answers[0].body


@pytest.mark.parametrize("times", [1, 2])
def test_the_tenant_works_again_within_five_seconds_when_it_is_resumed(office: Office, times: int) -> None:
    token = office.token(MINE)
    for _ in range(times):
        office.suspend()
        office.clock.advance(WITHIN)
        assert office.decisions(token) == ["Deny"] * 2
        office.resume()
        assert office.ask(GRANT, basic(MINE)).status == 200
        office.clock.advance(WITHIN)
        assert office.decisions(token, office.token(MINE)) == ["Allow"] * 4
    assert office.revocations.in_force(now=START) == frozenset()


def test_a_revoked_client_stays_so_when_its_tenant_is_suspended_and_resumed(office: Office) -> None:
    token = office.token(MINE)
    office.revoke_client()
    office.suspend()
    office.resume()
    office.clock.advance(WITHIN)
    assert office.decisions(token) == ["Deny"] * 2
    assert office.ask(GRANT, basic(MINE)).status == 401


@pytest.mark.parametrize(
    ("stop", "port"),
    [(Office.revoke_client, "clients"), (Office.revoke_client, "tenants"), (Office.suspend, "tenants")],
)
def test_a_token_is_refused_when_who_signs_it_had_read_just_before_the_stop(
    office: Office, stop: Stop, port: str
) -> None:
    stop_after_reading(office, stop, port)
    token = office.token(MINE)
    for _ in range(int((TOKEN_LIFETIME + 2 * SKEW) / WITHIN)):
        assert office.decisions(token) == ["Deny"] * 2
        office.clock.advance(WITHIN)


def test_no_token_is_signed_when_the_tenant_is_suspended_before_it_is_read(office: Office) -> None:
    stop_after_reading(office, Office.suspend, "clients")
    assert office.ask(GRANT, basic(MINE)).status == 400


def stop_after_reading(office: Office, stop: Stop, port: str) -> None:
    """The stop happens right after the next reading of the port, and then the reader hangs."""
    reads: Any = getattr(office, port)

    def stop_and_hang() -> None:
        setattr(office, port, reads)
        stop(office)
        office.clock.advance(LAST_SIGNED_AFTER)

    setattr(office, port, Failing(reads, Failpoint(port, "get", "after"), stop_and_hang))


@STOPS
def test_the_last_token_is_refused_to_its_end_when_its_issuers_clock_is_ahead(
    office: Office, stop: Stop
) -> None:
    stop(office)
    now = office.clock.now() + LAST_SIGNED_AFTER + SKEW
    token = office.tokens.sign(
        AccessToken(
            token_id="tok_last",
            tenant_id=TENANT,
            client_id=MINE,
            scopes=("jobs:read",),
            issued_at=now,
            expires_at=now + TOKEN_LIFETIME,
        )
    )
    office.clock.advance(LAST_SIGNED_AFTER + SKEW + TOKEN_LIFETIME + SKEW - SHORTLY)
    assert office.tokens.verify(token).token.token_id == "tok_last"
    assert office.decisions(token) == ["Deny"] * 2


def test_the_jobs_of_a_suspended_tenant_go_on_to_their_confirmation(world: World) -> None:
    queued, running = world.submit("k1").job_ref, world.confirming("k2")
    [mine, other] = world.tenants.rows.values()
    suspended = MemoryTenants(replace(mine, suspended_at=START), other)
    with pytest.raises(TenantSuspended):
        world.submit("k3", tenants=suspended)
    world.run_job(queued)
    world.confirm_jobs([queued, running])
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    assert {world.job(ref).status for ref in (queued, running)} == {Status.SUCCEEDED}
