"""Makes what a stack's functions need to find: the token key, the chain signer, tenants and their clients."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.adapters.dynamodb import translated
from chalicelib.adapters.secrets import CURSOR_KEY
from chalicelib.adapters.system import RandomIds
from chalicelib.admin.wiring import Administration
from chalicelib.use_cases.administer_clients import Wanted
from chalicelib.use_cases.administer_tenants import tenant_id_of

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedTenant:
    """A tenant and its first client; the secret is known only to the run that made it."""

    tenant_id: str
    name: str
    plan: str
    client_id: str | None
    client_secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """The signer's address and the tenants."""

    signer: str
    tenants: tuple[ProvisionedTenant, ...]


def provision_stack(stack: Administration, tenants: Sequence[tuple[str, str]]) -> Provisioned:
    """Makes what is not there yet, the first token key included; a second run changes nothing."""
    secrets = stack.adapters.secrets
    with translated():
        make_cursor_key(secrets)
    signer = stack.enlist_signer.first(actor=stack.actor)
    if not stack.adapters.rings.get().keys:
        stack.keys.rotate(actor=stack.actor)
    return Provisioned(signer=signer, tenants=tuple(_tenant(stack, name, plan) for name, plan in tenants))


def _tenant(stack: Administration, name: str, plan: str) -> ProvisionedTenant:
    """The tenant, with a client if it has none; one that has another plan keeps it."""
    existing = stack.adapters.tenants.get(tenant_id_of(name))
    tenant, _ = stack.tenants.add(name, plan=existing.plan if existing else plan, actor=stack.actor)
    has_clients = stack.adapters.registry.clients_of(tenant.tenant_id)
    shown = None if has_clients else stack.clients.add(tenant, Wanted(), actor=stack.actor)
    return ProvisionedTenant(
        tenant_id=tenant.tenant_id,
        name=name,
        plan=tenant.plan,
        client_id=shown.client.client_id if shown else None,
        client_secret=shown.secret if shown else None,
    )


def _names(client: "SecretsManagerClient") -> list[str]:
    pages = client.get_paginator("list_secrets").paginate()
    return [secret["Name"] for page in pages for secret in page["SecretList"]]


def make_cursor_key(client: "SecretsManagerClient") -> None:
    """Makes the key of the lists' cursors, once."""
    if CURSOR_KEY not in _names(client):
        client.create_secret(Name=CURSOR_KEY, SecretString=RandomIds().salt().hex())
