"""One suite for the `MeteringKeys` port, in memory and on the gateway's control plane."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from chalicelib.adapters.apigateway_keys import ApiGatewayMeteringKeys
from chalicelib.adapters.memory_access import MemoryMeteringKeys
from chalicelib.adapters.system import RandomIds
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.metering_key import Use, metering_key, usage_plan
from chalicelib.ports import MeteringKeys
from emulation.gateway.control_plane import ControlPlane
from tests.conformance.in_process import connect, connect_in_process
from tests.crash.failpoints import Failing, Failpoint

PLANS = ("free", "pro")
IDS = RandomIds()


class CutOff(Exception):
    """The run ended here."""


def cut_off() -> None:
    raise CutOff


@pytest.fixture
def gateway() -> Iterator[Any]:
    """A control plane with the usage plans of each plan and use, which are gone at the end."""
    client = connect_in_process(ControlPlane(), "apigateway")  # type: ignore[arg-type]
    made = [client.create_usage_plan(name=usage_plan(plan, use)) for plan in PLANS for use in Use]
    yield client
    for plan in made:
        client.delete_usage_plan(usagePlanId=plan["id"])


@pytest.fixture(params=["memory", "real"])
def metering_keys(request: pytest.FixtureRequest) -> MeteringKeys:
    if request.param == "memory":
        return MemoryMeteringKeys()
    return ApiGatewayMeteringKeys(request.getfixturevalue("gateway"))


@pytest.fixture
def tenant() -> str:
    return IDS.new_id("ten_")


def attached(gateway: Any, tenant_id: str) -> set[tuple[str, str]]:
    """The values of the tenant's keys, each with the usage plan that it is in."""
    return {
        (key["value"], plan["name"])
        for plan in gateway.get_usage_plans(limit=500)["items"]
        for key in gateway.get_usage_plan_keys(usagePlanId=plan["id"], nameQuery=tenant_id)["items"]
    }


def wanted(tenant_id: str, plan: str) -> set[tuple[str, str]]:
    return {(metering_key(tenant_id, use), usage_plan(plan, use)) for use in Use}


def keys_of(gateway: Any, tenant_id: str) -> list[str]:
    found = gateway.get_api_keys(nameQuery=tenant_id, includeValues=True)["items"]
    return sorted(key["value"] for key in found if key["enabled"])


def test_attaching_again_is_no_mistake(metering_keys: MeteringKeys, tenant: str) -> None:
    for _ in range(3):
        metering_keys.attach(tenant, plan="free")
    metering_keys.attach(IDS.new_id("ten_"), plan="pro")


def test_a_tenant_has_one_key_in_each_usage_plan_of_its_plan(gateway: Any, tenant: str) -> None:
    for _ in range(3):
        ApiGatewayMeteringKeys(gateway).attach(tenant, plan="free")
        assert attached(gateway, tenant) == wanted(tenant, "free")
        assert keys_of(gateway, tenant) == sorted(metering_key(tenant, use) for use in Use)


def test_each_tenant_has_its_own_when_one_id_begins_as_another(gateway: Any, tenant: str) -> None:
    for each in (f"{tenant}X", tenant):
        ApiGatewayMeteringKeys(gateway).attach(each, plan="pro")
    assert attached(gateway, tenant) == wanted(tenant, "pro") | wanted(f"{tenant}X", "pro")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("method", ["create_api_key", "create_usage_plan_key"])
@pytest.mark.parametrize("nth", [1, 2])
def test_the_keys_are_found_again_when_a_run_was_cut_off(
    gateway: Any, tenant: str, method: str, when: str, nth: int
) -> None:
    failing: Any = Failing(gateway, Failpoint("gateway", method, when, nth), cut_off)
    with pytest.raises(CutOff):
        ApiGatewayMeteringKeys(failing).attach(tenant, plan="free")
    ApiGatewayMeteringKeys(gateway).attach(tenant, plan="free")
    assert attached(gateway, tenant) == wanted(tenant, "free")
    assert keys_of(gateway, tenant) == sorted(metering_key(tenant, use) for use in Use)


def test_there_is_one_of_each_key_when_two_runs_meet(gateway: Any, tenant: str) -> None:
    def attach(_: int) -> None:
        with suppress(Unavailable):  # the gateway refuses a second key of one value: try again
            ApiGatewayMeteringKeys(gateway).attach(tenant, plan="free")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(attach, range(6)))
    ApiGatewayMeteringKeys(gateway).attach(tenant, plan="free")
    assert attached(gateway, tenant) == wanted(tenant, "free")
    assert len(keys_of(gateway, tenant)) == len(Use)


def test_the_keys_are_there_when_the_answer_that_made_one_is_lost(gateway: Any, tenant: str) -> None:
    """A second try finds the value taken, and the next run finds the key."""
    failing: Any = Failing(gateway, Failpoint("gateway", "create_api_key", "after"), answer_lost)
    with pytest.raises(Unavailable):
        ApiGatewayMeteringKeys(failing).attach(tenant, plan="free")
    ApiGatewayMeteringKeys(gateway).attach(tenant, plan="free")
    assert attached(gateway, tenant) == wanted(tenant, "free")


def answer_lost() -> None:
    raise Unavailable("no answer")


def test_it_is_unavailable_when_the_gateway_does_not_answer(tenant: str) -> None:
    with pytest.raises(Unavailable):
        ApiGatewayMeteringKeys(connect("apigateway", "http://127.0.0.1:1")).attach(tenant, plan="free")
