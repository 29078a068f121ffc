"""The whole service on in-memory ports, with a clock and a chain under the test's hand."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import JsonValue

from chalicelib.adapters.memory import ManualClock, MemoryJobs, MemoryPayloads, MemoryQueue, SequentialIds
from chalicelib.adapters.memory_access import MemoryTenants
from chalicelib.adapters.memory_backlogs import MemoryBacklogs
from chalicelib.adapters.memory_chain import GENESIS_HASH, MemoryChain
from chalicelib.adapters.memory_seats import MemorySeats
from chalicelib.adapters.memory_signers import MemorySigners
from chalicelib.adapters.memory_transactions import MemoryChainTransactions
from chalicelib.adapters.memory_uploads import MemoryUploads
from chalicelib.domain.confirmation_view import Deployment, SeenJob
from chalicelib.domain.entitlements import Plan, Tenant
from chalicelib.domain.job import Job, JobRef, lease
from chalicelib.domain.prices import PriceBook, PriceVersion
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.job_types import JOB_TYPES
from chalicelib.ports import (
    Backlogs,
    Chain,
    ChainTransactions,
    Change,
    Ids,
    Jobs,
    Payloads,
    Queue,
    Seats,
    Signers,
    Tenants,
    Uploads,
)
from chalicelib.use_cases.cancel_job import CancelJob
from chalicelib.use_cases.chain_work import SenderPorts
from chalicelib.use_cases.confirm_jobs import ConfirmJobs
from chalicelib.use_cases.estimate_wait import EstimateWait
from chalicelib.use_cases.list_jobs import ListJobs
from chalicelib.use_cases.read_confirmation import ReadConfirmation
from chalicelib.use_cases.read_input import ReadInput
from chalicelib.use_cases.read_job import AwaitJob, GetJob
from chalicelib.use_cases.read_result import GetResult
from chalicelib.use_cases.run_job import BuryJob, RunJob
from chalicelib.use_cases.submit_job import Accepted, Submission, SubmitJob
from chalicelib.use_cases.sweep import Sweep
from chalicelib.web import json_text
from chalicelib.web.schemas.jobs import job_view

START = datetime(2026, 11, 23, 5, tzinfo=UTC)
SIGNER, SIGNER_KEY = "0x" + "51" * 20, b"\x51" * 32
REGISTRY = "0x" + "aa" * 20
BASE_URL = "http://stack.test/local"
ACME, GLOBEX = "ten_acme", "ten_globex"
SEED = "0x" + "00" * 32
SHORT: JsonValue = {"seed": SEED, "rounds": 3}
LONG: JsonValue = {"seed": SEED, "rounds": 200_000}
PRICES = PriceBook(currency="USD", versions=(PriceVersion(name="test", applies_from=START.date(), plans={}),))


@dataclass
class World:
    """Ports may be replaced by any other implementation before the first use case is called."""

    jobs: Jobs = field(default_factory=MemoryJobs)
    queue: Queue = field(default_factory=MemoryQueue)
    payloads: Payloads = field(default_factory=MemoryPayloads)
    uploads: Uploads = field(default_factory=MemoryUploads)
    seats: Seats = field(default_factory=MemorySeats)
    transactions: ChainTransactions | None = None
    chain: Chain = field(default_factory=MemoryChain)
    signers: Signers = field(default_factory=lambda: MemorySigners({SIGNER: SIGNER_KEY}))
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    ids: Ids = field(default_factory=SequentialIds)
    tenant: str = ACME
    genesis_hash: str = GENESIS_HASH
    registry: str = REGISTRY
    plan: Plan = field(default_factory=lambda: Plan(name="test", jobs_per_month=20, active_jobs=5))
    prices: PriceBook = PRICES
    backlogs: Backlogs = field(init=False)

    def __post_init__(self) -> None:
        self.transactions = self.transactions or MemoryChainTransactions(self.jobs)
        counted = self.queue if isinstance(self.queue, MemoryQueue) else MemoryQueue()
        self.backlogs = MemoryBacklogs(counted, self.clock)

    def submit_job(self, tenants: Tenants) -> SubmitJob:
        return SubmitJob(
            jobs=self.jobs,
            uploads=self.uploads,
            queue=self.queue,
            tenants=tenants,
            plans={"test": self.plan},
            prices=self.prices,
            estimate_wait=self.estimate_wait,
            job_types=JOB_TYPES,
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
                canonical_body=json_text.canonical(document),
                trace_id=trace_id,
                request_id="r1",
            ),
            render=lambda job: job_view(SeenJob(job), base_url=BASE_URL).to_bytes(),
            canonical=json_text.canonical,
        )

    @property
    def run_job(self) -> RunJob:
        return RunJob(
            jobs=self.jobs,
            payloads=self.payloads,
            queue=self.queue,
            backlogs=self.backlogs,
            job_types=JOB_TYPES,
            read_input=ReadInput(
                jobs=self.jobs, uploads=self.uploads, job_types=JOB_TYPES, parse=json_text.parse
            ),
            clock=self.clock,
            ids=self.ids,
            canonical=json_text.canonical,
        )

    @property
    def bury_job(self) -> BuryJob:
        return BuryJob(jobs=self.jobs, clock=self.clock)

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
        return CancelJob(get_job=self.get_job, jobs=self.jobs, clock=self.clock)

    @property
    def sweep(self) -> Sweep:
        return Sweep(jobs=self.jobs, queue=self.queue, clock=self.clock)

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


def take(world: World, ref: JobRef) -> None:
    """A worker takes the lease, and nothing more is heard of it."""
    job = world.job(ref)
    world.jobs.save([Change(job, lease(job, now=world.clock.now()))])


def result_of(world: World, ref: JobRef) -> JsonValue:
    """The stored result, parsed."""
    found: JsonValue = json.loads(world.get_result(ref).content)
    return found
