"""Reconciling: what is right is zero drift while the service runs."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.adapters.memory_registry_admin import MemoryRegistryAdmin
from chalicelib.adapters.memory_usage import MemoryUsage
from chalicelib.domain.confirmation import Entry
from chalicelib.domain.errors import ChainUnavailable, Refused
from chalicelib.domain.job import Job, JobRef, Status
from chalicelib.domain.metering import Ending, UsageEvent
from chalicelib.domain.month import Month
from chalicelib.domain.prices import Meter
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.job_types.chain_logs import Log, TooManyLogs
from chalicelib.use_cases.reconciliation.records import CompareRecords
from chalicelib.use_cases.reconciliation.report import A_READ, Figure, Kind
from tests.unit.reconciled import DECEMBER, NOVEMBER, Books, Meanwhile, RegistryLogs
from tests.unit.world import ACME, GLOBEX


@pytest.fixture
def books() -> Books:
    made = Books()
    made.busy_month()
    return made


@pytest.mark.parametrize("month", [NOVEMBER, DECEMBER])
def test_nothing_differs_when_a_busy_month_is_drafted(books: Books, month: Month) -> None:
    report = books.report(month)
    assert report.differences == []
    assert all(count for figure, count in report.compared)


@pytest.mark.parametrize("later", [timedelta(), timedelta(days=40)])
def test_nothing_differs_when_a_month_is_issued_and_adjusted(books: Books, later: timedelta) -> None:
    books.adjusted()
    books.be_at(books.world.clock.now() + later)
    assert books.report().differences == []
    assert books.report(DECEMBER).figures[Figure.EVENTS] > 0


def test_confirmations_earn_what_their_lines_say_when_their_gas_is_put_beside(books: Books) -> None:
    report = books.report()
    confirmed = [each for each in books.jobs.events().values() if each.gas_used and each.time < NOVEMBER.end]
    budget = books.world.prices.latest.gas
    assert budget is not None
    prices = {Meter.JOB_CONFIRMED: 50_000, Meter.JOB_CONFIRMED_COMPACT: 6_000}
    assert len(confirmed) == report.figures[Figure.CONFIRMATIONS] > 0
    assert report.earned_micros == sum(prices[each.meter] for each in confirmed)
    assert report.gas_cost_micros == sum(
        budget.cost_micros(each.gas_used, price_wei=each.gas_price_wei) for each in confirmed
    )
    assert report.margin_micros == report.earned_micros - report.gas_cost_micros


def test_only_its_own_is_compared_when_one_tenant_is_asked_for(books: Books) -> None:
    books.lose_event(Meter.JOB_ACCEPTED)
    globex = books.world.tenants.rows[GLOBEX]
    report = books.reconcile()(NOVEMBER, only=globex, tell=books.told.append)
    assert report.differences == []
    assert (report.figures[Figure.JOBS], report.figures[Figure.RECORDS]) == (2, 0)


def test_it_is_refused_when_the_month_has_not_begun(books: Books) -> None:
    with pytest.raises(Refused):
        books.report(Month.named("2027-01"))


def test_it_is_told_how_far_it_is_when_it_takes_its_time(books: Books) -> None:
    books.report()
    assert [line.split(":")[0] for line in books.told] == [ACME, GLOBEX, "records of the blocks 1 to 13"]


def submits(books: Books) -> None:
    books.submit()


def cancels(books: Books) -> None:
    queued = [ref for ref, job in books.jobs._jobs.items() if job.status is Status.QUEUED]
    books.world.cancel_job(queued[0])


def confirms(books: Books) -> None:
    books.job(ConfirmationPath.COMPACT, Ending.SUCCEEDED)


def ticks(books: Books) -> None:
    """The clock goes on too."""
    books.world.clock.advance(timedelta(seconds=1))
    submits(books)
    cancels(books)
    confirms(books)


READS = [
    ("jobs", "page", 1),
    ("jobs", "page", 2),
    ("jobs", "page", 3),
    ("jobs", "page", 4),
    ("jobs", "get_many", 1),
    ("jobs", "get_many", 3),
    ("usage", "find", 1),
    ("usage", "events", 25),
    ("usage", "events", 55),
    ("usage", "counts", 1),
    ("invoices", "issued", 1),
    ("metering_keys", "submits", 1),
    ("chain", "sightings", 1),
    ("chain_logs", "logs", 1),
]


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("port", "method", "nth"), READS)
@pytest.mark.parametrize("act", [submits, cancels, confirms, ticks])
def test_nothing_differs_when_jobs_move_while_they_are_read(
    act: Callable[[Books], None], port: str, method: str, nth: int, *, is_after: bool
) -> None:
    books = Books()
    books.batch()
    for _ in range(2):
        books.submit()
    # So that some jobs that have not ended are older than what is looked at last.
    books.world.clock.advance(timedelta(minutes=30))
    given = {
        "jobs": books.jobs,
        "usage": MemoryUsage(books.jobs),
        "invoices": books.invoices,
        "metering_keys": books.metering_keys,
        "chain": books.chain,
        "chain_logs": RegistryLogs(books.chain),
    }
    meanwhile = Meanwhile(given[port], method, lambda: act(books), nth=nth, is_after=is_after)
    books.ports[port] = meanwhile
    assert books.report().differences == []
    assert meanwhile.calls >= nth


def test_a_counter_that_is_off_is_found_when_jobs_move_while_it_is_read(books: Books) -> None:
    books.jobs._counters[ACME, "active"] -= 2
    usage = MemoryUsage(books.jobs)
    books.ports["usage"] = Meanwhile(usage, "counts", lambda: submits(books))
    assert books.differences() == [(Kind.COUNTER, ACME, "active")]


class Bounded:
    """The ports' promises to the letter: of 100 at most, each once."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def get_many(self, refs: Sequence[JobRef]) -> Sequence[Job | None]:
        assert len(set(refs)) == len(refs) <= A_READ
        found: Sequence[Job | None] = self._port.get_many(refs)
        return found

    def find(self, events: Sequence[UsageEvent]) -> Sequence[UsageEvent | None]:
        assert len({each.event_id for each in events}) == len(events) <= A_READ
        found: Sequence[UsageEvent | None] = self._port.find(events)
        return found


def test_no_more_than_a_page_is_asked_for_at_once_when_there_are_many_jobs() -> None:
    books = Books()
    for _ in range(2 * A_READ + 1):
        books.submit()
    books.world.clock.advance(timedelta(hours=2))
    books.world.sweep()
    books.submit()
    books.ports = {"jobs": Bounded(books.jobs), "usage": Bounded(MemoryUsage(books.jobs))}
    lost = [books.lose_event(Meter.JOB_ACCEPTED) for _ in range(2)]
    found = books.differences()
    assert found[-1][0] == Kind.DRAFT_LINE
    assert {where for _, _, where in found[:-1]} == {each.event_id for each in lost}


def test_nothing_differs_when_a_compact_job_was_materialized() -> None:
    books = Books()
    books.batch()
    job = books.confirmed(ConfirmationPath.COMPACT)
    entry = Entry(job.confirmation.job_key, job.result.commitment)
    MemoryRegistryAdmin(books.chain).materialize(entry, job.confirmation.inclusion)
    books.batch()
    report = books.report()
    assert report.differences == []
    # Two transactions of three direct jobs each, two batches, and the job by itself.
    assert report.figures[Figure.RECORDS] == 2 * 3 + 2 + 1


class Meagre:
    """A node that gives logs of one block at a time, and none of `refused`."""

    def __init__(self, logs: RegistryLogs, *, refused: int | None = None) -> None:
        self._logs = logs
        self._refused = refused

    def logs(self, address: str, *, first: int, last: int) -> Sequence[Log]:
        if first < last or first == self._refused:
            raise TooManyLogs
        return self._logs.logs(address, first=first, last=last)


def test_all_records_are_found_when_a_node_gives_few_at_once_and_few_are_held(books: Books) -> None:
    key = "0x" + "0d" * 32
    books.chain.take_nonce("0x" + "bd" * 20, Entry(key, "0x" + "ee" * 32))
    made = books.reconcile()
    compare = CompareRecords(
        jobs=made.jobs,
        transactions=made.transactions,
        signers=made.signers,
        logs=Meagre(RegistryLogs(books.chain)),  # type: ignore[arg-type]
        deployment=made.deployment,
        keys_a_pass=2,
    )
    figures: Counter[Figure] = Counter()
    head = len(books.chain._blocks) - 1
    tenants = list(books.world.tenants.rows.values())
    found = [each.place for each in compare(tenants, figures, first=0, last=head)]
    assert found == [(Kind.RECORD_UNFOUNDED, "-", f"job key {key}")]
    assert figures[Figure.RECORDS] > 2


def test_the_chain_is_unavailable_when_a_node_does_not_give_a_blocks_logs(books: Books) -> None:
    books.ports["chain_logs"] = Meagre(RegistryLogs(books.chain), refused=3)
    with pytest.raises(ChainUnavailable):
        books.report()
