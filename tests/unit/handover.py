"""One signer makes way for the next while jobs of either path go on; a rotation can be cut off anywhere."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from chalicelib.adapters.memory_access import (
    MemoryClients,
    MemoryKeyRings,
    MemoryRegistry,
    MemoryTenants,
)
from chalicelib.adapters.memory_registry_admin import MemoryRegistryAdmin
from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.domain.audit import Act
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.confirmation import ZERO_HASH, job_key
from chalicelib.domain.job import UNSEEN_AT_MOST, JobRef, Status
from chalicelib.domain.roster import Duty, Roster
from chalicelib.domain.transaction_id import Account, ConfirmationPath
from chalicelib.use_cases.administer_signers import EnlistSigner
from chalicelib.use_cases.return_funds import ReturnFunds
from chalicelib.use_cases.rotate_signers import Reason, Request, RotateSigners
from tests.crash.failpoints import Failing, Failpoint
from tests.unit.office import ANNA, Cut
from tests.unit.world import REGISTRY, SIGNER, World

PATIENCE_SECONDS = 120


def cut() -> None:
    raise Cut


class Scene:
    """A service with jobs of either path at every stage, which go on while an operator waits."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.keys: Any = world.signers
        self.registry = MemoryRegistry(
            tenants=MemoryTenants(),
            clients=MemoryClients(),
            rings=MemoryKeyRings(),
            revocations=MemoryRevocations(),
            signers=self.keys,
        )
        self.appointments = MemoryRegistryAdmin(world.chain)
        self.appointments.grant(SIGNER)
        self.heard: list[str] = []
        self.alarms: Counter[str] = Counter()
        self.refs: list[JobRef] = []
        world.plan = type(world.plan)(
            name="test", jobs_per_month=10_000, active_jobs=1_000, spend_cap_micros=0, currency="USD"
        )
        world.clock.meanwhile = self.pass_time
        self.submit(ConfirmationPath.DIRECT)
        self.pass_time()
        self.submit(ConfirmationPath.COMPACT)
        self.send()

    def submit(self, path: ConfirmationPath) -> None:
        ref = self.world.submit(f"k{len(self.refs)}", path=path).job_ref
        self.world.run_job(ref)
        self.refs.append(ref)

    def send(self) -> None:
        """The sender takes every message."""
        messages = self.world.queue.confirm[:]
        self.world.queue.confirm.clear()
        report = self.world.confirm_jobs([ref for message in messages for ref in message])
        self.alarms.update(report.alarms)

    def pass_time(self) -> None:
        """A block, a job of each path, and a look of the sender's."""
        self.world.chain.mine()
        if len(self.refs) < 20:
            for path in ConfirmationPath:
                self.submit(path)
        self.send()

    def settle_block(self) -> None:
        """A block and a look, and nothing new."""
        self.world.chain.mine()
        self.send()

    def settle(self) -> None:
        """Until there is no message; then the sweep looks once, for what was cut off before it sent one."""
        for _ in range(2):
            while self.world.queue.confirm:
                self.settle_block()
            self.world.clock.advance(UNSEEN_AT_MOST)
            self.world.sweep()

    def rotation(self, failpoint: Failpoint | None = None, act: Callable[[], None] = cut) -> RotateSigners:
        ports: dict[str, Any] = {
            "keys": self.keys,
            "registry": self.registry,
            "appointments": self.appointments,
            "transactions": self.world.transactions,
            "queue": self.world.queue,
            "chain": self.world.chain,
        }
        if failpoint:
            ports[failpoint.port] = Failing(ports[failpoint.port], failpoint, act)
        enlist = EnlistSigner(
            signers=self.keys,
            keys=ports["keys"],
            registry=ports.pop("registry"),
            clock=self.world.clock,
            ids=self.world.ids,
        )
        return_funds = ReturnFunds(
            signers=self.keys,
            chain=ports["chain"],
            transactions=ports["transactions"],
            appointments=self.appointments,
        )
        return RotateSigners(
            enlist=enlist,
            return_funds=return_funds,
            signers=self.keys,
            clock=self.world.clock,
            genesis_hash=self.world.genesis_hash,
            **ports,
        )

    def rotate(
        self,
        reason: Reason = Reason.PLANNED,
        *,
        actor: str = ANNA,
        failpoint: Failpoint | None = None,
        act: Callable[[], None] = cut,
    ) -> None:
        self.rotation(failpoint, act)(
            Request(reason=reason, actor=actor, patience_seconds=PATIENCE_SECONDS, tell=self.heard.append)
        )

    def balance(self) -> int:
        """What the first signer has."""
        return self.world.chain.survey(SIGNER, final_depth=FINAL_DEPTH).balance_wei

    @property
    def roster(self) -> Roster:
        return self.keys.roster()

    def duties(self) -> list[Duty]:
        return [each.duty for each in self.roster.signers]

    def acts(self) -> list[Act]:
        return [event.act for event in reversed(self.registry.events(limit=100))]

    def confirmers(self) -> set[str]:
        return {each.address for each in self.roster.signers if self.appointments.is_confirmer(each.address)}

    def wrongs(self) -> list[str]:
        """What does not hold once a rotation is over and the sender has done its work."""
        self.settle()
        jobs = [self.world.job(ref) for ref in self.refs]
        active = self.roster.active
        placed = Counter(job.placed for job in jobs if job.path is ConfirmationPath.COMPACT)
        records = [self._records(job) for job in jobs]
        return [
            *(f"{job.ref} is {job.status}" for job in jobs if job.status is not Status.SUCCEEDED),
            *(f"{job.ref} has {n} records" for job, n in zip(jobs, records, strict=True) if n != 1),
            *(["the old signer is not retired"] if self.duties()[0] is not Duty.RETIRED else []),
            *(["others may confirm"] if self.confirmers() != {active} else []),
            *(["other keys are kept"] if set(self.keys.kept()) != {active} else []),
            *(["there is no compact batch"] if not placed else []),
        ]

    def _records(self, job: Any) -> int:
        """A direct record, and the compact batches of all signers that took effect with the job in it."""
        key = job_key(31337, REGISTRY, job.ref.tenant_id, job.ref.job_id)
        direct = self.world.chain.recorded_hashes([key]) != [ZERO_HASH]
        compact = 0
        for each in self.roster.signers:
            for row in self.world.transactions.rows(Account(each.address, self.world.genesis_hash)):
                seen = self.world.chain.sightings([attempt.hash for attempt in row.attempts])
                is_mined = any(one.receipt and one.receipt.succeeded for one in seen)
                if row.path is ConfirmationPath.COMPACT and is_mined:
                    compact += sum(listed.ref == job.ref for listed in row.jobs)
        return direct + compact


def points(*named: tuple[str, str, int]) -> list[Failpoint]:
    return [Failpoint(port, method, when, nth) for port, method, nth in named for when in ("before", "after")]


STEPS = points(
    ("keys", "make", 1),
    ("registry", "commit", 1),
    ("appointments", "grant", 1),
    ("appointments", "fund", 1),
    ("registry", "commit", 2),
    ("transactions", "lease", 1),
    ("transactions", "release", 1),
    ("queue", "wake_confirmer", 1),
    ("appointments", "revoke", 1),
    ("registry", "commit", 3),
)
RETURN = points(("transactions", "record", 1), ("chain", "broadcast", 1))
DROP = Failpoint("keys", "drop", "before")
