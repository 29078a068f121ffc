"""What an operator does to tenants: each act whole or not at all, and safe to repeat."""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.access_token import last_use
from chalicelib.domain.audit import Act, AuditEvent, Outcome
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.errors import Refused
from chalicelib.ports import Clock, Deed, Ids, MeteringKeys, Registry, Tenants

# What needs no quoting in a shell, a log line or a URL, and is no option.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def tenant_id_of(name: str) -> str:
    """A function of the name: a tenant is found by it, in a later run too, and with it its usage counters."""
    return f"ten_{hashlib.sha256(name.encode()).hexdigest()[:26].upper()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministerTenants:
    """Adds, suspends and resumes tenants, each known by its name.

    `Refused` says what is in the way, and `Superseded` that someone else was faster: nothing is changed then.
    """

    tenants: Tenants
    registry: Registry
    metering_keys: MeteringKeys
    plans: Collection[str]
    clock: Clock
    ids: Ids

    def add(self, name: str, *, plan: str, actor: str) -> tuple[Tenant, Outcome]:
        """The tenant; one of that name and plan is left as it is.

        Its keys at the gateway come after its row, so that two who add it with different plans cannot both
        attach them. A run that is cut off in between leaves a tenant that is refused everything, and the
        next run, which attaches what is missing, completes it.
        """
        _check_name(name)
        if plan not in self.plans:
            raise Refused(f"There is no plan {plan!r}: the plans are {', '.join(self.plans)}.")
        existing = self.tenants.get(tenant_id_of(name))
        if existing is not None and existing.plan != plan:
            raise Refused(
                f"The tenant {name} has the plan {existing.plan} and keeps it: "
                f"add it with that, or choose another name for {plan}."
            )
        tenant = existing or self._added(Tenant(tenant_id=tenant_id_of(name), name=name, plan=plan), actor)
        self.metering_keys.attach(tenant.tenant_id, plan=plan)
        return tenant, Outcome.UNCHANGED if existing else Outcome.CHANGED

    def _added(self, tenant: Tenant, actor: str) -> Tenant:
        event = self._event(Act.TENANT_ADDED, tenant, actor, now=self.clock.now())
        self.registry.commit(Deed(event=event, tenant=(None, tenant)))
        return tenant

    def suspend(self, name: str, *, actor: str) -> tuple[Tenant, Outcome]:
        """Within seconds none of its tokens is taken, and it gets no more; its jobs go on. Once is enough."""
        tenant = self.named(name)
        if tenant.is_suspended:
            return tenant, Outcome.UNCHANGED
        now = self.clock.now()
        suspended = replace(tenant, suspended_at=now)
        self.registry.commit(
            Deed(
                event=self._event(Act.TENANT_SUSPENDED, tenant, actor, now=now),
                tenant=(tenant, suspended),
                revoked={tenant.tenant_id: last_use(revoked_at=now)},
            )
        )
        return suspended, Outcome.CHANGED

    def resume(self, name: str, *, actor: str) -> tuple[Tenant, Outcome]:
        """Within seconds the tenant may do what it could, with the tokens of before too while they live."""
        tenant = self.named(name)
        if tenant.suspended_at is None:
            return tenant, Outcome.UNCHANGED
        resumed = replace(tenant, suspended_at=None)
        self.registry.commit(
            Deed(
                event=self._event(Act.TENANT_RESUMED, tenant, actor, now=self.clock.now()),
                tenant=(tenant, resumed),
                restored={tenant.tenant_id: last_use(revoked_at=tenant.suspended_at)},
            )
        )
        return resumed, Outcome.CHANGED

    def named(self, name: str) -> Tenant:
        """The tenant of this name."""
        _check_name(name)
        tenant = self.tenants.get(tenant_id_of(name))
        if tenant is None:
            raise Refused(f"There is no tenant {name}: `tenant list` shows those there are.")
        return tenant

    def _event(self, act: Act, tenant: Tenant, actor: str, *, now: datetime) -> AuditEvent:
        return AuditEvent(
            event_id=self.ids.new_id("aud_"),
            at=now,
            actor=actor,
            act=act,
            subject=tenant.tenant_id,
            facts={"name": tenant.name, "plan": tenant.plan},
        )


def _check_name(name: str) -> None:
    if NAME.fullmatch(name) is None:
        raise Refused(
            "This is no name of a tenant: take 1 to 64 letters, digits, dots, hyphens and underscores "
            "of ASCII, the first a letter or a digit."
        )
