"""The whole service on in-memory ports, with a clock and a chain under the test's hand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import JsonValue

from chalicelib.adapters.memory import ManualClock, MemoryJobs, MemoryQueue, SequentialIds
from chalicelib.adapters.memory_access import MemoryTenants
from chalicelib.adapters.memory_backlogs import MemoryBacklogs
from chalicelib.adapters.memory_chain import GENESIS_HASH, MemoryChain
from chalicelib.adapters.memory_logs import MemoryLogs
from chalicelib.adapters.memory_sandbox import MemorySandbox
from chalicelib.adapters.memory_seats import MemorySeats
from chalicelib.adapters.memory_signers import MemorySigners
from chalicelib.adapters.memory_transactions import MemoryChainTransactions
from chalicelib.adapters.memory_uploads import MemoryCheckpoints, MemoryPayloads, MemoryUploads
from chalicelib.adapters.memory_usage import MemoryUsage
from chalicelib.domain.confirmation_view import Deployment, SeenJob
from chalicelib.domain.entitlements import Plan, Tenant
from chalicelib.domain.job import UNSENT_AFTER, USUAL_DEADLINE, Job, JobRef
from chalicelib.domain.lease import LEASE, MAX_ATTEMPTS, lease
from chalicelib.domain.prices import PRICED, PlanPrices, PriceBook, PriceVersion, Tier
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.job_types import JOB_TYPES
from chalicelib.job_types.chain_logs import ChainLogs
from chalicelib.job_types.contract import JobType
from chalicelib.ports import (
    Backlogs,
    Chain,
    ChainTransactions,
    Change,
    Checkpoints,
    Ids,
    Jobs,
    Payloads,
    Queue,
    Sandbox,
    Seats,
    Signers,
    Tenants,
    Uploads,
    Usage,
)
from chalicelib.use_cases.cancel_job import CancelJob
from chalicelib.use_cases.chain_work import SenderPorts
from chalicelib.use_cases.confirm_jobs import ConfirmJobs
from chalicelib.use_cases.estimate_wait import EstimateWait
from chalicelib.use_cases.give_up import GiveUp
from chalicelib.use_cases.list_jobs import ListJobs
from chalicelib.use_cases.read_confirmation import ReadConfirmation
from chalicelib.use_cases.read_input import ReadInput
from chalicelib.use_cases.read_job import AwaitJob, GetJob
from chalicelib.use_cases.read_result import GetResult
from chalicelib.use_cases.run_job import Outcome, RunJob
from chalicelib.use_cases.submit_job import Accepted, Submission, SubmitJob
from chalicelib.use_cases.sweep import Sweep
from chalicelib.use_cases.turns import Turns
from chalicelib.web import json_text
from chalicelib.web.schemas.jobs import job_view

START = datetime(2026, 11, 23, 5, tzinfo=UTC)
SIGNER, SIGNER_KEY = "0x" + "51" * 20, b"\x51" * 32
REGISTRY = "0x" + "aa" * 20
# As long as a function has by its configuration.
INVOCATION_SECONDS = 60.0
BASE_URL = "http://stack.test/local"
ACME, GLOBEX = "ten_acme", "ten_globex"
SEED = "0x" + "00" * 32
SHORT: JsonValue = {"seed": SEED, "rounds": 3}
LONG: JsonValue = {"seed": SEED, "rounds": 200_000}
OF_TEN_UNITS: JsonValue = {"seed": SEED, "rounds": 10_000_000}
FOR_NOTHING = PlanPrices(monthly_fee_micros=0, tiers={meter: (Tier(None, 0),) for meter in PRICED})
PRICES = PriceBook(
    currency="USD",
    versions=(PriceVersion(name="test", applies_from=START.date(), plans={"test": FOR_NOTHING}),),
)


@dataclass
class World:
    """Ports may be replaced by any other implementation before the first use case is called."""

    jobs: Jobs = field(default_factory=MemoryJobs)
    queue: Queue = field(default_factory=MemoryQueue)
    payloads: Payloads = field(default_factory=MemoryPayloads)
    uploads: Uploads = field(default_factory=MemoryUploads)
    checkpoints: Checkpoints = field(default_factory=MemoryCheckpoints)
    sandbox: Sandbox = field(init=False)
    chain_logs: ChainLogs = field(default_factory=MemoryLogs)
    job_types: Mapping[str, JobType] = field(default_factory=lambda: JOB_TYPES)
    seats: Seats = field(default_factory=MemorySeats)
    transactions: ChainTransactions | None = None
    chain: Chain = field(default_factory=MemoryChain)
    signers: Signers = field(default_factory=lambda: MemorySigners({SIGNER: SIGNER_KEY}))
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    ids: Ids = field(default_factory=SequentialIds)
    tenant: str = ACME
    genesis_hash: str = GENESIS_HASH
    registry: str = REGISTRY
    plan: Plan = field(
        default_factory=lambda: Plan(
            name="test", jobs_per_month=20, active_jobs=5, spend_cap_micros=10**12, currency="USD"
        )
    )
    prices: PriceBook = PRICES
    usage: Usage | None = None
    backlogs: Backlogs = field(init=False)

    def __post_init__(self) -> None:
        self.transactions = self.transactions or MemoryChainTransactions(self.jobs)
        self.sandbox = MemorySandbox(monotonic=self.clock.monotonic)
        counted = self.queue if isinstance(self.queue, MemoryQueue) else MemoryQueue()
        self.backlogs = MemoryBacklogs(counted, self.clock)

    def submit_job(self, tenants: Tenants) -> SubmitJob:
        return SubmitJob(
            jobs=self.jobs,
            uploads=self.uploads,
            usage=self.usage or MemoryUsage(self.jobs),
            queue=self.queue,
            tenants=tenants,
            plans={"test": self.plan},
            prices=self.prices,
            estimate_wait=self.estimate_wait,
            job_types=self.job_types,
            clock=self.clock,
            ids=self.ids,
        )

    @property
    def tenants(self) -> MemoryTenants:
        """This world's own tenant, and another."""
        return MemoryTenants(
            *(Tenant(tenant_id=tenant, name=tenant, plan="test") for tenant in (self.tenant, GLOBEX))
        )

    def submit(
        self,
        key: str = "k1",
        *,
        tenant: str | None = None,
        job_type: str = "sha256.chain",
        job_input: JsonValue = SHORT,
        upload: str | None = None,
        path: ConfirmationPath = ConfirmationPath.DIRECT,
        deadline: timedelta = USUAL_DEADLINE,
        tenants: Tenants | None = None,
        trace_id: str = "0" * 31 + "1",
    ) -> Accepted:
        """A submit as the handler makes it."""
        given = {"input_upload": upload} if upload else {"input": job_input}
        chosen = {"confirmation": path} if path is ConfirmationPath.COMPACT else {}
        document: JsonValue = {"type": job_type, **given, **chosen}
        return self.submit_job(tenants or self.tenants)(
            Submission(
                tenant_id=tenant or self.tenant,
                idempotency_key=key,
                type=job_type,
                input=job_input,
                input_upload=upload,
                path=path,
                deadline=deadline,
                canonical_body=json_text.canonical(document),
                trace_id=trace_id,
                request_id="r1",
            ),
            render=lambda job: job_view(SeenJob(job), base_url=BASE_URL).to_bytes(),
            canonical=json_text.canonical,
        )

    def run_job(self, ref: JobRef, *, seconds: float = INVOCATION_SECONDS) -> Outcome:
        """What comes of a message that names the job, as if no other were ready; the worker is a new one."""
        return self.worker(turns_among=Alone(self.jobs))(ref, seconds=seconds).outcome

    def worker(self, *, turns_among: Jobs | None = None) -> RunJob:
        """A worker that remembers whom it served."""
        return RunJob(
            jobs=self.jobs,
            payloads=self.payloads,
            checkpoints=self.checkpoints,
            queue=self.queue,
            backlogs=self.backlogs,
            sandbox=self.sandbox,
            chain_logs=self.chain_logs,
            job_types=self.job_types,
            read_input=ReadInput(
                jobs=self.jobs, uploads=self.uploads, job_types=self.job_types, parse=json_text.parse
            ),
            turns=Turns(jobs=turns_among or self.jobs, give_up=self.give_up, clock=self.clock),
            give_up=self.give_up,
            prices=self.prices,
            clock=self.clock,
            ids=self.ids,
            canonical=json_text.canonical,
        )

    @property
    def give_up(self) -> GiveUp:
        return GiveUp(jobs=self.jobs, queue=self.queue, prices=self.prices)

    @property
    def get_job(self) -> GetJob:
        return GetJob(jobs=self.jobs)

    @property
    def await_job(self) -> AwaitJob:
        return AwaitJob(
            get_job=self.get_job,
            read_confirmation=self.read_confirmation,
            seats=self.seats,
            clock=self.clock,
            ids=self.ids,
        )

    @property
    def estimate_wait(self) -> EstimateWait:
        """A fresh one each time, which remembers nothing."""
        return EstimateWait(backlogs=self.backlogs, clock=self.clock)

    @property
    def list_jobs(self) -> ListJobs:
        return ListJobs(jobs=self.jobs, read_confirmation=self.read_confirmation)

    @property
    def read_confirmation(self) -> ReadConfirmation:
        deployment = Deployment(chain_id=31337, genesis_hash=self.genesis_hash, registry=self.registry)
        return ReadConfirmation(transactions=self.transactions, deployment=deployment)

    @property
    def get_result(self) -> GetResult:
        return GetResult(get_job=self.get_job, payloads=self.payloads, clock=self.clock)

    @property
    def cancel_job(self) -> CancelJob:
        return CancelJob(get_job=self.get_job, jobs=self.jobs, prices=self.prices, clock=self.clock)

    @property
    def sweep(self) -> Sweep:
        return Sweep(jobs=self.jobs, queue=self.queue, give_up=self.give_up, clock=self.clock)

    @property
    def confirm_jobs(self) -> ConfirmJobs:
        return ConfirmJobs(
            SenderPorts(
                jobs=self.jobs,
                transactions=self.transactions,
                chain=self.chain,
                signers=self.signers,
                queue=self.queue,
                clock=self.clock,
                prices=self.prices,
                chain_id=31337,
                genesis_hash=self.genesis_hash,
                registry=self.registry,
            )
        )

    def job(self, ref: JobRef) -> Job:
        """The job as stored."""
        return self.get_job(ref)

    def confirming(self, key: str = "k1", **submission: str) -> JobRef:
        """A job that has run and waits for the chain."""
        ref = self.submit(key, **submission).job_ref
        self.run_job(ref)
        return ref


class Alone:
    """Jobs whose index of those that are ready shows none: it may lag."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def next_ready(self, *, after: str) -> None:
        """See `ports.Jobs.next_ready`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._jobs, name)


def give_up(world: World, ref: JobRef) -> None:
    """As many workers die over the job as it may cost, and the sweep finds it."""
    for _ in range(MAX_ATTEMPTS):
        take(world, ref)
        world.clock.advance(LEASE)
    world.clock.advance(UNSENT_AFTER)
    world.sweep()


def take(world: World, ref: JobRef) -> None:
    """A worker takes the lease, and nothing more is heard of it."""
    job = world.job(ref)
    world.jobs.save([Change(job, lease(job, now=world.clock.now()))])


def result_of(world: World, ref: JobRef) -> JsonValue:
    """The stored result, parsed."""
    found: JsonValue = json.loads(world.get_result(ref).content)
    return found
