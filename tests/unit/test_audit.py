"""Every act is recorded once, with what it changed, and nothing else is; no secret is in it."""

from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import timedelta

import pytest

from chalicelib.adapters.memory_access import (
    MemoryClients,
    MemoryTenants,
)
from chalicelib.domain.access_token import SCOPES
from chalicelib.domain.audit import Act
from chalicelib.domain.client import Client
from chalicelib.domain.client_secret import digest
from chalicelib.domain.errors import Unavailable
from chalicelib.ports import Deed, Registry
from chalicelib.use_cases.administer_clients import AdministerClients, Shown, Wanted
from chalicelib.use_cases.administer_tenants import AdministerTenants, tenant_id_of
from chalicelib.use_cases.client_keys import read_public_keys
from tests.unit.office import ANNA, BERT, HOUR, Office
from tests.unit.public_keys import EC, jwk
from tests.unit.world import START


def everything(office: Office) -> tuple[list[str], Shown]:
    """Every act, an hour apart; the secrets that came of them, and a client with a key."""
    made = [office.client()]
    client_id = made[0].client.client_id
    office.clock.advance(HOUR)
    made.append(office.clients.rotate(client_id, actor=BERT, overlap=HOUR))
    office.clock.advance(HOUR)
    made.append(office.clients.replace_lost(client_id, actor=BERT))
    office.clock.advance(HOUR)
    office.clients.revoke(client_id, actor=BERT)
    keyed = office.clients.add(
        office.tenants.named("acme"),
        Wanted(public_keys=read_public_keys(jwk(EC)), scopes=("usage:read",), is_dpop_bound=True),
        actor=BERT,
    )
    office.tenants.suspend("acme", actor=ANNA)
    office.tenants.resume("acme", actor=ANNA)
    return [each.secret or "" for each in made], keyed


def test_each_act_is_recorded_exactly_once_with_who_when_what_and_whom(office: Office) -> None:
    _, keyed = everything(office)
    tenant_id, keyed_id = tenant_id_of("acme"), keyed.client.client_id
    client_id = next(iter(office.client_rows.rows))
    named, owned = {"name": "acme", "plan": "pro"}, {"tenant_id": tenant_id}
    granted = {"scopes": " ".join(SCOPES), "proves_itself_by": "secret", "dpop_bound": "no"}
    bound = {"scopes": "usage:read", "proves_itself_by": EC.thumbprint(), "dpop_bound": "yes"}
    ends = {"older_secret_until": f"{START + 2 * HOUR:%Y-%m-%dT%H:%M:%SZ}"}
    recorded = {(e.at, e.actor, e.act, e.subject, tuple(sorted(e.facts.items()))) for e in office.log()}
    assert len(office.log()) == len({event.event_id for event in office.log()}) == 8
    assert recorded == {
        (START + after * HOUR, actor, act, subject, tuple(sorted(facts.items())))
        for after, actor, act, subject, facts in (
            (0, ANNA, Act.TENANT_ADDED, tenant_id, named),
            (0, ANNA, Act.CLIENT_ADDED, client_id, owned | granted),
            (1, BERT, Act.CLIENT_ROTATED, client_id, owned | ends),
            (2, BERT, Act.CLIENT_ROTATED, client_id, owned),
            (3, BERT, Act.CLIENT_REVOKED, client_id, owned),
            (3, BERT, Act.CLIENT_ADDED, keyed_id, owned | bound),
            (3, ANNA, Act.TENANT_SUSPENDED, tenant_id, named),
            (3, ANNA, Act.TENANT_RESUMED, tenant_id, named),
        )
    }


def test_no_event_and_no_row_holds_a_secret_when_everything_was_done(office: Office) -> None:
    secrets, _ = everything(office)
    events = repr([asdict(event) for event in office.log()])
    rows = repr(office.client_rows.rows)
    assert all(secret not in events + rows and digest(secret) not in events for secret in secrets)


def test_no_secret_is_shown_when_what_was_made_is_logged(office: Office) -> None:
    made = office.client()
    assert made.secret is not None
    assert made.secret not in repr(made)


def test_the_schedule_is_the_actor_when_it_rotates_the_keys(office: Office) -> None:
    first = office.keys.rotate(actor=ANNA).keys[0]
    office.clock.advance(timedelta(days=30))
    second = office.keys.on_schedule(actor="schedule").keys[-1]
    recorded = [(event.actor, event.act, event.subject) for event in office.log()]
    assert recorded == [(ANNA, Act.KEYS_ROTATED, first.kid), ("schedule", Act.KEYS_ROTATED, second.kid)]


def test_nothing_is_done_or_recorded_when_the_storage_is_away(office: Office) -> None:
    client_id = office.client().client.client_id
    rows = dict(office.tenant_rows.rows), dict(office.client_rows.rows)
    acts: tuple[Callable[[], object], ...] = (
        lambda: office.tenants.add("globex", plan="pro", actor=ANNA),
        lambda: office.tenants.suspend("acme", actor=ANNA),
        lambda: office.clients.rotate(client_id, actor=ANNA),
        lambda: office.clients.revoke(client_id, actor=ANNA),
    )
    for act in acts:
        office.meanwhile = unavailable
        with pytest.raises(Unavailable):
            act()
    assert (office.tenant_rows.rows, office.client_rows.rows) == rows
    assert office.acts() == [Act.TENANT_ADDED, Act.CLIENT_ADDED]
    assert office.metering.plans == {tenant_id_of("acme"): "pro"}


def unavailable() -> None:
    raise Unavailable("no answer")


def test_an_act_cannot_be_written_without_its_event() -> None:
    """The one way to write is `commit`, and what it takes has an event that cannot be left out."""
    written = {name for name in vars(Registry) if not name.startswith("_")}
    assert written - {"tenants", "clients_of", "events"} == {"commit"}
    assert Registry.commit.__annotations__ == {"deed": Deed, "return": None}
    with pytest.raises(TypeError, match="event"):
        Deed()  # type: ignore[call-arg]


@pytest.mark.parametrize("use_case", [AdministerTenants, AdministerClients])
def test_administration_writes_through_the_registry_alone(use_case: type) -> None:
    """Of what the use cases are given only these can write; `MeteringKeys` holds no right and no secret."""
    ports = {field.type.__name__ for field in fields(use_case) if isinstance(field.type, type)}
    assert ports - {"Tenants", "Clients", "Clock", "Ids"} <= {"Registry", "MeteringKeys"}
    assert {name for port in (MemoryTenants, MemoryClients) for name in dir(port) if name[0] != "_"} == {
        "get"
    }


def test_clients_and_tenants_are_what_the_log_says_when_it_is_read_from_the_start(office: Office) -> None:
    everything(office)
    added = {event.subject for event in office.log() if event.act in (Act.TENANT_ADDED, Act.CLIENT_ADDED)}
    assert added == {*office.tenant_rows.rows, *office.client_rows.rows}
    revoked = {event.subject for event in office.log() if event.act is Act.CLIENT_REVOKED}
    stored: list[Client] = list(office.client_rows.rows.values())
    assert revoked == {client.client_id for client in stored if client.revoked_at}
