"""Tenants and their clients in DynamoDB."""

from chalicelib.adapters.dynamodb import Tables
from chalicelib.domain.entitlements import Tenant
from chalicelib.ports import Client

TENANTS = "tenants"
CLIENTS = "clients"


class DynamoDbTenants:
    """The `Tenants` port."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, tenant_id: str) -> Tenant | None:
        """See `ports.Tenants.get`."""
        found = self._tables.get(TENANTS, {"tenant_id": tenant_id})
        if found is None:
            return None
        return Tenant(
            tenant_id=tenant_id, name=found["name"], plan=found["plan"], suspended=found["suspended"]
        )

    def put(self, tenant: Tenant) -> None:
        """Writes the tenant, whatever was there."""
        self._tables.put(
            TENANTS,
            {
                "tenant_id": tenant.tenant_id,
                "name": tenant.name,
                "plan": tenant.plan,
                "suspended": tenant.suspended,
            },
        )


class DynamoDbClients:
    """The `Clients` port."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, client_id: str) -> Client | None:
        """See `ports.Clients.get`."""
        found = self._tables.get(CLIENTS, {"client_id": client_id})
        if found is None:
            return None
        return Client(
            client_id=client_id,
            tenant_id=found["tenant_id"],
            secret_sha256=found["secret_sha256"],
            scopes=tuple(found["scopes"]),
        )

    def put(self, client: Client) -> None:
        """Writes the client, whatever was there."""
        self._tables.put(
            CLIENTS,
            {
                "client_id": client.client_id,
                "tenant_id": client.tenant_id,
                "secret_sha256": client.secret_sha256,
                "scopes": list(client.scopes),
            },
        )
