"""What an invoice costs: a million events from an iterator, and thousands through the emulator's tables.

    python -m benchmarks.bench_invoices

Each row has a process of its own, whose peak is the most memory that it ever held. Beside ours, SQLite adds
up the same events by one GROUP BY. It leaves out what an invoice needs besides: that two contents of one id
are found, the last job's plan, tiers, fee and minimum; and it has all events before it begins.
"""

import multiprocessing
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter

from chalicelib.adapters.dynamodb import to_attributes
from chalicelib.adapters.dynamodb_items import USAGE_EVENTS, encode_event
from chalicelib.adapters.dynamodb_usage import DynamoDbUsage
from chalicelib.domain.invoice import MONTHLY_FEE, invoice_of
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.metering import UNITS, UsageEvent
from chalicelib.domain.month import CutOffs, Month
from chalicelib.domain.prices import Meter
from chalicelib.domain.tally import tally
from chalicelib.plans import load_plans
from chalicelib.use_cases.read_invoice import ComputeInvoice
from tests.conformance.in_process import connect
from tests.conformance.real_ports import make_resources, tables

IN_MEMORY = (100_000, 1_000_000)
STORED = (2_000, 20_000)
BATCH = 25
"""The most items that one BatchWriteItem takes."""
MONTH = Month.named("2026-11")
CUT_OFFS = CutOffs.of_invoice(MONTH)
METERS = (Meter.COMPUTE_USED, Meter.JOB_ACCEPTED, Meter.JOB_CONFIRMED, Meter.PAYLOAD_STORED)
"""Of each job, in the order of their ids."""

Sums = dict[str, int]


@dataclass(frozen=True, slots=True)
class Took:
    """What a way took, and what it came to: the units of each meter."""

    seconds: float
    peak_mib: float
    sums: Sums


def main() -> None:
    print(f"{'an invoice':<44}{'events':>10}{'seconds':>10}{'us each':>10}{'peak MiB':>10}")
    for count in IN_MEMORY:
        ours = _row("ours, from an iterator", of_iterator, count)
        _row("  of which the making of the events", only_made, count)
        peer = _row("SQLite in memory, load and GROUP BY", by_sqlite, count)
        assert ours.sums == peer.sums
    with _emulator() as endpoint:
        for count in STORED:
            _fill(endpoint, count)
            stored = _row("ours, through the emulator", of_tables, count, endpoint)
            assert stored.sums == _sums(events(count))


def _row(name: str, way: Callable[..., Took], count: int, *arguments: str) -> Took:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        took = pool.apply(way, (count, *arguments))
    each = 1e6 * took.seconds / count
    print(f"{name:<44}{count:>10,}{took.seconds:>10.2f}{each:>10.1f}{took.peak_mib:>10.0f}", flush=True)
    return took


def of_iterator(count: int) -> Took:
    """Tally and invoice, of events that nobody keeps."""
    prices, began = load_plans().price_book, perf_counter()
    tallied = tally(events(count), month=MONTH, cut_offs=CUT_OFFS)
    made = invoice_of(tallied, tenant_id=_tenant(count), month=MONTH, prices=prices, cut_offs=CUT_OFFS)
    seconds = perf_counter() - began
    assert made.lines[0].rate.item == MONTHLY_FEE
    sums = dict.fromkeys(METERS, 0)
    for group, quantity in tallied.quantities.items():
        sums[group.meter] += quantity
    return Took(seconds, _peak_mib(), {meter.value: units for meter, units in sums.items()})


def only_made(count: int) -> Took:
    """The events alone, of which the other rows' time has as much."""
    began = perf_counter()
    for _ in events(count):
        pass
    return Took(perf_counter() - began, _peak_mib(), {})


def by_sqlite(count: int) -> Took:
    """The sums alone; an id that is known is left out, whatever its content."""
    database, began = sqlite3.connect(":memory:"), perf_counter()
    database.execute(
        "CREATE TABLE events (id TEXT PRIMARY KEY, meter, plan, version, quantity, time, taken_in)"
        " WITHOUT ROWID"
    )
    database.executemany(
        "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (
                e.event_id,
                e.meter.value,
                e.plan,
                e.price_version,
                e.quantity,
                _number(e.time),
                _number(e.ingested_at),
            )
            for e in events(count)
        ),
    )
    found = database.execute(
        "SELECT meter, plan, version, SUM(quantity) FROM events"
        " WHERE time >= ? AND time < ? AND taken_in <= ? GROUP BY meter, plan, version",
        (_number(MONTH.start), _number(MONTH.end), _number(CUT_OFFS.ingestion_time)),
    ).fetchall()
    seconds, sums = perf_counter() - began, dict.fromkeys((meter.value for meter in METERS), 0)
    for meter, _, _, quantity in found:
        sums[meter] += quantity
    return Took(seconds, _peak_mib(), sums)


def of_tables(count: int, endpoint: str) -> Took:
    """As a close computes it, by queries over HTTP; the emulator's own time is in it, its memory is not."""
    compute = ComputeInvoice(usage=DynamoDbUsage(tables(endpoint)), prices=load_plans().price_book)
    began = perf_counter()
    made = compute(_tenant(count), MONTH, CUT_OFFS)
    seconds = perf_counter() - began
    sums = dict.fromkeys((meter.value for meter in METERS), 0)
    for line in made.lines:
        if line.rate.item in sums:
            sums[line.rate.item] += line.quantity
    return Took(seconds, _peak_mib(), sums)


def events(count: int) -> Iterator[UsageEvent]:
    """So many of one tenant's month, by day and id as the store has them."""
    jobs, days = count // len(METERS), len(MONTH.days)
    for number in range(jobs):
        day = number * days // jobs
        time = MONTH.start + timedelta(days=day, hours=12)
        ref = JobRef(_tenant(count), f"job_{number:026d}")
        for meter in METERS:
            yield UsageEvent(
                ref=ref,
                meter=meter,
                time=time,
                quantity=1 + number % 7,
                unit=UNITS[meter],
                plan="pro",
                price_version="2026-11" if day < 23 else "2026-11-24",
                outcome=Status.SUCCEEDED,
            )


def _tenant(count: int) -> str:
    return f"ten_{count}"


def _sums(made: Iterator[UsageEvent]) -> Sums:
    sums = dict.fromkeys((meter.value for meter in METERS), 0)
    for event in made:
        sums[event.meter.value] += event.quantity
    return sums


def _number(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _peak_mib() -> float:
    """Of this process, since it began."""
    status = Path("/proc/self/status").read_text()
    (kib,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kib) / 1024


@contextmanager
def _emulator() -> Iterator[str]:
    """The URL of the emulator's services with the app's tables, in a process of their own."""
    command = [sys.executable, "-m", "tests.conformance.aws_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        endpoint = f"http://127.0.0.1:{int(server.stdout.readline())}"
        make_resources(endpoint)
        try:
            yield endpoint
        finally:
            server.terminate()


def _fill(endpoint: str, count: int) -> None:
    dynamodb, made = connect("dynamodb", endpoint), events(count)
    while batch := list(islice(made, BATCH)):
        puts = [{"PutRequest": {"Item": to_attributes(encode_event(event))}} for event in batch]
        assert not dynamodb.batch_write_item(RequestItems={USAGE_EVENTS: puts})["UnprocessedItems"]


if __name__ == "__main__":
    main()
