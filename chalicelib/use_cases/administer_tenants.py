"""What an operator does to tenants: each act whole or not at all, and safe to repeat."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace

from chalicelib.domain.access_token import last_use
from chalicelib.domain.audit import Act, AuditEvent
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.errors import Refused
from chalicelib.ports import Clock, Deed, Ids, MeteringKeys, Registry, Tenants


def tenant_id_of(name: str) -> str:
    """A function of the name: a tenant is found by it, in a later run too, and with it its usage counters."""
    return f"ten_{hashlib.sha256(name.encode()).hexdigest()[:26].upper()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministerTenants:
    """Adds, suspends and resumes tenants, each known by its name; `Refused` says what is in the way."""

    tenants: Tenants
    registry: Registry
    metering_keys: MeteringKeys
    plans: Collection[str]
    clock: Clock
    ids: Ids

    def add(self, name: str, *, plan: str, actor: str) -> tuple[Tenant, bool]:
        """The tenant, and whether it is new; one of that name and plan is left as it is.

        Its keys at the gateway come first, for a tenant without them would be refused everything; they are
        found again by a run that was cut off.
        """
        if plan not in self.plans:
            raise Refused(f"There is no plan {plan!r}: the plans are {', '.join(self.plans)}.")
        existing = self.tenants.get(tenant_id_of(name))
        if existing is not None and existing.plan != plan:
            raise Refused(f"There is a tenant {name!r} with the plan {existing.plan}; this changes no plan.")
        self.metering_keys.attach(tenant_id_of(name), plan=plan)
        if existing is not None:
            return existing, False
        tenant = Tenant(tenant_id=tenant_id_of(name), name=name, plan=plan)
        self.registry.commit(Deed(event=self._event(Act.TENANT_ADDED, tenant, actor), tenant=(None, tenant)))
        return tenant, True

    def suspend(self, name: str, *, actor: str) -> Tenant:
        """Within seconds none of its tokens is taken, and it gets no more; its jobs go on. Once is enough."""
        tenant = self.named(name)
        if tenant.suspended_at is not None:
            return tenant
        now = self.clock.now()
        suspended = replace(tenant, suspended_at=now)
        self.registry.commit(
            Deed(
                event=self._event(Act.TENANT_SUSPENDED, tenant, actor),
                tenant=(tenant, suspended),
                revoked={tenant.tenant_id: last_use(revoked_at=now)},
            )
        )
        return suspended

    def resume(self, name: str, *, actor: str) -> Tenant:
        """Within seconds the tenant may do what it could, with the tokens of before too while they live."""
        tenant = self.named(name)
        if tenant.suspended_at is None:
            return tenant
        resumed = replace(tenant, suspended_at=None)
        self.registry.commit(
            Deed(
                event=self._event(Act.TENANT_RESUMED, tenant, actor),
                tenant=(tenant, resumed),
                restored={tenant.tenant_id: last_use(revoked_at=tenant.suspended_at)},
            )
        )
        return resumed

    def named(self, name: str) -> Tenant:
        """The tenant of this name."""
        tenant = self.tenants.get(tenant_id_of(name))
        if tenant is None:
            raise Refused(f"There is no tenant {name!r}: `tenant list` shows those there are.")
        return tenant

    def _event(self, act: Act, tenant: Tenant, actor: str) -> AuditEvent:
        return AuditEvent(
            event_id=self.ids.new_id("aud_"),
            at=self.clock.now(),
            actor=actor,
            act=act,
            subject=tenant.tenant_id,
            facts={"name": tenant.name, "plan": tenant.plan},
        )
