"""A month is closed once: by whom, how often, and however it is interrupted, changes nothing."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.memory import ManualClock
from chalicelib.adapters.memory_access import MemoryClients, MemoryKeyRings, MemoryRegistry, MemoryTenants
from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.adapters.memory_usage import MemoryInvoices
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.errors import InvoiceNotFound, Refused, Superseded, Unavailable
from chalicelib.domain.invoice import Invoice, InvoiceStatus
from chalicelib.domain.metering import ContradictoryEvents, UsageEvent
from chalicelib.domain.month import GRACE, SETTLED_AFTER, CutOffs, Month
from chalicelib.domain.prices import Meter
from chalicelib.ports import Usage
from chalicelib.use_cases.close_period import Closed, ClosePeriods, Outcome
from tests.unit.billing import CLOSES_AT, NOVEMBER, TENANT, TICK, Office, event, lines

OFFICES = 8


class Interrupted(BaseException):
    """The process ends here."""


class Troubled(MemoryInvoices):
    """Acts before or after what was read or written, once."""

    def __init__(self) -> None:
        super().__init__()
        self.after_read: Callable[[], object] = lambda: None
        self.before_write: Callable[[], object] = lambda: None
        self.after_write: Callable[[], object] = lambda: None

    def _once(self, name: str) -> None:
        act = getattr(self, name)
        setattr(self, name, lambda: None)
        act()

    def issued(self, tenant_id: str, month: Month) -> Sequence[Invoice]:
        found = super().issued(tenant_id, month)
        self._once("after_read")
        return found

    def issue(self, invoice: Invoice) -> None:
        self._once("before_write")
        super().issue(invoice)
        self._once("after_write")


@pytest.fixture
def office() -> Office:
    made = Office(invoices=Troubled())
    made.take_in(event())
    return made


def interrupt() -> None:
    raise Interrupted


def be_down() -> None:
    raise Unavailable("down")


def late(office: Office, job: int) -> UsageEvent:
    """An event that is taken in now, and a day goes by."""
    made = event(job, Meter.JOB_CONFIRMED, late_at=office.clock.now())
    office.take_in(made)
    office.clock.advance(timedelta(days=1))
    return made


@pytest.mark.parametrize("moment", ["before_write", "after_write"])
@pytest.mark.parametrize("trouble", [interrupt, be_down])
@pytest.mark.parametrize("is_adjusting", [False, True], ids=["invoice", "adjustment"])
def test_one_is_issued_when_a_close_dies_at_its_write_and_runs_again(
    office: Office, moment: str, trouble: Callable[[], object], is_adjusting: object
) -> None:
    if is_adjusting:
        office.close()
        late(office, 2)
    issued = len(office.issued())
    setattr(office.invoices, moment, trouble)
    with pytest.raises((Interrupted, Unavailable)):
        office.close()
    again = office.close().outcome
    assert (again is Outcome.UNCHANGED) is (moment == "after_write")
    assert len(office.issued()) == issued + 1
    assert office.close().outcome is Outcome.UNCHANGED


@pytest.mark.parametrize("is_adjusting", [False, True], ids=["invoice", "adjustment"])
def test_one_is_issued_when_many_closes_meet(is_adjusting: object) -> None:
    meeting = threading.Barrier(OFFICES)

    class Meeting(MemoryInvoices):
        """All have found what is issued before any issues more."""

        def issue(self, invoice: Invoice) -> None:
            meeting.wait(timeout=20)
            super().issue(invoice)

    office = Office()
    office.take_in(event())
    office.close()
    wanted = Meeting()
    if is_adjusting:
        MemoryInvoices.issue(wanted, office.issued()[0])
        late(office, 2)
    office.invoices = wanted
    with ThreadPoolExecutor(OFFICES) as pool:
        closed = list(pool.map(lambda _: office.close(), range(OFFICES)))
    kind = Outcome.ADJUSTED if is_adjusting else Outcome.ISSUED
    outcomes = [each.outcome for each in closed]
    assert sorted(outcomes) == sorted([kind] + [Outcome.UNCHANGED] * (OFFICES - 1))
    [winner] = [each.invoice for each in closed if each.invoice]
    assert office.issued()[-1] == winner
    assert len(office.issued()) == (2 if is_adjusting else 1)


@pytest.mark.parametrize("moment", ["after_read", "before_write"])
@pytest.mark.parametrize("is_adjusting", [False, True], ids=["invoice", "adjustment"])
def test_the_other_closes_invoice_stands_when_it_is_quicker(
    office: Office, moment: str, is_adjusting: object
) -> None:
    if is_adjusting:
        office.close()
        late(office, 2)
    others: list[Closed] = []
    setattr(office.invoices, moment, lambda: others.append(office.close()))
    mine = office.close()
    [other] = others
    assert (mine.outcome, mine.invoice) == (Outcome.UNCHANGED, None)
    assert other.invoice == office.issued()[-1]
    assert len(office.issued()) == (2 if is_adjusting else 1)


def test_nothing_is_taken_back_when_a_close_whose_clock_is_behind_comes_after_another(
    office: Office,
) -> None:
    """Or it read its clock, and was then delayed until the other had billed more."""
    office.close()
    slow = ManualClock(office.clock.now())
    late(office, 2)
    office.close()
    before = office.issued()
    assert office.closing(clock=slow)(TENANT, NOVEMBER).outcome is Outcome.UNCHANGED
    assert office.issued() == before


def test_no_event_is_lost_when_it_is_committed_while_a_close_reads(office: Office) -> None:
    """Its writer read the clock before the close did, and committed after the close had read that day."""
    office.close()
    office.clock.advance(timedelta(days=1))
    slow = event(2, Meter.JOB_CONFIRMED, late_at=office.clock.now() - timedelta(seconds=50))

    class CommitsMeanwhile:
        def events(self, tenant_id: str, day: date) -> Iterator[UsageEvent]:
            found = list(office.usage.events(tenant_id, day))
            office.take_in(slow)
            yield from found

    assert office.closing(usage=CommitsMeanwhile())(TENANT, NOVEMBER).outcome is Outcome.UNCHANGED
    office.take_in(event(3, Meter.JOB_CONFIRMED, late_at=office.clock.now()))
    office.clock.advance(timedelta(days=1))
    assert office.close().outcome is Outcome.ADJUSTED
    assert sum(line.quantity for line in office.issued()[-1].lines) == 2


def test_no_close_is_made_before_the_grace_is_over_and_settled(office: Office) -> None:
    office.be_at(CLOSES_AT - TICK)
    with pytest.raises(Refused, match=r"2026-11 cannot be closed yet"):
        office.close()
    assert office.issued() == ()
    office.clock.advance(TICK)
    assert office.close().outcome is Outcome.ISSUED


def test_an_empty_month_gets_no_invoice_however_often_it_is_closed() -> None:
    office = Office()
    assert [office.close() for _ in range(3)] == [Closed(Outcome.EMPTY)] * 3
    assert office.issued() == ()


def test_the_draft_becomes_the_issued_invoice_when_the_month_is_closed(office: Office) -> None:
    draft = office.read(TENANT, NOVEMBER)
    office.close()
    issued = office.read(TENANT, NOVEMBER)
    assert (draft.status, issued.status) == (InvoiceStatus.DRAFT, InvoiceStatus.ISSUED)
    assert draft.invoice == issued.invoice
    office.clock.advance(timedelta(days=365))
    assert office.read(TENANT, NOVEMBER) == issued


def test_no_draft_is_read_of_a_month_that_has_not_begun(office: Office) -> None:
    following = Month(NOVEMBER.end)
    office.be_at(following.start - TICK)
    with pytest.raises(InvoiceNotFound):
        office.read(TENANT, following)
    office.clock.advance(TICK)
    assert office.read(TENANT, following).invoice.lines == ()


@given(st.datetimes(datetime(2024, 1, 10), datetime(2029, 1, 1), timezones=st.just(UTC)))
def test_the_last_closed_month_is_the_latest_that_can_be_closed(now: datetime) -> None:
    month = Month.last_closed(now)
    assert month.is_closed(now=now)
    assert not Month(month.end).is_closed(now=now)


@pytest.mark.parametrize("name", ["2026-11", "2026-12", "2027-02", "2028-02"])
def test_a_month_becomes_the_last_closed_one_at_its_moment(name: str) -> None:
    month = Month.named(name)
    closes_at = month.end + GRACE + SETTLED_AFTER
    assert Month.last_closed(closes_at) == month
    assert Month.last_closed(closes_at - TICK).end == month.start


def periods(office: Office, *tenants: str, usage: Usage | None = None) -> ClosePeriods:
    registry = MemoryRegistry(
        tenants=MemoryTenants(*(Tenant(tenant_id=each, name=each, plan="pro") for each in tenants)),
        clients=MemoryClients(),
        rings=MemoryKeyRings(),
        revocations=MemoryRevocations(),
    )
    return ClosePeriods(registry=registry, close=office.closing(usage=usage), clock=office.clock)


def test_every_tenant_gets_its_invoice_when_one_of_them_cannot_be_closed(office: Office) -> None:
    class OneIsBroken:
        def events(self, tenant_id: str, day: date) -> Iterator[UsageEvent]:
            if tenant_id == "ten_0":
                raise ContradictoryEvents(event(), event(quantity=2))
            yield from office.usage.events(tenant_id, day)

    office.take_in(event(7, tenant="ten_2"))
    closes = periods(office, "ten_0", TENANT, "ten_2", "ten_3", usage=OneIsBroken())
    closed: dict[str, Outcome] = {}

    def close_all() -> None:
        for tenant, each in closes():
            closed[tenant.tenant_id] = each.outcome

    with pytest.raises(ContradictoryEvents):
        close_all()
    assert closed == {TENANT: Outcome.ISSUED, "ten_2": Outcome.ISSUED, "ten_3": Outcome.EMPTY}
    assert {len(office.invoices.issued(each, NOVEMBER)) for each in (TENANT, "ten_2")} == {1}
    assert office.invoices.issued("ten_3", NOVEMBER) == ()


def test_tenants_have_invoices_of_their_own_when_all_are_closed(office: Office) -> None:
    office.take_in(event(7, tenant="ten_2"))
    found = {tenant.tenant_id: closed for tenant, closed in periods(office, TENANT, "ten_2")()}
    assert {name: closed.outcome for name, closed in found.items()} == {
        TENANT: Outcome.ISSUED,
        "ten_2": Outcome.ISSUED,
    }
    assert {closed.invoice.tenant_id for closed in found.values() if closed.invoice} == {TENANT, "ten_2"}
    assert lines([found[TENANT].invoice]) == lines([found["ten_2"].invoice])


def test_a_number_is_issued_once(office: Office) -> None:
    office.close()
    with pytest.raises(Superseded):
        office.invoices.issue(office.issued()[0])


def test_every_tenant_gets_its_invoice_when_the_price_book_lacks_what_ones_events_name(
    office: Office,
) -> None:
    office.take_in(event(7, tenant="ten_0", price_version="gone"), event(8, tenant="ten_2"))
    closes = periods(office, "ten_0", TENANT, "ten_2")
    with pytest.raises(KeyError, match="gone"):
        list(closes())
    assert {len(office.invoices.issued(each, NOVEMBER)) for each in (TENANT, "ten_2")} == {1}


def test_who_has_no_invoice_yet_is_closed_first_when_the_last_run_was_cut_off(office: Office) -> None:
    office.take_in(event(7, tenant="ten_2"), event(8, tenant="ten_3"))
    closes = periods(office, TENANT, "ten_2", "ten_3")
    first, _ = next(closes())
    assert [tenant.tenant_id for tenant, _ in closes()] == ["ten_2", "ten_3", first.tenant_id]


def test_a_draft_says_its_cut_offs_exactly_when_it_is_told_in_milliseconds(office: Office) -> None:
    now = NOVEMBER.start + timedelta(milliseconds=5, microseconds=600)
    office.be_at(now)
    office.take_in(event(2, time=now - timedelta(microseconds=100)))
    draft = office.read(TENANT, NOVEMBER).invoice
    told = CutOffs.of_draft(NOVEMBER, now=now.replace(microsecond=now.microsecond // 1_000 * 1_000))
    assert draft == office.read.compute(TENANT, NOVEMBER, told)
