"""Reconciling a month: jobs, usage events, invoice lines, entitlement counters, gateway and chain agree.

Each pair is compared by itself, so what one record has lost shows wherever another is made of it. All is read
as of one moment while the service goes on; what differs is looked at again, and only what still does is told.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.confirmation_view import Deployment
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.errors import Refused
from chalicelib.domain.month import Month
from chalicelib.domain.prices import PriceBook
from chalicelib.job_types.chain_logs import ChainLogs
from chalicelib.ports import (
    Chain,
    ChainTransactions,
    Clock,
    Invoices,
    Jobs,
    MeteringKeys,
    Registry,
    Signers,
    Usage,
)
from chalicelib.use_cases.read_invoice import ComputeInvoice
from chalicelib.use_cases.reconciliation.chain import CompareConfirmations
from chalicelib.use_cases.reconciliation.counters import COUNTERS, CompareCounters
from chalicelib.use_cases.reconciliation.events import CompareEvents
from chalicelib.use_cases.reconciliation.gateway import CompareRequests
from chalicelib.use_cases.reconciliation.invoices import CompareInvoices
from chalicelib.use_cases.reconciliation.pages import pages
from chalicelib.use_cases.reconciliation.records import CompareRecords
from chalicelib.use_cases.reconciliation.report import Difference, Figure, Report, Scope

# A line for as many: their pages take some seconds.
JOBS_A_LINE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcile:
    """Reads, and changes nothing."""

    jobs: Jobs
    usage: Usage
    invoices: Invoices
    metering_keys: MeteringKeys
    registry: Registry
    chain: Chain
    chain_logs: ChainLogs
    transactions: ChainTransactions
    signers: Signers
    prices: PriceBook
    deployment: Deployment
    clock: Clock

    def __call__(self, month: Month, *, only: Tenant | None = None, tell: Callable[[str], None]) -> Report:
        """Of one tenant or of all; `tell` hears how far it is. `Refused` before the month has begun."""
        now = self.clock.now()
        if month.start > now:
            raise Refused(f"The month {month.name} has not begun.")
        tenants = [only] if only else self.registry.tenants()
        confirmations = CompareConfirmations(chain=self.chain, deployment=self.deployment)
        figures: Counter[Figure] = Counter()
        differences: list[Difference] = []
        for tenant in tenants:
            tell(f"{tenant.name}: comparing {month.name}")
            scope = Scope(tenant=tenant, month=month, as_of=now)
            seen, found = self._persisting(scope, confirmations, tell)
            figures.update(seen)
            differences += found
        if confirmations.first_block is not None and not only:
            first, last = confirmations.first_block, confirmations.last_block
            tell(f"records of the blocks {first} to {last}")
            differences += self._records(tenants, first, last, figures)
        return Report(
            month=month,
            only=only,
            currency=self.prices.currency,
            figures=figures,
            differences=differences,
        )

    def _persisting(
        self, scope: Scope, confirmations: CompareConfirmations, tell: Callable[[str], None]
    ) -> tuple[Mapping[Figure, int], Sequence[Difference]]:
        """What still differs on a second look: one that fell into a commit has found only half of it."""
        figures: Counter[Figure] = Counter()
        first = list(self._differences(scope, confirmations, figures, tell))
        if not first:
            return figures, ()
        tell(f"{scope.tenant.name}: {len(first)} differences, looking again")
        places = {each.place for each in first}
        again = self._differences(scope, confirmations, Counter(), tell)
        return figures, [each for each in again if each.place in places]

    def _differences(
        self,
        scope: Scope,
        confirmations: CompareConfirmations,
        figures: Counter[Figure],
        tell: Callable[[str], None],
    ) -> Iterator[Difference]:
        """All that is known of a page of jobs is compared while it is at hand."""
        tenant_id = scope.tenant.tenant_id
        events = CompareEvents(jobs=self.jobs, usage=self.usage, prices=self.prices)
        counters = CompareCounters(scope=scope, jobs=self.jobs, usage=self.usage, prices=self.prices)
        requests = CompareRequests(scope=scope, metering_keys=self.metering_keys)
        for page in pages(self.jobs, tenant_id):
            counters.see(page)
            requests.see(page)
            yield from events.of_jobs(scope, page, figures)
            yield from confirmations.see(scope, page, figures)
            figures[Figure.JOBS] += len(page)
            if figures[Figure.JOBS] % JOBS_A_LINE < len(page):
                tell(f"{scope.tenant.name}: {figures[Figure.JOBS]} jobs")
        yield from counters.compare()
        figures[Figure.COUNTERS] += COUNTERS
        yield from requests.compare(figures)
        yield from events.of_store(scope)
        compute = ComputeInvoice(usage=self.usage, prices=self.prices)
        of_invoices = CompareInvoices(invoices=self.invoices, compute=compute)
        yield from of_invoices(scope, pages(self.jobs, tenant_id), figures)

    def _records(
        self, tenants: Sequence[Tenant], first: int, last: int, figures: Counter[Figure]
    ) -> Iterator[Difference]:
        compare = CompareRecords(
            jobs=self.jobs,
            transactions=self.transactions,
            signers=self.signers,
            logs=self.chain_logs,
            deployment=self.deployment,
        )
        return compare(tenants, figures, first=first, last=last)
