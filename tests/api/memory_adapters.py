"""The container's adapters, in memory: what the whole API runs on when only its contract is looked at."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from chalicelib.adapters.jose_tokens import JoseTokens, make_token_key
from chalicelib.adapters.memory import MemoryJobs, MemoryQueue
from chalicelib.adapters.memory_access import (
    MemoryClients,
    MemoryKeyRings,
    MemoryKeys,
    MemoryRegistry,
    MemorySingleUse,
    MemoryTallies,
    MemoryTenants,
)
from chalicelib.adapters.memory_backlogs import MemoryBacklogs
from chalicelib.adapters.memory_chain import MemoryChain
from chalicelib.adapters.memory_logs import MemoryLogs
from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.adapters.memory_sandbox import MemorySandbox
from chalicelib.adapters.memory_seats import MemorySeats
from chalicelib.adapters.memory_signers import MemorySigners
from chalicelib.adapters.memory_transactions import MemoryChainTransactions
from chalicelib.adapters.memory_uploads import MemoryCheckpoints, MemoryPayloads, MemoryUploads
from chalicelib.adapters.memory_usage import MemoryInvoices, MemoryUsage
from chalicelib.adapters.system import RandomIds
from chalicelib.domain.client import Client
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.key_ring import KeyRing
from chalicelib.settings import Settings
from emulation.clock import ManualClock

SIGNER, SIGNER_KEY = "0x" + "51" * 20, b"\x51" * 32
REGISTRY = "0x" + "aa" * 20


class StackClock:
    """The `Clock` port on the clock of the edge, so that there is one time."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """See `ports.Clock.now`."""
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def monotonic(self) -> float:
        """See `ports.Clock.monotonic`."""
        return self._clock.now()

    def pause(self, seconds: float) -> None:
        """See `ports.Clock.pause`; the edge's clock moves."""
        self._clock.advance(seconds)


class MemoryAdapters:
    """The attributes of `container.Adapters`; any of them may be replaced before it is used."""

    def __init__(
        self, settings: Settings, clock: StackClock, *, tenants: Iterable[Tenant], clients: Iterable[Client]
    ) -> None:
        jobs, queue = MemoryJobs(), MemoryQueue()
        self.settings = settings
        self.clock = clock
        self.ids: Any = RandomIds()
        self.tenants: Any = MemoryTenants(*tenants)
        self.clients: Any = MemoryClients(*clients)
        self.revocations: Any = MemoryRevocations()
        self.jobs: Any = jobs
        self.queue: Any = queue
        self.backlogs: Any = MemoryBacklogs(queue, clock)
        self.seats: Any = MemorySeats()
        self.usage: Any = MemoryUsage(jobs)
        self.invoices: Any = MemoryInvoices()
        self.payloads: Any = MemoryPayloads()
        self.uploads: Any = MemoryUploads()
        self.checkpoints: Any = MemoryCheckpoints()
        self.sandbox: Any = MemorySandbox(monotonic=clock.monotonic)
        self.chain_logs: Any = MemoryLogs()
        self.transactions: Any = MemoryChainTransactions(jobs)
        self.chain: Any = MemoryChain()
        self.signers: Any = MemorySigners({SIGNER: SIGNER_KEY})
        token_key = make_token_key()
        self.rings: Any = MemoryKeyRings(KeyRing().rotated(token_key.kid, token_key.public, now=clock.now()))
        self.tallies: Any = MemoryTallies()
        self.single_use: Any = MemorySingleUse()
        self.registry: Any = MemoryRegistry(
            tenants=self.tenants, clients=self.clients, rings=self.rings, revocations=self.revocations
        )
        self.keys: Any = MemoryKeys(
            token_keys={token_key.kid: token_key.private},
            cursor_key=b"\x51" * 32,
        )
        self.key_store: Any = self.keys
        # Warm, as in one process: it remembers the ring.
        self.tokens: Any = JoseTokens(self.keys, self.rings, clock, issuer=settings.base_url)
