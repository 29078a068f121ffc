"""One suite for what the `MeteringKeys` port tells of submits, in memory and on the gateway's usage."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

import pytest

from chalicelib.adapters.apigateway_keys import ApiGatewayMeteringKeys
from chalicelib.adapters.memory_access import MemoryMeteringKeys
from chalicelib.adapters.system import RandomIds
from chalicelib.domain.metering_key import Use, metering_key, usage_plan
from chalicelib.domain.usage import DayRange
from chalicelib.ports import MeteringKeys
from emulation.clock import ManualClock
from emulation.gateway.authorizer import Authorizers
from emulation.gateway.control_plane import ControlPlane
from emulation.gateway.live_operations import LiveOperations
from emulation.gateway.quota import Period, Quota
from emulation.gateway.usage import Ledger
from emulation.gateway.view_compiler import ACCOUNT_LIMIT
from emulation.http import Request, Response
from tests.conformance.in_process import connect_in_process

PLANS = ("free", "pro")
IDS = RandomIds()
# Over the end of a month, and of what the gateway counts by.
DAYS = DayRange(date(2026, 11, 29), date(2026, 12, 2))
LIMIT = 1_000
QUOTA = {"limit": LIMIT, "period": "DAY"}


class Gateway(Protocol):
    """Keys, and traffic by them."""

    keys: MeteringKeys

    def request(self, tenant_id: str, *, plan: str, use: Use, day: date) -> None:
        """One is counted."""


class InMemory:
    """The twin, whose counts are a test's to make."""

    def __init__(self) -> None:
        self.keys = MemoryMeteringKeys()

    def request(self, tenant_id: str, *, plan: str, use: Use, day: date) -> None:
        """See `Gateway.request`."""
        self.keys.counted[tenant_id, day] += use is Use.SUBMIT


@dataclass
class Live:
    """A control plane, and the usage of a data plane."""

    control: ControlPlane
    operations: LiveOperations

    def handle(self, request: Request) -> Response:
        return self.operations.answer(request) or self.control.handle(request)


class Real:
    """The gateway's own ledger counts."""

    def __init__(self) -> None:
        control, self._ledger = ControlPlane(), Ledger()
        operations = LiveOperations(
            clock=ManualClock(datetime(2026, 12, 2, 12, tzinfo=UTC).timestamp()),
            view=control.view,
            ledger=self._ledger,
            authorizers=Authorizers(),
            account=ACCOUNT_LIMIT,
        )
        self._client = connect_in_process(Live(control, operations), "apigateway")  # type: ignore[arg-type]
        self._plans = {
            name: self._client.create_usage_plan(name=name, quota=QUOTA)["id"]
            for name in (usage_plan(plan, use) for plan in PLANS for use in Use)
        }
        self.keys = ApiGatewayMeteringKeys(self._client)

    def request(self, tenant_id: str, *, plan: str, use: Use, day: date) -> None:
        """See `Gateway.request`."""
        [key] = self._client.get_api_keys(nameQuery=metering_key(tenant_id, use))["items"]
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
        counters, plan_id = self._ledger.counters, self._plans[usage_plan(plan, use)]
        counters.count(counters.counting(plan_id, key["id"], Quota(LIMIT, Period.DAY), noon))

    def grant(self, tenant_id: str, *, plan: str) -> None:
        """An operator lets the tenant submit more today."""
        [key] = self._client.get_api_keys(nameQuery=metering_key(tenant_id, Use.SUBMIT))["items"]
        change = {"op": "replace", "path": "/remaining", "value": str(2 * LIMIT)}
        self._client.update_usage(
            usagePlanId=self._plans[usage_plan(plan, Use.SUBMIT)], keyId=key["id"], patchOperations=[change]
        )

    def close(self) -> None:
        for plan_id in self._plans.values():
            self._client.delete_usage_plan(usagePlanId=plan_id)


@pytest.fixture
def real() -> Iterator[Real]:
    made = Real()
    yield made
    made.close()


@pytest.fixture(params=["memory", "real"])
def gateway(request: pytest.FixtureRequest) -> Any:
    return InMemory() if request.param == "memory" else request.getfixturevalue("real")


@pytest.fixture
def tenant() -> str:
    return IDS.new_id("ten_")


def test_submits_are_told_day_by_day_when_other_requests_come_too(gateway: Gateway, tenant: str) -> None:
    other = IDS.new_id("ten_")
    for each in (tenant, other):
        gateway.keys.attach(each, plan="pro")
    for day, count in zip(DAYS.days, (2, 0, 3, 1), strict=True):
        for _ in range(count):
            gateway.request(tenant, plan="pro", use=Use.SUBMIT, day=day)
        gateway.request(tenant, plan="pro", use=Use.READ, day=day)
        gateway.request(other, plan="pro", use=Use.SUBMIT, day=day)
    assert gateway.keys.submits(tenant, plan="pro", days=DAYS) == [2, 0, 3, 1]
    assert gateway.keys.submits(tenant, plan="pro", days=DayRange(DAYS.first, DAYS.first)) == [2]
    before = DayRange(DAYS.first - timedelta(days=2), DAYS.first - timedelta(days=1))
    assert gateway.keys.submits(tenant, plan="pro", days=before) == [0, 0]


def test_none_are_told_when_a_tenant_has_made_none_or_has_no_key(gateway: Gateway, tenant: str) -> None:
    assert gateway.keys.submits(tenant, plan="pro", days=DAYS) == [0] * 4
    gateway.keys.attach(tenant, plan="pro")
    assert gateway.keys.submits(tenant, plan="pro", days=DAYS) == [0] * 4


def test_as_many_are_told_when_an_operator_has_granted_more(real: Real, tenant: str) -> None:
    real.keys.attach(tenant, plan="free")
    real.request(tenant, plan="free", use=Use.SUBMIT, day=DAYS.last)
    real.grant(tenant, plan="free")
    assert real.keys.submits(tenant, plan="free", days=DAYS) == [0, 0, 0, 1]
