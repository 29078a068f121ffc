"""`usage …`: what is billed, out of a stack and into one, on its own tables."""

import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.adapters.cloud_events import cloud_event
from chalicelib.domain.entitlements import period_of
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.month import Month
from chalicelib.domain.prices import Meter
from tests.admin.commands import Admin, advance
from tests.admin.metered import Billing, Document, lines, with_data

TAKEN_IN = {"new", "known", "refused", "to_adjust"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def events(billing: Billing) -> list[UsageEvent]:
    """What the store has of today."""
    return list(billing.adapters.usage.events(billing.tenant_id, billing.adapters.clock.now().date()))


def exported(admin: Admin, billing: Billing, month: Month) -> list[Document]:
    ran = admin("usage", "export", billing.name, month.name)
    assert ran.status == 0
    found = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.err == f"{len(found)} events of {billing.name} in {month.name}\n"
    return found


def this_month(billing: Billing) -> Month:
    return Month.named(period_of(billing.adapters.clock.now()))


def test_each_event_is_a_line_of_cloudevents_when_a_month_is_exported(admin: Admin, billing: Billing) -> None:
    made = billing.canceled("k1")
    month = this_month(billing)
    documents = exported(admin, billing, month)
    assert documents == [cloud_event(each) for each in made]
    accepted = documents[0]
    assert set(accepted) == {"specversion", "id", "source", "type", "subject", "time", "data"}
    assert (accepted["specversion"], accepted["type"]) == ("1.0", "zama.jobs.job.accepted")
    assert (accepted["subject"], accepted["data"]["quantity"]) == (billing.tenant_id, "1")
    billing.used(1, Meter.COMPUTE_USED, month.start - timedelta(microseconds=1))
    billing.used(2, Meter.COMPUTE_USED, month.end)
    assert exported(admin, billing, month) == documents


def test_a_lost_event_is_taken_in_once_however_often_its_line_comes(
    admin: Admin, billing: Billing, file: Path
) -> None:
    accepted, stored = billing.canceled("k1")
    file.write_text(lines(cloud_event(accepted), cloud_event(stored), cloud_event(stored)))
    billing.lose(stored)
    advance(billing.edge_url, 5)
    first = admin("usage", "ingest", str(file), "--json").document
    assert first == {"new": 1, "known": 2, "refused": [], "to_adjust": []}
    assert events(billing) == [accepted, stored]
    late = exported(admin, billing, this_month(billing))[1]
    assert late == {**cloud_event(stored), "ingestedat": late["ingestedat"]}
    assert late["ingestedat"] > late["time"]
    assert admin("usage", "ingest", str(file)).text == "0 new, 3 known, 0 refused\n"


def test_the_log_of_acts_tells_of_what_is_new_alone(admin: Admin, billing: Billing, file: Path) -> None:
    made = billing.canceled("k1")
    billing.lose(made[1])
    file.write_text(lines(*map(cloud_event, made)))
    advance(billing.edge_url, 5)
    admin("usage", "ingest", str(file))
    logged = [
        each
        for each in admin("audit", "--json").document["events"]
        if (each["act"], each["subject"]) == ("usage.taken_in", billing.tenant_id)
    ]
    assert [each["facts"]["event_id"] for each in logged] == [made[1].event_id]


def test_all_faults_are_told_by_line_and_the_good_events_taken_in_when_some_are_none(
    admin: Admin, billing: Billing, file: Path
) -> None:
    accepted, stored = billing.canceled("k1")
    billing.lose(stored)
    wrong = with_data(accepted, quantity="1.5", outcome="lost")
    broken = '{"specversion": "1.0"\n'
    file.write_text(
        lines(wrong) + "\n" + broken + lines({**cloud_event(accepted), "id": "x"}, cloud_event(stored))
    )
    ran = admin("usage", "ingest", str(file), "--json")
    document = json.loads(ran.out)
    assert (ran.status, set(document), document["new"]) == (1, TAKEN_IN, 1)
    assert [each["line"] for each in document["refused"]] == [1, 3, 4]
    first, second, third = (each["reason"] for each in document["refused"])
    assert "data.quantity: " in first
    assert "data.outcome: " in first
    assert second.startswith("Invalid JSON")
    assert third == f"id is not {accepted.event_id}"
    assert stored in events(billing)


@pytest.mark.parametrize(
    "time", ["2026-11-23T05:00:00", 1_795_410_000, "yesterday", "9999-12-31T23:59:59-01:00"]
)
def test_a_line_is_refused_when_its_time_is_no_moment(
    admin: Admin, billing: Billing, file: Path, time: object
) -> None:
    (accepted, _) = billing.canceled("k1")
    file.write_text(lines({**cloud_event(accepted), "time": time}))
    ran = admin("usage", "ingest", str(file))
    assert ran.status == 1
    assert ran.out.startswith("line 1: time: ")


def test_an_event_is_refused_when_no_job_bears_it_out(admin: Admin, billing: Billing, file: Path) -> None:
    (accepted, _) = billing.canceled("k1")
    absent = f"job_{0:026d}"
    nobodys = {**with_data(accepted, job_id=absent), "id": f"{absent}:job.accepted"}
    never = {
        **with_data(accepted, meter="job.confirmed"),
        "id": f"{accepted.ref.job_id}:job.confirmed",
        "type": "zama.jobs.job.confirmed",
    }
    file.write_text(lines(nobodys, never))
    ran = admin("usage", "ingest", str(file))
    assert ran.status == 1
    assert ran.out.splitlines() == [
        f"line 1: {absent}:job.accepted: the tenant {billing.tenant_id} has no such job.",
        f"line 2: {accepted.ref.job_id}:job.confirmed: the job is canceled, and has no such event.",
        "0 new, 0 known, 2 refused",
    ]


@pytest.mark.parametrize("is_lost", [False, True])
def test_both_contents_are_told_and_alarmed_when_an_event_contradicts_what_is_known(
    admin: Admin, billing: Billing, file: Path, caplog: pytest.LogCaptureFixture, *, is_lost: bool
) -> None:
    accepted, stored = billing.canceled("k1")
    if is_lost:
        billing.lose(stored)
    other = with_data(stored, quantity="7")
    file.write_text(lines(other, cloud_event(accepted)))
    ran = admin("usage", "ingest", str(file), "--json")
    document = json.loads(ran.out)
    assert (ran.status, document["known"]) == (1, 1)
    (refused,) = document["refused"]
    assert (refused["line"], refused["known"], refused["sent"]) == (1, cloud_event(stored), other)
    assert refused["reason"].endswith(": quantity 1 and not 7")
    (alarm,) = (record for record in caplog.records if record.levelno == logging.CRITICAL)
    assert stored.event_id in alarm.getMessage()
    assert '"quantity":"7"' in alarm.getMessage()
    assert (stored in events(billing)) is not is_lost


def test_the_month_is_named_when_its_invoice_was_issued_without_the_event(
    admin: Admin, billing: Billing, file: Path
) -> None:
    """Last, for it moves the clock past the month's grace."""
    accepted, stored = billing.canceled("k1")
    billing.lose(stored)
    month = this_month(billing)
    advance(billing.edge_url, int((month.closes_at - billing.adapters.clock.now()).total_seconds()) + 1)
    admin("invoices", "close", month.name, "--tenant", billing.name)
    file.write_text(lines(cloud_event(accepted), cloud_event(stored)))
    assert admin("usage", "ingest", str(file)).text.splitlines() == [
        f"{month.name} of {billing.tenant_id} is issued: "
        f"`invoices close {month.name}` adjusts it, from a minute on",
        "1 new, 1 known, 0 refused",
    ]
    assert admin("usage", "ingest", str(file), "--json").document["to_adjust"] == []
