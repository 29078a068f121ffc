"""The `Invoices` port keeps each invoice as it was issued, and each number once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from chalicelib.adapters.dynamodb_usage import DynamoDbInvoices
from chalicelib.adapters.memory_usage import MemoryInvoices
from chalicelib.domain.errors import Superseded
from chalicelib.domain.invoice import Invoice, statement_of
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.month import CutOffs, Month
from chalicelib.domain.prices import Meter
from chalicelib.ports import Invoices
from chalicelib.web.schemas.invoices import invoice_view
from tests.conformance.admissions import IDS
from tests.conformance.real_ports import make_resources, tables
from tests.unit.billing import EVENTS, MOST, NEW, NOVEMBER, event, invoice

DECEMBER = Month(NOVEMBER.end)


@pytest.fixture(params=["memory", "real"])
def invoices(request: pytest.FixtureRequest) -> Invoices:
    if request.param == "memory":
        return MemoryInvoices()
    endpoint = request.getfixturevalue("aws_endpoint")
    make_resources(endpoint)
    return DynamoDbInvoices(tables(endpoint))


@pytest.fixture
def tenant() -> str:
    return IDS.new_id("ten_")


def made(tenant: str, *events: UsageEvent, sequence: int = 0, month: Month = NOVEMBER) -> Invoice:
    found = invoice(events, month=month, cut_offs=CutOffs.of_invoice(month))
    return replace(found, tenant_id=tenant, sequence=sequence)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVENTS)
def test_an_invoice_reads_back_whole_and_to_the_byte(invoices: Invoices, events: list[UsageEvent]) -> None:
    wanted = made(IDS.new_id("ten_"), *events)
    invoices.issue(wanted)
    [found] = invoices.issued(wanted.tenant_id, NOVEMBER)
    assert found == wanted
    shown, expected = (invoice_view(statement_of([each])).to_bytes() for each in (found, wanted))
    assert shown == expected
    assert (found.number, found.total_micros) == (wanted.number, wanted.total_micros)


def test_numbers_beyond_those_of_machines_read_back(invoices: Invoices, tenant: str) -> None:
    wanted = made(tenant, event(), event(2, Meter.COMPUTE_USED, quantity=10**60))
    invoices.issue(wanted)
    assert list(invoices.issued(tenant, NOVEMBER)) == [wanted]


def test_an_invoice_with_a_minimum_a_waiver_and_nothing_at_all_reads_back(
    invoices: Invoices, tenant: str
) -> None:
    months = [NOVEMBER, DECEMBER, Month(DECEMBER.end)]
    wanted = [
        made(tenant, event(plan=MOST, price_version=NEW)),
        made(tenant, event(meter=Meter.JOB_WAIVED, time=DECEMBER.start), month=DECEMBER),
        made(tenant, month=months[2]),
    ]
    for each in wanted:
        invoices.issue(each)
    assert [invoices.issued(tenant, month)[0] for month in months] == wanted
    assert wanted[1].total_micros < 0
    assert wanted[2].lines == ()


def test_adjustments_come_after_their_invoice_in_their_order(invoices: Invoices, tenant: str) -> None:
    wanted = [made(tenant, event(number), sequence=number) for number in range(12)]
    for each in wanted:
        invoices.issue(each)
    assert list(invoices.issued(tenant, NOVEMBER)) == wanted


def test_what_is_issued_stays_when_its_number_is_issued_again(invoices: Invoices, tenant: str) -> None:
    first = made(tenant, event())
    invoices.issue(first)
    adjustment = made(tenant, event(2), sequence=1)
    invoices.issue(adjustment)
    for each in (first, made(tenant), made(tenant, event(3), sequence=1)):
        with pytest.raises(Superseded):
            invoices.issue(each)
    assert list(invoices.issued(tenant, NOVEMBER)) == [first, adjustment]


@pytest.mark.parametrize("sequence", [0, 1])
def test_one_of_many_is_issued_when_they_have_one_number(
    invoices: Invoices, tenant: str, sequence: int
) -> None:
    for number in range(sequence):
        invoices.issue(made(tenant, sequence=number))
    wanted = [made(tenant, event(quantity=number), sequence=sequence) for number in range(2, 18)]
    together = threading.Barrier(len(wanted))

    def issue(each: Invoice) -> Invoice | None:
        together.wait(timeout=30)
        try:
            invoices.issue(each)
        except Superseded:
            return None
        return each

    with ThreadPoolExecutor(len(wanted)) as pool:
        won = [each for each in pool.map(issue, wanted) if each]
    assert len(won) == 1
    assert list(invoices.issued(tenant, NOVEMBER))[sequence:] == won


def test_nothing_of_another_tenant_or_month_is_read(invoices: Invoices, tenant: str) -> None:
    invoices.issue(made(tenant))
    invoices.issue(made(tenant, month=DECEMBER))
    invoices.issue(made(f"{tenant}x"))
    assert list(invoices.issued(tenant, NOVEMBER)) == [made(tenant)]
    assert list(invoices.issued(tenant, Month.named("2026-10"))) == []
    assert list(invoices.issued(f"{tenant}y", NOVEMBER)) == []
