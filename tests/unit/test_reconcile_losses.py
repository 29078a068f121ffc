"""Reconciling: whatever is lost, changed or added anywhere is found, and nothing else is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.confirmation import Entry
from chalicelib.domain.job import JobRef
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.prices import Meter
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.use_cases.reconciliation.report import Kind
from tests.unit.reconciled import DECEMBER, NOVEMBER, Books
from tests.unit.world import ACME, GLOBEX

DIRECT, COMPACT = ConfirmationPath.DIRECT, ConfirmationPath.COMPACT
INVOICE = f"{ACME}-2026-11"
PRICES = {
    Meter.JOB_ACCEPTED: "0.001",
    Meter.COMPUTE_USED: "0.000011",
    Meter.PAYLOAD_STORED: "0.000003",
    Meter.JOB_CONFIRMED: "0.05",
    Meter.JOB_CONFIRMED_COMPACT: "0.006",
    Meter.JOB_WAIVED: "-0.001",
}
Place = tuple[str, str, str]


@pytest.fixture
def books() -> Books:
    """A month as it is before it is closed."""
    made = Books()
    made.busy_month()
    return made


def line(meter: Meter, *, kind: Kind = Kind.DRAFT_LINE, number: str = INVOICE) -> Place:
    return kind, ACME, f"{number} {meter} test v0 tier 1 at {PRICES[meter]}"


def of_event(event: UsageEvent, kind: Kind) -> Place:
    return kind, ACME, event.event_id


@pytest.mark.parametrize("meter", Meter)
def test_an_event_is_named_with_its_draft_line_when_it_is_lost(books: Books, meter: Meter) -> None:
    lost = books.lose_event(meter)
    report = books.report()
    assert [each.place for each in report.differences] == [of_event(lost, Kind.EVENT_MISSING), line(meter)]
    first = report.differences[0]
    assert (lost.ref.job_id in first.evidence, first.found) == (True, "none")


@pytest.mark.parametrize("meter", Meter)
def test_an_event_is_named_with_its_invoice_line_when_it_is_lost_after_the_close(
    books: Books, meter: Meter
) -> None:
    books.close()
    lost = books.lose_event(meter)
    assert books.differences() == [
        of_event(lost, Kind.EVENT_MISSING),
        line(meter, kind=Kind.INVOICE_LINE),
    ]


def test_an_event_alone_is_named_when_it_was_lost_before_the_close(books: Books) -> None:
    lost = books.lose_event(Meter.COMPUTE_USED)
    books.close()
    assert books.differences() == [of_event(lost, Kind.EVENT_MISSING)]


@pytest.mark.parametrize(
    ("meter", "changes", "is_billed_otherwise"),
    [
        (Meter.COMPUTE_USED, {"quantity": 5}, True),
        (Meter.JOB_CONFIRMED, {"gas_used": 1}, False),
        (Meter.JOB_CONFIRMED_COMPACT, {"gas_price_wei": 1}, False),
        (Meter.JOB_ACCEPTED, {"unit": "soul"}, False),
    ],
)
def test_an_event_is_named_when_its_content_is_changed(
    books: Books, meter: Meter, changes: dict[str, object], *, is_billed_otherwise: bool
) -> None:
    event = books.event(meter)
    books.jobs._events[event.event_id] = replace(event, **changes)
    lines = [line(meter)] if is_billed_otherwise else []
    assert books.differences() == [of_event(event, Kind.EVENT_CHANGED), *lines]


def test_no_line_can_be_told_when_an_event_has_a_plan_without_prices(books: Books) -> None:
    event = books.event(Meter.COMPUTE_USED)
    books.jobs._events[event.event_id] = replace(event, plan="nonsense")
    assert books.differences() == [of_event(event, Kind.EVENT_CHANGED), (Kind.UNPRICED, ACME, INVOICE)]


@pytest.mark.parametrize("job_id", ["job_0000000000NOBODY", None])
def test_an_event_is_named_when_no_job_bears_it_out(books: Books, job_id: str | None) -> None:
    """Of no job at all, or of one that has not come so far."""
    event = books.event(Meter.COMPUTE_USED)
    queued = books.submit()
    other = replace(event, ref=JobRef(ACME, job_id) if job_id else queued)
    # In November, in which the job was not accepted; that is of no account here.
    books.jobs._events[other.event_id] = other
    assert books.differences() == [of_event(other, Kind.EVENT_UNFOUNDED), line(Meter.COMPUTE_USED)]


def test_all_that_a_job_has_left_is_named_when_its_row_is_lost(books: Books) -> None:
    lost = books.confirmed(DIRECT, nth=1)
    del books.jobs._jobs[lost.ref]
    events = [each for each in books.jobs.events().values() if each.ref == lost.ref]
    assert sorted(books.differences()) == sorted(
        [
            *(of_event(each, Kind.EVENT_UNFOUNDED) for each in events),
            *(line(each.meter) for each in events),
            (Kind.COUNTER, ACME, "admitted"),
            (Kind.COUNTER, ACME, "spent_micros"),
            (Kind.RECORD_UNFOUNDED, "-", f"job key {lost.confirmation.job_key}"),
        ]
    )


def with_lines(
    books: Books, change: Callable[[tuple[object, ...]], tuple[object, ...]], nth: int = 0
) -> None:
    issued = books.invoices._issued[ACME, NOVEMBER.name]
    issued[nth] = replace(issued[nth], lines=change(issued[nth].lines))


def test_a_line_is_named_when_an_invoice_was_issued_with_another_quantity(books: Books) -> None:
    books.close()
    with_lines(
        books,
        lambda lines: tuple(
            replace(each, quantity=each.quantity + 1) if each.rate.item == Meter.COMPUTE_USED else each
            for each in lines
        ),
    )
    [found] = books.report().differences
    assert found.place == line(Meter.COMPUTE_USED, kind=Kind.INVOICE_LINE)
    assert found.evidence == "0.000011 too much"


def test_a_line_is_named_when_an_invoice_lacks_it(books: Books) -> None:
    books.adjusted()
    with_lines(books, lambda lines: tuple(each for each in lines if each.rate.item != Meter.JOB_CONFIRMED))
    assert books.differences() == [line(Meter.JOB_CONFIRMED, kind=Kind.INVOICE_LINE)]


def test_the_tax_is_named_when_an_invoice_has_some(books: Books) -> None:
    books.close()
    issued = books.invoices._issued[ACME, NOVEMBER.name]
    issued[0] = replace(issued[0], tax_micros=1)
    assert books.differences() == [(Kind.INVOICE_LINE, ACME, f"{INVOICE} tax")]


def test_a_line_is_named_when_an_adjustment_was_issued_otherwise(books: Books) -> None:
    books.adjusted()
    with_lines(books, lambda lines: tuple(replace(each, quantity=1) for each in lines), nth=1)
    wanted = line(Meter.COMPUTE_USED, kind=Kind.ADJUSTMENT_LINE, number=f"{INVOICE}-A1")
    assert books.differences() == [wanted]


def test_what_it_adjusted_is_not_invoiced_when_an_adjustment_is_lost(books: Books) -> None:
    books.adjusted()
    books.be_at(books.world.clock.now() + timedelta(days=2))
    assert books.differences() == []
    books.invoices._issued[ACME, NOVEMBER.name].pop()
    assert books.differences() == [line(Meter.COMPUTE_USED, kind=Kind.NOT_INVOICED)]


@pytest.mark.parametrize(("hours", "is_due"), [(1, False), (24, False), (26, True)])
def test_a_late_event_is_no_difference_until_a_close_has_had_its_time(
    books: Books, hours: int, *, is_due: bool
) -> None:
    lost = books.lose_event(Meter.COMPUTE_USED)
    books.close()
    books.take_in(lost)
    books.be_at(books.world.clock.now() + timedelta(hours=hours))
    wanted = [line(Meter.COMPUTE_USED, kind=Kind.NOT_INVOICED)] if is_due else []
    assert books.differences() == wanted


def test_a_month_is_named_when_it_was_never_closed(books: Books) -> None:
    books.close()
    books.be_at(books.world.clock.now() + timedelta(hours=26))
    books.invoices._issued.pop((GLOBEX, NOVEMBER.name))
    assert books.differences() == [(Kind.NOT_INVOICED, GLOBEX, f"{GLOBEX}-2026-11")]


@pytest.mark.parametrize("off_by", [-1, 1])
@pytest.mark.parametrize(
    ("counter", "name"),
    [("admitted#2026-11", "admitted"), ("active", "active"), ("spent#2026-11", "spent_micros")],
)
def test_a_counter_is_named_when_it_is_off_by_one(books: Books, counter: str, name: str, off_by: int) -> None:
    books.jobs._counters[ACME, counter] += off_by
    report = books.report()
    assert [each.place for each in report.differences] == [(Kind.COUNTER, ACME, name)]
    assert int(report.differences[0].found) - int(report.differences[0].expected) == off_by


def test_a_day_is_named_when_the_gateway_counted_fewer_requests_than_jobs(books: Books) -> None:
    first, last = NOVEMBER.end.date() - timedelta(days=8), NOVEMBER.end.date() - timedelta(days=1)
    counted = books.metering_keys.counted
    # One was a replay and one was refused, so that many may be missing.
    counted[ACME, first] -= 2
    assert books.differences() == []
    counted[ACME, first] -= 1
    assert books.differences() == [(Kind.GATEWAY_REQUESTS, ACME, str(first))]
    counted[ACME, last] -= 1
    books.be_at(DECEMBER.start + timedelta(hours=3))
    assert books.differences() == [(Kind.GATEWAY_REQUESTS, ACME, str(day)) for day in (first, last)]


def test_a_request_counts_for_its_job_when_that_is_accepted_on_the_next_day(books: Books) -> None:
    counted = books.metering_keys.counted
    days = [DECEMBER.start.date() + timedelta(days=n) for n in (-1, 0)]
    counted[ACME, days[0]], counted[ACME, days[1]] = 1, 0
    books.be_at(DECEMBER.start + timedelta(hours=3))
    assert books.differences(DECEMBER) == []
    counted[ACME, days[0]] = 0
    assert books.differences(DECEMBER) == [(Kind.GATEWAY_REQUESTS, ACME, str(days[1]))]


@pytest.mark.parametrize("path", ConfirmationPath)
def test_a_job_is_named_when_the_chain_has_no_record_of_it(books: Books, path: ConfirmationPath) -> None:
    job = books.confirmed(path)
    forget(books, job.confirmation.transaction_hash)
    assert books.differences() == [(Kind.CHAIN_RECORD, ACME, job.ref.job_id)]


def forget(books: Books, transaction_hash: str) -> None:
    """The chain never had the transaction."""
    for block in books.chain._blocks:
        block.transactions = [each for each in block.transactions if each.hash != transaction_hash]


def test_a_record_is_named_when_it_is_of_nobodys_job(books: Books) -> None:
    key = "0x" + "0d" * 32
    books.chain.take_nonce("0x" + "bd" * 20, Entry(key, "0x" + "ee" * 32))
    # So that it lies between the month's first and last confirmation.
    books.chain._blocks.insert(4, books.chain._blocks.pop())
    moved(books)
    found = books.differences()
    assert found == [(Kind.RECORD_UNFOUNDED, "-", f"job key {key}")]


def moved(books: Books) -> None:
    """Jobs know their blocks by their numbers as these are now."""
    numbers = {
        each.hash: number for number, block in enumerate(books.chain._blocks) for each in block.transactions
    }
    for ref, job in books.jobs._jobs.items():
        if at := job.confirmation:
            confirmation = replace(at, block_number=numbers[at.transaction_hash])
            books.jobs._jobs[ref] = replace(job, confirmation=confirmation)


def test_a_batch_is_named_when_we_have_no_such_row(books: Books) -> None:
    job = books.confirmed(COMPACT)
    assert job.placed is not None
    del books.world.transactions._rows[job.placed]
    assert books.differences() == [
        (Kind.RECORD_UNFOUNDED, "-", f"batch {hex(job.confirmation.inclusion.word)}")
    ]


@pytest.mark.parametrize("path", ConfirmationPath)
def test_a_record_is_named_when_its_job_has_another_result(books: Books, path: ConfirmationPath) -> None:
    """The chain's record of it then differs as well."""
    job = books.confirmed(path, nth=1)
    books.jobs._jobs[job.ref] = replace(job, result=replace(job.result, commitment="0x" + "0f" * 32))
    assert books.differences() == [
        (Kind.CHAIN_RECORD, ACME, job.ref.job_id),
        (Kind.RECORD_UNFOUNDED, ACME, job.ref.job_id),
    ]


@pytest.mark.parametrize("path", ConfirmationPath)
@pytest.mark.parametrize("changes", [{"gas_used": 7}, {"gas_price_wei": 7}])
def test_a_job_is_named_when_the_shares_do_not_sum_up_to_its_transactions_gas(
    books: Books, path: ConfirmationPath, changes: dict[str, int]
) -> None:
    """In the row and the event alike, which so agree."""
    job = books.confirmed(path)
    books.jobs._jobs[job.ref] = replace(job, confirmation=replace(job.confirmation, **changes))
    meter = Meter.JOB_CONFIRMED if path is DIRECT else Meter.JOB_CONFIRMED_COMPACT
    event = books.jobs._events[f"{job.ref.job_id}:{meter}"]
    books.jobs._events[event.event_id] = replace(event, **changes)
    assert books.differences() == [(Kind.GAS_SHARE, ACME, job.ref.job_id)]


def test_a_job_is_named_when_its_transaction_is_in_another_block(books: Books) -> None:
    job = books.confirmed(DIRECT)
    at = replace(job.confirmation, block_number=job.confirmation.block_number + 1)
    books.jobs._jobs[job.ref] = replace(job, confirmation=at)
    assert books.differences() == [(Kind.TRANSACTION, ACME, job.ref.job_id)]
