"""One suite for the ports of tenants, clients and keys, in memory and on DynamoDB and Secrets Manager."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.adapters.system import RandomIds
from chalicelib.domain.client import Client
from chalicelib.domain.errors import Superseded
from chalicelib.domain.key_ring import KeyRing
from chalicelib.ports import Deed
from tests.conformance.access_ports import AccessPorts, client_of, event, tenant_of
from tests.unit.world import START

IDS = RandomIds()
SHORTLY = timedelta(microseconds=1)
UNTIL = START + timedelta(minutes=11)


def stored(ports: AccessPorts, client: Client) -> Client:
    ports.registry.commit(Deed(event=event(), client=(None, client)))
    return client


# Reading what was written


@pytest.mark.parametrize("suspended_at", [None, UNTIL + SHORTLY])
def test_every_field_of_a_tenant_reads_back(ports: AccessPorts, suspended_at: datetime | None) -> None:
    tenant = replace(tenant_of("é"), suspended_at=suspended_at)
    assert ports.tenants.get(tenant.tenant_id) is None
    ports.registry.commit(Deed(event=event(), tenant=(None, tenant)))
    assert ports.tenants.get(tenant.tenant_id) == tenant


@pytest.mark.parametrize("changed", [{}, {"revoked_at": UNTIL, "is_dpop_bound": True}, {"secrets": ()}])
def test_every_field_of_a_client_reads_back(ports: AccessPorts, changed: dict[str, Any]) -> None:
    client = replace(client_of(), **changed)
    assert ports.clients.get(client.client_id) is None
    stored(ports, client)
    assert ports.clients.get(client.client_id) == client


def test_every_field_of_a_ring_reads_back_and_there_is_none_before(ports: AccessPorts) -> None:
    ring = KeyRing()
    assert ports.rings.get() == ring
    for number, change in enumerate([KeyRing.rotated, KeyRing.rotated, KeyRing.replaced]):
        after = change(ring, f"k{number}", {"kty": "EC", "x": str(number)}, now=START + number * SHORTLY)
        ports.registry.commit(Deed(event=event(), ring=(ring, after)))
        assert ports.rings.get() == after
        ring = after
    assert ring.left == ("k0", "k1")


def test_tenants_are_listed_by_name(ports: AccessPorts) -> None:
    prefix = IDS.new_id("")
    wanted = [tenant_of(f"{prefix}{name}") for name in ("b", "é", "B", "a", "ab")]
    for tenant in wanted:
        ports.registry.commit(Deed(event=event(), tenant=(None, tenant)))
    listed = [each for each in ports.registry.tenants() if each.name.startswith(prefix)]
    assert listed == sorted(wanted, key=lambda tenant: tenant.name)


def test_a_tenants_clients_are_listed_and_no_others_the_oldest_first(ports: AccessPorts) -> None:
    mine, theirs = IDS.new_id("ten_"), IDS.new_id("ten_")
    clients = [
        replace(client_of(mine), client_id=IDS.new_id("cli_", at=START + number * timedelta(seconds=1)))
        for number in range(5)
    ]
    for client in (*reversed(clients), client_of(theirs)):
        stored(ports, client)
    assert ports.registry.clients_of(mine) == clients
    assert ports.registry.clients_of(IDS.new_id("ten_")) == []


def test_the_latest_events_are_listed_the_newest_first(ports: AccessPorts, today: datetime) -> None:
    events = [event(today + number * SHORTLY, n=str(number)) for number in range(7)]
    for each in (events[3], *events[:3], *events[4:]):
        ports.registry.commit(Deed(event=each))
    newest_first = list(reversed(events))
    assert ports.registry.events(limit=1) == newest_first[:1]
    assert ports.registry.events(limit=5) == newest_first[:5]
    assert list(ports.registry.events(limit=100))[:7] == newest_first


# Changes that are whole, or not at all

BY_ANOTHER: dict[str, Callable[[Client], Client]] = {
    "revoked": lambda client: replace(client, revoked_at=START),
    "given a secret": lambda client: replace(client, secrets=(*client.secrets, client.secrets[0])),
    "relieved of a secret": lambda client: replace(client, secrets=client.secrets[:1]),
    "given an end of its secret": lambda client: replace(client, secrets=(client.secrets[1],) * 2),
    "bound": lambda client: replace(client, is_dpop_bound=True),
    "given other keys": lambda client: replace(client, public_keys=()),
    "given fewer scopes": lambda client: replace(client, scopes=client.scopes[:1]),
}


@pytest.mark.parametrize("meanwhile", BY_ANOTHER.values(), ids=BY_ANOTHER)
def test_nothing_is_written_when_the_client_was_changed_since_it_was_read(
    ports: AccessPorts, today: datetime, meanwhile: Callable[[Client], Client]
) -> None:
    read = stored(ports, client_of())
    theirs = meanwhile(read)
    ports.registry.commit(Deed(event=event(today), client=(read, theirs)))
    rotated = read.rotated("new", now=START, overlap=timedelta(hours=1))
    stale = Deed(
        event=event(today + SHORTLY), client=(read, rotated), revoked={read.client_id: today + SHORTLY}
    )
    for deed in (stale, replace(stale, client=(None, rotated))):
        with pytest.raises(Superseded):
            ports.registry.commit(deed)
    assert ports.clients.get(read.client_id) == theirs
    assert ports.registry.events(limit=1)[0].at == today
    assert read.client_id not in ports.revocations.in_force(now=today)


@pytest.mark.parametrize("was", [None, START], ids=["suspended meanwhile", "resumed meanwhile"])
def test_nothing_is_written_when_the_tenant_was_changed_since_it_was_read(
    ports: AccessPorts, was: datetime | None
) -> None:
    read = replace(tenant_of("t"), suspended_at=was)
    theirs = replace(read, suspended_at=None if was else START)
    ports.registry.commit(Deed(event=event(), tenant=(None, read)))
    ports.registry.commit(Deed(event=event(), tenant=(read, theirs)))
    for before in (read, None):
        with pytest.raises(Superseded):
            ports.registry.commit(Deed(event=event(), tenant=(before, replace(read, plan="pro"))))
    assert ports.tenants.get(read.tenant_id) == theirs


def test_one_of_two_rotations_is_written_when_both_have_read_the_same_ring(ports: AccessPorts) -> None:
    ring = KeyRing()
    for number in range(3):
        mine, theirs = (ring.rotated(f"{who}{number}", {}, now=START) for who in ("mine", "theirs"))
        ports.registry.commit(Deed(event=event(), ring=(ring, mine)))
        with pytest.raises(Superseded):
            ports.registry.commit(Deed(event=event(), ring=(ring, theirs)))
        assert ports.rings.get() == mine
        ring = mine


def test_no_row_is_written_when_one_of_the_deeds_rows_is_not_as_it_was_read(ports: AccessPorts) -> None:
    tenant, client = tenant_of("t"), stored(ports, client_of())
    mixed = Deed(
        event=event(),
        tenant=(None, tenant),
        client=(replace(client, scopes=()), client),
        ring=(KeyRing(), KeyRing().rotated("k", {}, now=START)),
        revoked={tenant.tenant_id: UNTIL},
    )
    with pytest.raises(Superseded):
        ports.registry.commit(mixed)
    assert (ports.tenants.get(tenant.tenant_id), ports.rings.get()) == (None, KeyRing())
    assert tenant.tenant_id not in ports.revocations.in_force(now=START)
    ports.registry.commit(replace(mixed, client=(client, replace(client, scopes=()))))
    assert (ports.tenants.get(tenant.tenant_id), len(ports.rings.get().keys)) == (tenant, 1)
    assert tenant.tenant_id in ports.revocations.in_force(now=START)


def test_a_subject_is_restored_and_no_other_revocation_of_it(ports: AccessPorts) -> None:
    tenant_id, other = IDS.new_id("ten_"), IDS.new_id("ten_")
    ports.registry.commit(Deed(event=event(), revoked={tenant_id: UNTIL, other: UNTIL}))
    ports.revocations.revoke(tenant_id, until=UNTIL - SHORTLY)
    ports.registry.commit(Deed(event=event(), restored={tenant_id: UNTIL}))
    assert {tenant_id, other} <= ports.revocations.in_force(now=UNTIL - SHORTLY)
    assert ports.revocations.in_force(now=UNTIL) & {tenant_id, other} == {other}
    ports.registry.commit(Deed(event=event(), restored={tenant_id: UNTIL - SHORTLY, other: UNTIL}))
    assert not ports.revocations.in_force(now=START) & {tenant_id, other}
