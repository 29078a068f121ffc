"""Where operators act, on in-memory ports; what another one does meanwhile is in the test's hand."""

from collections.abc import Callable
from datetime import timedelta

from chalicelib.adapters.jose_tokens import make_token_key
from chalicelib.adapters.memory import ManualClock, SequentialIds
from chalicelib.adapters.memory_access import (
    MemoryClients,
    MemoryKeyRings,
    MemoryKeys,
    MemoryMeteringKeys,
    MemoryRegistry,
    MemoryTenants,
)
from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.domain.audit import Act, AuditEvent
from chalicelib.domain.entitlements import Tenant
from chalicelib.ports import Deed
from chalicelib.use_cases.administer_clients import AdministerClients, Shown, Wanted
from chalicelib.use_cases.administer_tenants import AdministerTenants
from chalicelib.use_cases.rotate_keys import RotateKeys
from tests.unit.world import START

ANNA, BERT = "arn:aws:iam::123456789012:user/anna", "arn:aws:iam::123456789012:user/bert"
PLANS = ("free", "pro")
HOUR = timedelta(hours=1)


class Cut(BaseException):
    """The process ends here."""


class Office:
    """What operators act on; `meanwhile` happens once, between an act's reading and its writing."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.ids = SequentialIds()
        self.meanwhile: Callable[[], object] = lambda: None
        self.tenant_rows, self.client_rows = MemoryTenants(), MemoryClients()
        self.rings, self.revocations = MemoryKeyRings(), MemoryRevocations()
        self.metering = MemoryMeteringKeys()
        self.registry = MemoryRegistry(
            tenants=self.tenant_rows,
            clients=self.client_rows,
            rings=self.rings,
            revocations=self.revocations,
        )

    def commit(self, deed: Deed) -> None:
        """As `Registry.commit`, after what happens meanwhile."""
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        self.registry.commit(deed)

    @property
    def tenants(self) -> AdministerTenants:
        return AdministerTenants(
            tenants=self.tenant_rows,
            registry=Interrupted(self),
            metering_keys=self.metering,
            plans=PLANS,
            clock=self.clock,
            ids=self.ids,
        )

    @property
    def clients(self) -> AdministerClients:
        return AdministerClients(
            clients=self.client_rows, registry=Interrupted(self), clock=self.clock, ids=self.ids
        )

    @property
    def keys(self) -> RotateKeys:
        return RotateKeys(
            rings=self.rings,
            registry=Interrupted(self),
            store=MemoryKeys(),
            make_key=make_token_key,
            clock=self.clock,
            ids=self.ids,
        )

    def acme(self) -> Tenant:
        return self.tenants.add("acme", plan="pro", actor=ANNA)[0]

    def client(self, wanted: Wanted | None = None) -> Shown:
        return self.clients.add(self.acme(), wanted or Wanted(), actor=ANNA)

    def log(self) -> list[AuditEvent]:
        """The audit events, the oldest first."""
        return list(reversed(self.registry.events(limit=100)))

    def acts(self) -> list[Act]:
        return [event.act for event in self.log()]

    def opens(self, client_id: str, secret: str | None) -> bool:
        found = self.client_rows.get(client_id)
        return found is not None and found.knows(secret or "", now=self.clock.now())


class Interrupted(MemoryRegistry):
    """The office's registry, whose every commit lets happen what happens meanwhile."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def commit(self, deed: Deed) -> None:
        self._office.commit(deed)
