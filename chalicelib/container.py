"""Reads the environment once and wires the use cases to their adapters; nothing else knows both."""

import os
from collections.abc import Mapping
from functools import cached_property

from chalicelib.access import Access
from chalicelib.aws import Adapters
from chalicelib.job_types import JOB_TYPES
from chalicelib.job_types.contract import JobType
from chalicelib.plans import PlansFile, load_plans
from chalicelib.ports import Clock
from chalicelib.settings import Settings
from chalicelib.use_cases.cancel_job import CancelJob
from chalicelib.use_cases.chain_work import SenderPorts
from chalicelib.use_cases.close_period import ClosePeriod, ClosePeriods
from chalicelib.use_cases.confirm_jobs import ConfirmJobs
from chalicelib.use_cases.create_upload import CreateUpload
from chalicelib.use_cases.estimate_wait import EstimateWait
from chalicelib.use_cases.give_up import GiveUp
from chalicelib.use_cases.list_jobs import ListJobs
from chalicelib.use_cases.read_confirmation import ReadConfirmation
from chalicelib.use_cases.read_input import ReadInput
from chalicelib.use_cases.read_invoice import ComputeInvoice, ReadInvoice
from chalicelib.use_cases.read_job import AwaitJob, GetJob
from chalicelib.use_cases.read_result import GetResult
from chalicelib.use_cases.read_usage import ReadUsage
from chalicelib.use_cases.run_job import RunJob
from chalicelib.use_cases.submit_job import SubmitJob
from chalicelib.use_cases.sweep import Sweep
from chalicelib.use_cases.turns import Turns
from chalicelib.web import json_text
from chalicelib.web.pagination import Cursors
from chalicelib.web.requirements import Requirements


class Container(Access):
    """The use cases, wired."""

    def __init__(self, adapters: Adapters) -> None:
        super().__init__(adapters)
        self.settings: Settings = adapters.settings
        self.clock: Clock = adapters.clock

    @cached_property
    def plans(self) -> PlansFile:
        """The plans and their prices."""
        return load_plans()

    @cached_property
    def submit_job(self) -> SubmitJob:
        """Wired `SubmitJob`."""
        a = self._adapters
        return SubmitJob(
            jobs=a.jobs,
            uploads=a.uploads,
            usage=a.usage,
            queue=a.queue,
            tenants=a.tenants,
            plans=self.plans.entitlements,
            prices=self.plans.price_book,
            estimate_wait=self.estimate_wait,
            job_types=self.job_types,
            clock=a.clock,
            ids=a.ids,
        )

    @cached_property
    def get_job(self) -> GetJob:
        """Wired `GetJob`."""
        return GetJob(jobs=self._adapters.jobs)

    @cached_property
    def list_jobs(self) -> ListJobs:
        """Wired `ListJobs`."""
        return ListJobs(jobs=self._adapters.jobs, read_confirmation=self.read_confirmation)

    @cached_property
    def read_confirmation(self) -> ReadConfirmation:
        """Wired `ReadConfirmation`."""
        return ReadConfirmation(transactions=self._adapters.transactions, deployment=self.settings.deployment)

    @cached_property
    def cursors(self) -> Cursors:
        """What signs and reads the cursors of lists."""
        return Cursors(self._adapters.keys)

    @cached_property
    def await_job(self) -> AwaitJob:
        """Wired `AwaitJob`."""
        a = self._adapters
        return AwaitJob(
            get_job=self.get_job,
            read_confirmation=self.read_confirmation,
            seats=a.seats,
            clock=a.clock,
            ids=a.ids,
        )

    @cached_property
    def estimate_wait(self) -> EstimateWait:
        """Wired `EstimateWait`; the one of this process, for it remembers."""
        return EstimateWait(backlogs=self._adapters.backlogs, clock=self._adapters.clock)

    @cached_property
    def get_result(self) -> GetResult:
        """Wired `GetResult`."""
        a = self._adapters
        return GetResult(get_job=self.get_job, payloads=a.payloads, clock=a.clock)

    @cached_property
    def create_upload(self) -> CreateUpload:
        """Wired `CreateUpload`."""
        a = self._adapters
        return CreateUpload(uploads=a.uploads, clock=a.clock, ids=a.ids)

    @cached_property
    def job_types(self) -> Mapping[str, JobType]:
        """What can be submitted."""
        return JOB_TYPES

    @cached_property
    def read_usage(self) -> ReadUsage:
        """Wired `ReadUsage`."""
        a = self._adapters
        return ReadUsage(usage=a.usage, tenants=a.tenants, plans=self.plans.entitlements, clock=a.clock)

    @cached_property
    def read_invoice(self) -> ReadInvoice:
        """Wired `ReadInvoice`."""
        a = self._adapters
        return ReadInvoice(invoices=a.invoices, compute=self.compute_invoice, clock=a.clock)

    @cached_property
    def compute_invoice(self) -> ComputeInvoice:
        """Wired `ComputeInvoice`."""
        return ComputeInvoice(usage=self._adapters.usage, prices=self.plans.price_book)

    @cached_property
    def close_periods(self) -> ClosePeriods:
        """Wired `ClosePeriods`."""
        a = self._adapters
        close = ClosePeriod(invoices=a.invoices, compute=self.compute_invoice, clock=a.clock)
        return ClosePeriods(registry=a.registry, close=close, clock=a.clock)

    @cached_property
    def cancel_job(self) -> CancelJob:
        """Wired `CancelJob`."""
        a = self._adapters
        return CancelJob(get_job=self.get_job, jobs=a.jobs, prices=self.plans.price_book, clock=a.clock)

    @cached_property
    def run_job(self) -> RunJob:
        """Wired `RunJob`."""
        a = self._adapters
        return RunJob(
            jobs=a.jobs,
            payloads=a.payloads,
            checkpoints=a.checkpoints,
            queue=a.queue,
            backlogs=a.backlogs,
            sandbox=a.sandbox,
            chain_logs=a.chain_logs,
            job_types=self.job_types,
            read_input=ReadInput(
                jobs=a.jobs, uploads=a.uploads, job_types=self.job_types, parse=json_text.parse
            ),
            turns=Turns(jobs=a.jobs, give_up=self.give_up, clock=a.clock),
            give_up=self.give_up,
            prices=self.plans.price_book,
            clock=a.clock,
            ids=a.ids,
            canonical=json_text.canonical,
        )

    @cached_property
    def give_up(self) -> GiveUp:
        """Wired `GiveUp`."""
        return GiveUp(jobs=self._adapters.jobs, queue=self._adapters.queue, prices=self.plans.price_book)

    @cached_property
    def confirm_jobs(self) -> ConfirmJobs:
        """Wired `ConfirmJobs`."""
        a = self._adapters
        return ConfirmJobs(
            SenderPorts(
                jobs=a.jobs,
                transactions=a.transactions,
                chain=a.chain,
                signers=a.signers,
                queue=a.queue,
                clock=a.clock,
                prices=self.plans.price_book,
                chain_id=self.settings.chain_id,
                genesis_hash=self.settings.genesis_hash,
                registry=self.settings.registry,
            )
        )

    @cached_property
    def sweep(self) -> Sweep:
        """Wired `Sweep`."""
        a = self._adapters
        return Sweep(jobs=a.jobs, queue=a.queue, give_up=self.give_up, clock=a.clock)

    @cached_property
    def requirements(self) -> Requirements:
        """What operations ask for before their handlers are called."""
        return Requirements(self.clock, self.verify_proof)

    def open_clients(self) -> None:
        """See `Adapters.open_clients`."""
        self._adapters.open_clients()


def is_configured() -> bool:
    """Whether this process is to run functions, and does not only read the app, as packaging does."""
    return "JOBS_BASE_URL" in os.environ


def from_environment() -> Container:
    """The functions' container, on the real adapters."""
    return Container(Adapters(Settings.from_environment(os.environ)))
