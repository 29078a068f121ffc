"""Private keys at the ports of identity; what holds when an answer is lost, or nobody answers."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from chalicelib.adapters.system import RandomIds
from chalicelib.domain.errors import Superseded, Unavailable
from chalicelib.domain.tallies import Counted
from chalicelib.ports import Deed
from tests.conformance.access_ports import AccessPorts, event, losing, on, tenant_of
from tests.conformance.in_process import connect
from tests.conformance.real_ports import client
from tests.unit.world import START

IDS = RandomIds()
UNTIL = START + timedelta(minutes=11)
SOMEBODY = (Counted("somebody", 1),)
NOWHERE = "http://127.0.0.1:1"


def test_a_private_key_is_there_until_it_is_dropped(ports: AccessPorts) -> None:
    kid = IDS.new_id("k-")
    for private in ("first", "first"):
        ports.store.put(kid, private)
    ports.store.put(kid, "another")
    assert ports.keys.token_key(kid) == "first"
    for _ in range(2):
        ports.store.drop(kid)


def test_a_key_that_is_not_there_is_unavailable_and_comes_back_when_it_is_put(ports: AccessPorts) -> None:
    kid = IDS.new_id("k-")
    ports.store.drop(kid)
    ports.store.put(kid, "old")
    ports.store.drop(kid)
    with pytest.raises(Unavailable):
        ports.keys.token_key(kid)
    ports.store.put(kid, "new")
    assert ports.keys.token_key(kid) == "new"


# Answers that are lost, and services that are down


def unlucky(endpoint: str) -> AccessPorts:
    """Ports that lose their first answer of each service, and ask again as the product's do."""
    return on(*(losing(client(service, endpoint=endpoint)) for service in ("dynamodb", "secretsmanager")))


def lucky(endpoint: str) -> AccessPorts:
    return on(connect("dynamodb", endpoint), connect("secretsmanager", endpoint))


def test_a_deed_is_done_once_when_its_answer_is_lost(access_endpoint: str, today: datetime) -> None:
    ports, tenant = unlucky(access_endpoint), tenant_of("t")
    ports.registry.commit(Deed(event=event(today), tenant=(None, tenant)))
    assert ports.tenants.get(tenant.tenant_id) == tenant
    assert [each.at for each in ports.registry.events(limit=2)].count(today) == 1


def test_a_deed_may_be_done_when_all_its_answers_are_lost(access_endpoint: str) -> None:
    tenant = tenant_of("t")
    dynamodb = losing(connect("dynamodb", access_endpoint))  # which never asks again
    ports = on(dynamodb, connect("secretsmanager", access_endpoint))
    deed = Deed(event=event(), tenant=(None, tenant))
    with pytest.raises(Unavailable):
        ports.registry.commit(deed)
    with pytest.raises(Superseded):
        ports.registry.commit(deed)
    assert ports.tenants.get(tenant.tenant_id) == tenant


def test_a_key_is_kept_and_dropped_when_the_answers_are_lost(access_endpoint: str) -> None:
    kid = IDS.new_id("k-")
    unlucky(access_endpoint).store.put(kid, "private")
    assert lucky(access_endpoint).keys.token_key(kid) == "private"
    unlucky(access_endpoint).store.drop(kid)
    with pytest.raises(Unavailable):
        lucky(access_endpoint).keys.token_key(kid)


def test_a_subject_is_revoked_when_the_answer_is_lost(access_endpoint: str) -> None:
    token_id = IDS.new_id("tok_")
    unlucky(access_endpoint).revocations.revoke(token_id, until=UNTIL)
    assert token_id in lucky(access_endpoint).revocations.in_force(now=START)


CALLS: dict[str, Callable[[AccessPorts], object]] = {
    "tenants.get": lambda ports: ports.tenants.get("ten_1"),
    "clients.get": lambda ports: ports.clients.get("cli_1"),
    "rings.get": lambda ports: ports.rings.get(),
    "registry.commit": lambda ports: ports.registry.commit(Deed(event=event())),
    "registry.tenants": lambda ports: ports.registry.tenants(),
    "registry.clients_of": lambda ports: ports.registry.clients_of("ten_1"),
    "registry.events": lambda ports: ports.registry.events(limit=1),
    "revocations.revoke": lambda ports: ports.revocations.revoke("tok_1", until=UNTIL),
    "revocations.in_force": lambda ports: ports.revocations.in_force(now=START),
    "tallies.add": lambda ports: ports.tallies.add(SOMEBODY, now=START),
    "tallies.spent": lambda ports: ports.tallies.spent(SOMEBODY, now=START),
    "single_use.claim": lambda ports: ports.single_use.claim("id", until=UNTIL, now=START),
    "keys.token_key": lambda ports: ports.keys.token_key("kid"),
    "store.put": lambda ports: ports.store.put("kid", "private"),
    "store.drop": lambda ports: ports.store.drop("kid"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_port_is_unavailable_when_its_service_does_not_answer(
    call: Callable[[AccessPorts], object],
) -> None:
    with pytest.raises(Unavailable):
        call(lucky(NOWHERE))
