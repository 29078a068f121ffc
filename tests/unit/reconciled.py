"""A month of every kind of job, in memory, with all that is made of it, for the tests of reconciling."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from chalicelib.adapters.memory import MemoryJobs
from chalicelib.adapters.memory_access import (
    MemoryClients,
    MemoryKeyRings,
    MemoryMeteringKeys,
    MemoryRegistry,
)
from chalicelib.adapters.memory_chain import MemoryChain
from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.adapters.memory_usage import MemoryInvoices, MemoryUsage
from chalicelib.domain.abi import abi_word
from chalicelib.domain.chain_call import ConfirmCompact, word_of
from chalicelib.domain.confirmation_view import Deployment
from chalicelib.domain.errors import ActiveJobsExceeded
from chalicelib.domain.job import Job, JobRef, Status
from chalicelib.domain.metering import Ending, UsageEvent, ending_of
from chalicelib.domain.month import GRACE, SETTLED_AFTER, Month
from chalicelib.domain.prices import GasBudget, Meter, PriceBook
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.job_types.chain_logs import Block, Log
from chalicelib.use_cases.close_period import Closed, ClosePeriod
from chalicelib.use_cases.read_invoice import ComputeInvoice
from chalicelib.use_cases.reconcile import Reconcile
from chalicelib.use_cases.reconciliation.records import COMPACT_CONFIRMED, JOB_CONFIRMED
from chalicelib.use_cases.reconciliation.report import Report
from chalicelib.use_cases.take_in_usage import TakeInUsage
from tests.unit.confirming import MANY
from tests.unit.endings import DEADLINE, PLAYED, STEPS, book
from tests.unit.runs import steps_of, submit_steps
from tests.unit.world import ACME, GLOBEX, World

NOVEMBER, DECEMBER = Month.named("2026-11"), Month.named("2026-12")
GAS = GasBudget(price_wei=10**9, micros_per_ether=4_000_000_000, margin_percent=25)
LATE_ON = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)


class RegistryLogs:
    """The `ChainLogs` of the registry on a `MemoryChain`."""

    def __init__(self, chain: MemoryChain) -> None:
        self._chain = chain

    def logs(self, address: str, *, first: int, last: int) -> Sequence[Log]:
        """See `ChainLogs.logs`."""
        found = []
        for number in range(first, last + 1):
            for transaction in self._chain._blocks[number].transactions:
                if transaction.succeeded:
                    told = [((JOB_CONFIRMED, each.job_key), each.result_hash) for each in transaction.entries]
                    if isinstance(call := transaction.call, ConfirmCompact):
                        word = f"0x{abi_word(word_of(transaction.signer, call.number)).hex()}"
                        told = [((COMPACT_CONFIRMED, word), f"0x{abi_word(call.mask).hex()}{call.root[2:]}")]
                    found += [
                        Log(
                            block=Block(number, f"0x{number:064x}"),
                            transaction_hash=transaction.hash,
                            log_index=index,
                            topics=topics,
                            data=bytes.fromhex(data[2:]),
                        )
                        for index, (topics, data) in enumerate(told)
                    ]
        return found


def prices() -> PriceBook:
    """Prices with a gas budget."""
    plain = book(1)
    return replace(plain, versions=tuple(replace(each, gas=GAS) for each in plain.versions))


@dataclass
class Books:
    """The world, and who closes its months; ports may be replaced before `report`."""

    world: World = field(default_factory=lambda: World(plan=MANY, prices=prices()))
    metering_keys: MemoryMeteringKeys = field(default_factory=MemoryMeteringKeys)
    invoices: MemoryInvoices = field(default_factory=MemoryInvoices)
    ports: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    keys: Any = field(default_factory=count)

    @property
    def jobs(self) -> MemoryJobs:
        assert isinstance(self.world.jobs, MemoryJobs)
        return self.world.jobs

    @property
    def chain(self) -> MemoryChain:
        assert isinstance(self.world.chain, MemoryChain)
        return self.world.chain

    def request(self, tenant: str = ACME) -> None:
        """The gateway counts one."""
        self.metering_keys.counted[tenant, self.world.clock.now().date()] += 1

    def submit(self, path: ConfirmationPath = ConfirmationPath.DIRECT, *, tenant: str = ACME) -> JobRef:
        """A job of nine steps, by way of the gateway."""
        self.request(tenant)
        steps_of(self.world)
        key = f"key-{next(self.keys)}"
        return submit_steps(self.world, STEPS, key, tenant=tenant, deadline=DEADLINE, path=path)

    def job(self, path: ConfirmationPath, ending: Ending, *, tenant: str = ACME) -> JobRef:
        """A job that ends so."""
        ref = self.submit(path, tenant=tenant)
        PLAYED[ending](self.world, ref)
        assert ending_of(self.world.job(ref)) is ending
        return ref

    def replay_and_refusals(self) -> None:
        """Requests that make no job."""
        for _ in range(2):
            self.request()
            self.world.submit("again")
        self.world.cancel_job(self.world.submit("again").job_ref)
        plan, self.world.plan = self.world.plan, replace(MANY, active_jobs=0)
        self.request()
        with pytest.raises(ActiveJobsExceeded):
            self.world.submit("refused")
        self.world.plan = plan

    def batch(self) -> list[JobRef]:
        """Three jobs of each path in a transaction each."""
        refs = []
        for path in ConfirmationPath:
            some = [self.submit(path) for _ in range(3)]
            for ref in some:
                self.world.run_job(ref)
            self.world.confirm_jobs(some)
            refs += some
        self.mine()
        return refs

    def mine(self) -> None:
        self.chain.mine(3)
        self.world.confirm_jobs([])

    def be_at(self, moment: datetime) -> None:
        self.world.clock.advance(moment - self.world.clock.now())

    def busy_month(self) -> None:
        """Every ending, both paths, two tenants, and jobs over the month's end."""
        for path in ConfirmationPath:
            for ending in Ending:
                self.job(path, ending)
            self.job(path, Ending.SUCCEEDED, tenant=GLOBEX)
        self.replay_and_refusals()
        self.batch()
        self.be_at(LATE_ON)
        over = [self.submit(path) for path in ConfirmationPath]
        self.submit()
        self.world.run_job(over[0])
        self.be_at(DECEMBER.start + timedelta(minutes=1))
        self.world.run_job(over[1])
        self.world.confirm_jobs(over)
        self.mine()
        self.job(ConfirmationPath.DIRECT, Ending.SUCCEEDED)

    def close(self) -> Closed:
        """November is closed for all tenants, at the first moment at which it can be, or later."""
        self.be_at(max(self.world.clock.now(), NOVEMBER.end + GRACE + SETTLED_AFTER))
        compute = ComputeInvoice(usage=MemoryUsage(self.jobs), prices=self.world.prices)
        close = ClosePeriod(invoices=self.invoices, compute=compute, clock=self.world.clock)
        close(GLOBEX, NOVEMBER)
        return close(ACME, NOVEMBER)

    def adjusted(self) -> None:
        """An event is lost, found again after the close, and invoiced by the next one."""
        lost = self.lose_event(Meter.COMPUTE_USED)
        self.close()
        self.take_in(lost)
        self.be_at(self.world.clock.now() + timedelta(hours=1))
        self.close()
        assert len(self.invoices.issued(ACME, NOVEMBER)) == 2

    def take_in(self, event: UsageEvent) -> None:
        taking = TakeInUsage(
            jobs=self.jobs, usage=MemoryUsage(self.jobs), prices=self.world.prices, clock=self.world.clock
        )
        assert taking(event)

    def lose_event(self, meter: Meter) -> UsageEvent:
        """The store forgets the first of November."""
        return self.jobs._events.pop(self.event(meter).event_id)

    def event(self, meter: Meter) -> UsageEvent:
        """The first of ACME's November."""
        found = [each for _, each in sorted(self.jobs.events().items()) if each.meter is meter]
        return next(each for each in found if each.ref.tenant_id == ACME and each.time < NOVEMBER.end)

    def confirmed(self, path: ConfirmationPath, *, nth: int = 0) -> Job:
        """One of ACME's November that is confirmed so, by age."""
        jobs = [job for _, job in sorted(self.jobs._jobs.items(), key=lambda each: each[0].job_id)]
        wanted = (Status.SUCCEEDED, path, ACME)
        return [job for job in jobs if (job.status, job.path, job.ref.tenant_id) == wanted][nth]

    def reconcile(self) -> Reconcile:
        world = self.world
        registry = MemoryRegistry(
            tenants=World().tenants,
            clients=MemoryClients(),
            rings=MemoryKeyRings(),
            revocations=MemoryRevocations(),
        )
        given: dict[str, Any] = {
            "jobs": world.jobs,
            "usage": MemoryUsage(self.jobs),
            "invoices": self.invoices,
            "metering_keys": self.metering_keys,
            "registry": registry,
            "chain": world.chain,
            "chain_logs": RegistryLogs(self.chain),
            "transactions": world.transactions,
            "signers": world.signers,
        }
        deployment = Deployment(chain_id=31337, genesis_hash=world.genesis_hash, registry=world.registry)
        return Reconcile(**given | self.ports, prices=world.prices, deployment=deployment, clock=world.clock)

    def report(self, month: Month = NOVEMBER) -> Report:
        return self.reconcile()(month, tell=self.told.append)

    def differences(self, month: Month = NOVEMBER) -> list[tuple[str, str, str]]:
        """Kind, tenant and place of each."""
        return [each.place for each in self.report(month).differences]


@dataclass
class Meanwhile:
    """The port; what is to happen while somebody reads happens before or after the n-th call of a method."""

    port: Any
    method: str
    act: Callable[[], object]
    nth: int = 1
    is_after: bool = False
    calls: int = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.port, name)
        return self._called if name == self.method else found

    def _called(self, *args: object, **kwargs: object) -> object:
        self.calls += 1
        if self.calls == self.nth and not self.is_after:
            self.act()
        answer = getattr(self.port, self.method)(*args, **kwargs)
        if self.calls == self.nth and self.is_after:
            self.act()
        return answer
