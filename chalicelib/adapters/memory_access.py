"""Who may do what, in memory: tenants, clients, keys and what an operator does to them, with one lock."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.adapters.memory_signers import MemorySigners
from chalicelib.domain.audit import AuditEvent
from chalicelib.domain.client import Client
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.errors import Superseded, Unavailable
from chalicelib.domain.key_ring import KeyRing
from chalicelib.domain.tallies import Counted, window_start
from chalicelib.domain.usage import DayRange
from chalicelib.ports import Deed


class MemoryTenants:
    """The `Tenants` port; `rows` are all there are."""

    def __init__(self, *tenants: Tenant) -> None:
        self.rows = {tenant.tenant_id: tenant for tenant in tenants}

    def get(self, tenant_id: str) -> Tenant | None:
        """See `ports.Tenants.get`."""
        return self.rows.get(tenant_id)


class MemoryClients:
    """The `Clients` port; `rows` are all there are."""

    def __init__(self, *clients: Client) -> None:
        self.rows = {client.client_id: client for client in clients}

    def get(self, client_id: str) -> Client | None:
        """See `ports.Clients.get`."""
        return self.rows.get(client_id)


class MemoryKeyRings:
    """The `KeyRings` port; `ring` is the one there is."""

    def __init__(self, ring: KeyRing | None = None) -> None:
        self.ring = ring or KeyRing()

    def get(self) -> KeyRing:
        """See `ports.KeyRings.get`."""
        return self.ring


class MemoryKeys:
    """The `Keys` and `KeyStore` ports, with keys that the caller made."""

    def __init__(
        self,
        *,
        token_keys: Mapping[str, str] | None = None,
        cursor_key: bytes = b"",
    ) -> None:
        self._token_keys = dict(token_keys or {})
        self._cursor_key = cursor_key

    def token_key(self, kid: str) -> str:
        """See `ports.Keys.token_key`."""
        if kid not in self._token_keys:
            raise Unavailable("There is no such key.")
        return self._token_keys[kid]

    def cursor_key(self) -> bytes:
        """See `ports.Keys.cursor_key`."""
        return self._cursor_key

    def put(self, kid: str, private_key: str) -> None:
        """See `ports.KeyStore.put`."""
        self._token_keys.setdefault(kid, private_key)

    def drop(self, kid: str) -> None:
        """See `ports.KeyStore.drop`."""
        self._token_keys.pop(kid, None)

    def kept(self) -> frozenset[str]:
        """The names of the private token keys, for assertions."""
        return frozenset(self._token_keys)


class MemoryRegistry:
    """The `Registry` port over the ports that read what it writes."""

    def __init__(
        self,
        *,
        tenants: MemoryTenants,
        clients: MemoryClients,
        rings: MemoryKeyRings,
        revocations: MemoryRevocations,
        signers: MemorySigners | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._tenants = tenants
        self._clients = clients
        self._rings = rings
        self._revocations = revocations
        self._signers = signers or MemorySigners()
        self._events: list[AuditEvent] = []

    def commit(self, deed: Deed) -> None:
        """See `ports.Registry.commit`."""
        with self._lock:
            if not all(before == now for before, now in self._compared(deed)):
                raise Superseded
            if deed.tenant:
                self._tenants.rows[deed.tenant[1].tenant_id] = deed.tenant[1]
            if deed.client:
                self._clients.rows[deed.client[1].client_id] = deed.client[1]
            if deed.ring:
                self._rings.ring = deed.ring[1]
            if deed.roster:
                self._signers.current = deed.roster[1]
            for subject, until in deed.revoked.items():
                self._revocations.revoke(subject, until=until)
            for subject, until in deed.restored.items():
                self._revocations.restore(subject, until=until)
            self._events.append(deed.event)

    def _compared(self, deed: Deed) -> Iterable[tuple[object, object]]:
        """Each row as the deed read it, and as it is."""
        if deed.tenant:
            yield deed.tenant[0], self._tenants.get(deed.tenant[1].tenant_id)
        if deed.client:
            yield deed.client[0], self._clients.get(deed.client[1].client_id)
        if deed.ring:
            yield deed.ring[0], self._rings.get()
        if deed.roster:
            yield deed.roster[0], self._signers.roster()

    def tenants(self) -> Sequence[Tenant]:
        """See `ports.Registry.tenants`."""
        return sorted(self._tenants.rows.values(), key=lambda tenant: tenant.name)

    def clients_of(self, tenant_id: str) -> Sequence[Client]:
        """See `ports.Registry.clients_of`."""
        found = [client for client in self._clients.rows.values() if client.tenant_id == tenant_id]
        return sorted(found, key=lambda client: client.client_id)

    def events(self, *, limit: int) -> Sequence[AuditEvent]:
        """See `ports.Registry.events`."""
        newest_first = sorted(self._events, key=lambda event: (event.at, event.event_id), reverse=True)
        return newest_first[:limit]


class MemoryMeteringKeys:
    """The `MeteringKeys` port; `plans` has the plan of each tenant with keys, `counted` its submits a day."""

    def __init__(self) -> None:
        self.plans: dict[str, str] = {}
        self.counted: Counter[tuple[str, date]] = Counter()

    def attach(self, tenant_id: str, *, plan: str) -> None:
        """See `ports.MeteringKeys.attach`."""
        self.plans[tenant_id] = plan

    def submits(self, tenant_id: str, *, plan: str, days: DayRange) -> Sequence[int]:
        """See `ports.MeteringKeys.submits`."""
        return [self.counted[tenant_id, day] for day in days.days]


class MemoryTallies:
    """The `Tallies` port."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tallies: Counter[tuple[str, datetime]] = Counter()

    def add(self, counted: Sequence[Counted], *, now: datetime) -> None:
        """See `ports.Tallies.add`."""
        with self._lock:
            self._tallies.update((each.subject, window_start(now)) for each in counted)

    def spent(self, counted: Sequence[Counted], *, now: datetime) -> bool:
        """See `ports.Tallies.spent`."""
        return any(self._tallies[each.subject, window_start(now)] >= each.limit for each in counted)


class MemorySingleUse:
    """The `SingleUse` port."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, datetime] = {}

    def claim(self, used_id: str, *, until: datetime, now: datetime) -> bool:
        """See `ports.SingleUse.claim`."""
        with self._lock:
            if used_id in self._until and self._until[used_id] >= now:
                return False
            self._until[used_id] = until
        return True
