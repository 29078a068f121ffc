"""Makes what a stack's functions need to find: the token key, the chain signer, tenants and their clients."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from eth_keys.datatypes import PrivateKey
from joserfc.jwk import ECKey

from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.dynamodb_identity import DynamoDbClients, DynamoDbTenants
from chalicelib.adapters.secrets import CURSOR_KEY, SIGNER_KEY, TOKEN_KEY
from chalicelib.adapters.system import RandomIds, back_off
from chalicelib.domain.entitlements import Tenant
from chalicelib.plans import load_plans
from chalicelib.ports import Client
from chalicelib.use_cases.issue_token import SCOPES
from chalicelib.web.auth import metering_key


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedTenant:
    """A tenant and its first client; the secret is known only to the run that made it."""

    tenant_id: str
    name: str
    plan: str
    client_id: str | None
    client_secret: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """The signer's address and the tenants."""

    signer: str
    tenants: tuple[ProvisionedTenant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A new client of a tenant; the secret is known only to the run that made it."""

    client_id: str
    client_secret: str


def provision_stack(endpoint: str, tenants: Sequence[tuple[str, str]]) -> Provisioned:
    """Makes what is not there yet; a second run changes nothing."""
    secrets_client = boto3.client("secretsmanager", endpoint_url=endpoint)
    signer = _signer(secrets_client)
    _token_key(secrets_client)
    make_cursor_key(secrets_client)
    tables = Tables(boto3.client("dynamodb", endpoint_url=endpoint), backoff=back_off)
    gateway = boto3.client("apigateway", endpoint_url=endpoint)
    plan_ids = {plan["name"]: plan["id"] for plan in gateway.get_usage_plans(limit=500)["items"]}
    return Provisioned(
        signer=signer,
        tenants=tuple(_tenant(tables, gateway, plan_ids, name, plan) for name, plan in tenants),
    )


def add_client(endpoint: str, tenant_name: str) -> Credential:
    """Makes one more credential of a tenant, beside those it has: it brings no quota of its own."""
    tables = Tables(boto3.client("dynamodb", endpoint_url=endpoint), backoff=back_off)
    tenant = DynamoDbTenants(tables).get(_tenant_id(tenant_name))
    if tenant is None:
        raise SystemExit(f"There is no tenant {tenant_name!r}: provision it first.")
    return _client(tables, tenant.tenant_id)


def _names(client: Any) -> list[str]:
    pages = client.get_paginator("list_secrets").paginate()
    return [secret["Name"] for page in pages for secret in page["SecretList"]]


def _signer(client: Any) -> str:
    prefix = SIGNER_KEY.format(address="")
    for name in _names(client):
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    key = PrivateKey(RandomIds().new_private_key())
    address = key.public_key.to_checksum_address()
    client.create_secret(Name=SIGNER_KEY.format(address=address), SecretString=key.to_bytes().hex())
    return address


def _token_key(client: Any) -> None:
    if TOKEN_KEY not in _names(client):
        key = ECKey.generate_key("P-256", private=True)
        client.create_secret(Name=TOKEN_KEY, SecretString=json.dumps(key.as_dict(private=True)))


def make_cursor_key(client: Any) -> None:
    """Makes the key of the lists' cursors, once."""
    if CURSOR_KEY not in _names(client):
        client.create_secret(Name=CURSOR_KEY, SecretString=RandomIds().salt().hex())


def _tenant(
    tables: Tables, gateway: Any, plan_ids: Mapping[str, str], name: str, plan: str
) -> ProvisionedTenant:
    offered = load_plans().plans
    if plan not in offered:
        raise SystemExit(f"There is no plan {plan!r}: the plans are {', '.join(offered)}.")
    tenant_id = _tenant_id(name)
    existing = DynamoDbTenants(tables).get(tenant_id)
    if existing is not None:
        return ProvisionedTenant(
            tenant_id=tenant_id, name=name, plan=existing.plan, client_id=None, client_secret=None
        )
    for part in ("submit", "read"):
        value = metering_key(tenant_id, part)
        key = gateway.create_api_key(name=value, value=value, enabled=True)
        gateway.create_usage_plan_key(
            usagePlanId=plan_ids[f"{plan}-{part}"], keyId=key["id"], keyType="API_KEY"
        )
    credential = _client(tables, tenant_id)
    DynamoDbTenants(tables).put(Tenant(tenant_id=tenant_id, name=name, plan=plan))
    return ProvisionedTenant(
        tenant_id=tenant_id,
        name=name,
        plan=plan,
        client_id=credential.client_id,
        client_secret=credential.client_secret,
    )


def _tenant_id(name: str) -> str:
    """A function of the name: a tenant is found by it, in a later run too, and with it its usage counters."""
    return f"ten_{hashlib.sha256(name.encode()).hexdigest()[:26].upper()}"


def _client(tables: Tables, tenant_id: str) -> Credential:
    client_id, secret = RandomIds().new_id("cli_"), RandomIds().new_secret("zjs_")
    DynamoDbClients(tables).put(
        Client(
            client_id=client_id,
            tenant_id=tenant_id,
            secret_sha256=hashlib.sha256(secret.encode()).hexdigest(),
            scopes=SCOPES,
        )
    )
    return Credential(client_id=client_id, client_secret=secret)
