"""The ports of identity, in memory and on an endpoint; what to write to them, and answers that get lost."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.httpsession import URLLib3Session

from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.dynamodb_identity import (
    DynamoDbClients,
    DynamoDbKeyRings,
    DynamoDbRegistry,
    DynamoDbTenants,
)
from chalicelib.adapters.dynamodb_revocations import DynamoDbRevocations
from chalicelib.adapters.dynamodb_tallies import DynamoDbSingleUse, DynamoDbTallies
from chalicelib.adapters.memory_access import (
    MemoryClients,
    MemoryKeyRings,
    MemoryKeys,
    MemoryRegistry,
    MemorySingleUse,
    MemoryTallies,
    MemoryTenants,
)
from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.adapters.secrets import SecretsManagerKeys, SecretsManagerKeyStore
from chalicelib.adapters.system import RandomIds
from chalicelib.domain.audit import Act, AuditEvent
from chalicelib.domain.client import Client, ClientSecret
from chalicelib.domain.entitlements import Tenant
from chalicelib.ports import (
    Clients,
    KeyRings,
    Keys,
    KeyStore,
    Registry,
    Revocations,
    SingleUse,
    Tallies,
    Tenants,
)
from tests.conformance.racing import Call
from tests.unit.world import START

_IDS = RandomIds()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPorts:
    """All of one implementation, over one store."""

    tenants: Tenants
    clients: Clients
    rings: KeyRings
    registry: Registry
    revocations: Revocations
    tallies: Tallies
    single_use: SingleUse
    store: KeyStore
    keys: Keys


def in_memory() -> AccessPorts:
    tenants, clients, rings = MemoryTenants(), MemoryClients(), MemoryKeyRings()
    revocations, keys = MemoryRevocations(), MemoryKeys()
    return AccessPorts(
        tenants=tenants,
        clients=clients,
        rings=rings,
        registry=MemoryRegistry(tenants=tenants, clients=clients, rings=rings, revocations=revocations),
        revocations=revocations,
        tallies=MemoryTallies(),
        single_use=MemorySingleUse(),
        store=keys,
        keys=keys,
    )


def on(dynamodb: Any, secrets: Any) -> AccessPorts:
    """The real ports, by these clients."""
    tables = Tables(dynamodb, backoff=lambda _: None)
    return AccessPorts(
        tenants=DynamoDbTenants(tables),
        clients=DynamoDbClients(tables),
        rings=DynamoDbKeyRings(tables),
        registry=DynamoDbRegistry(tables),
        revocations=DynamoDbRevocations(tables),
        tallies=DynamoDbTallies(tables),
        single_use=DynamoDbSingleUse(tables),
        store=SecretsManagerKeyStore(secrets),
        keys=SecretsManagerKeys(secrets),
    )


def losing(client: Any, *, answers: int = 1) -> Any:
    """The client, with the answers to its first requests lost on the way: what they ask for is done."""
    session, lost = URLLib3Session(), []

    def lose(request: Any, **_: object) -> None:
        if len(lost) < answers:
            lost.append(session.send(request))
            raise ConnectionClosedError(endpoint_url=request.url)

    client.meta.events.register("before-send", lose)
    return client


class RawClient:
    """As much of boto3's DynamoDB client as `Tables` uses, on a racer's connection, which makes it quick."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __getattr__(self, name: str) -> Any:
        operation = name.title().replace("_", "")

        def send(**body: Any) -> Mapping[str, Any]:
            answer = self._call(f"dynamodb.{operation}", body)
            if "__type" in answer:
                raise ClientError({"Error": {"Code": answer["__type"].rpartition("#")[2]}}, operation)
            return answer

        return send


def event(at: datetime = START, **facts: str) -> AuditEvent:
    return AuditEvent(
        event_id=_IDS.new_id("aud_"), at=at, actor="me", act=Act.CLIENT_ADDED, subject="x", facts=facts
    )


def tenant_of(name: str) -> Tenant:
    return Tenant(tenant_id=_IDS.new_id("ten_"), name=name, plan="free")


def client_of(tenant_id: str = "ten_1") -> Client:
    secret = ClientSecret(sha256="00" * 32, created_at=START)
    return Client(
        client_id=_IDS.new_id("cli_"),
        tenant_id=tenant_id,
        scopes=("jobs:read", "jobs:write"),
        created_at=START,
        secrets=(secret, replace(secret, expires_at=START + timedelta(hours=1))),
        public_keys=({"kty": "EC", "x": "1"}, {"kty": "RSA"}),
    )
