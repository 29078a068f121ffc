"""What the functions find there: tables, queues, buckets, secrets, a tenant and its two clients."""

import json
from dataclasses import dataclass
from pathlib import Path

import boto3

from chalicelib.adapters.secrets import CURSOR_KEY
from chalicelib.adapters.signers import SIGNER_KEY
from chalicelib.domain.audit import Act, AuditEvent
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.roster import Duty, Roster, Signer
from chalicelib.ports import Deed
from chalicelib.use_cases.administer_clients import AdministerClients, Shown, Wanted
from chalicelib.use_cases.client_keys import read_public_keys
from emulation.resources import create_resources
from tests.policies.functions import SETTINGS, SIGNER, SIGNER_SECRET, Functions
from tests.proofs import PUBLIC_KEY

RESOURCES = Path(__file__).parents[2] / ".chalice" / "resources.json"
TENANT = Tenant(tenant_id="ten_000000000000000000RECORDED", name="recorded", plan="pro")


@dataclass(frozen=True, slots=True)
class Seeded:
    """A client that has a secret, and one that has a key: it signs assertions, and its tokens are bound."""

    by_secret: Shown
    by_key: Shown


def seed(functions: Functions) -> Seeded:
    """Makes it all, by calls that are no function's."""
    create_resources(json.loads(RESOURCES.read_text()), functions.adapters.client)
    secrets = boto3.client("secretsmanager", endpoint_url=SETTINGS.aws_endpoint)
    secrets.create_secret(Name=CURSOR_KEY, SecretString="51" * 32)
    secrets.create_secret(Name=SIGNER_KEY.format(address=SIGNER), SecretString=SIGNER_SECRET)
    adapters = functions.adapters
    event = AuditEvent(
        event_id="aud_1",
        at=adapters.clock.now(),
        actor="test",
        act=Act.TENANT_ADDED,
        subject=TENANT.tenant_id,
    )
    roster = Roster((Signer(SIGNER, Duty.ACTIVE),))
    adapters.registry.commit(Deed(event=event, tenant=(None, TENANT), roster=(Roster(), roster)))
    clients = AdministerClients(
        clients=adapters.clients, registry=adapters.registry, clock=adapters.clock, ids=adapters.ids
    )
    keyed = Wanted(public_keys=read_public_keys(json.dumps(PUBLIC_KEY).encode()), is_dpop_bound=True)
    return Seeded(clients.add(TENANT, Wanted(), actor="test"), clients.add(TENANT, keyed, actor="test"))
