"""Tenants, clients, the key ring and the audit log in DynamoDB."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from chalicelib.adapters.dynamodb import Item, Tables, TransactionRefused
from chalicelib.adapters.dynamodb_actions import put_if_absent, put_if_same
from chalicelib.adapters.dynamodb_items import sortable
from chalicelib.adapters.dynamodb_revocations import listed, unlisted
from chalicelib.adapters.signers import SIGNERS, roster_item
from chalicelib.domain.audit import AuditEvent
from chalicelib.domain.client import Client
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.errors import Superseded
from chalicelib.domain.key_ring import KeyRing
from chalicelib.ports import Deed

TENANTS = "tenants"
CLIENTS = "clients"
TOKEN_KEYS = "token_keys"
AUDIT_EVENTS = "audit_events"
TENANT_KEY, CLIENT_KEY, RING_KEY = "tenant_id", "client_id", "ring"
TENANTS_BY_NAME = "by_name"
CLIENTS_OF_TENANT = "of_tenant"
# One partition each: who administers does so by hand, some thousand times below what a partition takes.
ALL_TENANTS = "tenant"
TOKEN_RING = "access-tokens"
ADMINISTRATION = "administration"

_TENANT = TypeAdapter(Tenant)
_CLIENT = TypeAdapter(Client)
_RING = TypeAdapter(KeyRing)
_EVENT = TypeAdapter(AuditEvent)


class DynamoDbTenants:
    """The `Tenants` port."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, tenant_id: str) -> Tenant | None:
        """See `ports.Tenants.get`."""
        found = self._tables.get(TENANTS, {TENANT_KEY: tenant_id})
        return None if found is None else _TENANT.validate_python(found)


class DynamoDbClients:
    """The `Clients` port."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, client_id: str) -> Client | None:
        """See `ports.Clients.get`."""
        found = self._tables.get(CLIENTS, {CLIENT_KEY: client_id})
        return None if found is None else _CLIENT.validate_python(found)


class DynamoDbKeyRings:
    """The `KeyRings` port: one row, for a ring is read whole and is some 500 bytes a key."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self) -> KeyRing:
        """See `ports.KeyRings.get`."""
        found = self._tables.get(TOKEN_KEYS, {RING_KEY: TOKEN_RING})
        return KeyRing() if found is None else _RING.validate_python(found)


class DynamoDbRegistry:
    """The `Registry` port."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def commit(self, deed: Deed) -> None:
        """See `ports.Registry.commit`."""
        try:
            self._tables.transact([*_changes(deed), *_revocations(deed)])
        except TransactionRefused as refused:
            raise Superseded from refused

    def tenants(self) -> Sequence[Tenant]:
        """See `ports.Registry.tenants`."""
        found = self._tables.query(
            TENANTS,
            IndexName=TENANTS_BY_NAME,
            KeyConditionExpression="kind = :kind",
            values={":kind": ALL_TENANTS},
        )
        return [_TENANT.validate_python(item) for item in found]

    def clients_of(self, tenant_id: str) -> Sequence[Client]:
        """See `ports.Registry.clients_of`."""
        found = self._tables.query(
            CLIENTS,
            IndexName=CLIENTS_OF_TENANT,
            KeyConditionExpression="tenant_id = :tenant_id",
            values={":tenant_id": tenant_id},
        )
        return [_CLIENT.validate_python(item) for item in found]

    def events(self, *, limit: int) -> Sequence[AuditEvent]:
        """See `ports.Registry.events`."""
        found = self._tables.query(
            AUDIT_EVENTS,
            limit=limit,
            KeyConditionExpression="log = :log",
            values={":log": ADMINISTRATION},
            ScanIndexForward=False,
            ConsistentRead=True,
        )
        return [_EVENT.validate_python(item) for item in found]


def _changes(deed: Deed) -> Iterator[Mapping[str, Any]]:
    """Every attribute is compared, those without a value too: a stale reader cannot undo a revocation."""
    if deed.tenant:
        was, after = deed.tenant
        yield put_if_same(TENANTS, _tenant_item(was) if was else None, _tenant_item(after), key=TENANT_KEY)
    if deed.client:
        older, newer = deed.client
        yield put_if_same(
            CLIENTS, _client_item(older) if older else None, _client_item(newer), key=CLIENT_KEY
        )
    if deed.ring:
        ring, rotated = deed.ring
        yield put_if_same(
            TOKEN_KEYS, _ring_item(ring) if ring.keys else None, _ring_item(rotated), key=RING_KEY
        )
    if deed.roster:
        before, changed = deed.roster
        yield put_if_same(
            SIGNERS, roster_item(before) if before.signers else None, roster_item(changed), key="account"
        )
    yield put_if_absent(AUDIT_EVENTS, _event_item(deed.event), key="log")


def _revocations(deed: Deed) -> Iterator[Mapping[str, Any]]:
    for subject, until in deed.revoked.items():
        yield listed(subject, until=until)
    for subject, until in deed.restored.items():
        yield unlisted(subject, until=until)


def _tenant_item(tenant: Tenant) -> Item:
    return {**_TENANT.dump_python(tenant, mode="json"), "kind": ALL_TENANTS}


def _client_item(client: Client) -> Item:
    item: Item = _CLIENT.dump_python(client, mode="json")
    return item


def _ring_item(ring: KeyRing) -> Item:
    return {RING_KEY: TOKEN_RING, **_RING.dump_python(ring, mode="json")}


def _event_item(event: AuditEvent) -> Item:
    return {
        "log": ADMINISTRATION,
        "at_id": f"{sortable(event.at)}#{event.event_id}",
        **_EVENT.dump_python(event, mode="json"),
    }
