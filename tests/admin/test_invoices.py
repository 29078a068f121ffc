"""`invoices …`, as an operator, a program and whoever computes again see them, on a stack's own tables."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.adapters.cloud_events import cloud_event
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.month import GRACE, Month
from chalicelib.domain.prices import Meter
from tests.admin.commands import Admin, Ran, advance
from tests.admin.metered import Billing, lines, with_data

OCTOBER = Month.named("2026-10")
ISSUED = {"tenant_id", "number", "sequence", "currency", "event_time", "ingestion_time", "total_micros"}
HOUR = timedelta(hours=1)


@pytest.fixture
def used(billing: Billing) -> list[UsageEvent]:
    """A month's events: of every meter, and of two price versions."""
    noon = OCTOBER.start + timedelta(days=9, hours=12)
    versions = ("2026-11", "2026-11-24")
    return [
        billing.used(
            number,
            meter,
            noon + number * HOUR,
            quantity=quantity,
            price_version=versions[number % 2],
        )
        for number in range(8)
        for meter, quantity in (
            (Meter.JOB_ACCEPTED, 1),
            (Meter.COMPUTE_USED, 1_000 + number),
            (Meter.PAYLOAD_STORED, 1_000_000),
            (Meter.JOB_CONFIRMED, 1),
        )
    ]


def close(admin: Admin, billing: Billing, *arguments: str) -> Ran:
    return admin("invoices", "close", "2026-10", "--tenant", billing.name, *arguments)


def late(billing: Billing) -> UsageEvent:
    """An event of October that came after its grace."""
    taken_in = OCTOBER.end + GRACE + HOUR
    return billing.used(99, Meter.COMPUTE_USED, OCTOBER.end - HOUR, quantity=500, late_at=taken_in)


def recomputed(admin: Admin, file: Path, *arguments: str) -> bytes:
    """The document that the command prints, as a line."""
    return admin("invoices", "recompute", "2026-10", "--events", str(file), *arguments).text.encode()


def exported(admin: Admin, billing: Billing, tmp_path: Path) -> Path:
    """Each line of the month's export three times, and in no order."""
    each = admin("usage", "export", billing.name, "2026-10").out.splitlines(keepends=True)
    file = tmp_path / "events.jsonl"
    file.write_text("".join((*reversed(each), *each[1::2], *each[::2], *sorted(each))))
    return file


def test_an_invoice_is_issued_once_and_adjusted_for_what_comes_later(
    admin: Admin, billing: Billing, used: list[UsageEvent]
) -> None:
    number, total = f"{billing.tenant_id}-2026-10", "53.9788"
    first = close(admin, billing)
    assert (first.status, first.out) == (0, "2026-10: 1 issued\n")
    assert first.err == f"{billing.name}: issued {number}, {total} USD\n"
    again = close(admin, billing)
    assert (again.out, again.err) == ("2026-10: 1 unchanged\n", f"{billing.name}: unchanged\n")
    late(billing)
    adjusted = close(admin, billing)
    assert adjusted.err == f"{billing.name}: adjusted {number}-A1, 0.05 USD\n"
    assert close(admin, billing).out == "2026-10: 1 unchanged\n"
    listed = admin("invoices", "list", "2026-10", "--tenant", billing.name).text.splitlines()
    assert listed[0].split() == ["TENANT", "NUMBER", "TAKEN", "IN", "UNTIL", "TOTAL"]
    assert [line.split()[1] for line in listed[1:]] == [number, f"{number}-A1"]
    assert [line.split()[-2:] for line in listed[1:]] == [[total, "USD"], ["0.05", "USD"]]


def test_a_program_reads_what_a_close_did_to_each_tenant(
    admin: Admin, billing: Billing, used: list[UsageEvent]
) -> None:
    ran = admin("invoices", "close", "2026-10", "--json")
    document = json.loads(ran.out)
    assert (ran.status, set(document), document["period"]) == (0, {"period", "tenants"}, "2026-10")
    done = {each["name"]: each for each in document["tenants"]}
    mine = done[billing.name]
    assert (set(mine), mine["outcome"]) == (ISSUED | {"name", "outcome"}, "issued")
    assert (mine["sequence"], mine["total_micros"]) == (0, "53978800")
    listed = admin("invoices", "list", "2026-10", "--json").document
    assert mine.items() >= listed["invoices"][-1].items()


def test_nothing_is_issued_when_nothing_was_used(admin: Admin, billing: Billing) -> None:
    ran = close(admin, billing)
    assert (ran.out, ran.err) == ("2026-10: 1 empty\n", f"{billing.name}: empty\n")
    listed = admin("invoices", "list", "2026-10", "--tenant", billing.name).text
    assert listed == "No invoice of 2026-10 is issued: `invoices close` does it when the month is over.\n"
    assert admin("invoices", "show", billing.name, "2026-10").text.splitlines()[1] == "Nothing was used."


def test_a_line_says_from_when_on_a_month_can_be_closed_when_its_grace_is_not_over(
    admin: Admin, billing: Billing
) -> None:
    assert admin("invoices", "close", "2026-11", "--tenant", billing.name).refusal == (
        "2026-11 cannot be closed yet: what is late is waited for until 2026-12-04 00:01:00Z. Run it again "
        "from then on."
    )


def test_what_is_shown_is_what_the_api_answers(
    admin: Admin, billing: Billing, used: list[UsageEvent]
) -> None:
    for status in ("draft", "issued", "adjusted"):
        document = admin("invoices", "show", billing.name, "2026-10", "--json").document
        assert document == json.loads(billing.answered(OCTOBER))
        assert document["status"] == status
        late(billing) if status == "issued" else None
        close(admin, billing)


def test_a_person_reads_the_lines_the_adjustments_and_what_is_due(
    admin: Admin, billing: Billing, used: list[UsageEvent]
) -> None:
    close(admin, billing)
    late(billing)
    close(admin, billing)
    text = admin("invoices", "show", billing.name, "2026-10").text.splitlines()
    number = f"{billing.tenant_id}-2026-10"
    assert text[0] == (
        f"invoice {number}, adjusted: events until 2026-11-01 00:00:00Z, taken in until 2026-11-04 00:00:00Z"
    )
    assert " ".join(text[1].split()) == "ITEM PLAN PRICES TIER QUANTITY UNIT UNIT PRICE AMOUNT"
    assert "compute.used pro 2026-11 1 4,012 unit 0.0001 0.4012" in [" ".join(line.split()) for line in text]
    assert "tax 0.00, total 53.9788 USD" in text
    assert any(line.startswith(f"adjustment {number}-A1 of {number}: ") for line in text)
    assert text[-1] == "due in all: 54.0288 USD"


def test_no_invoice_is_shown_when_its_month_has_not_begun(admin: Admin, billing: Billing) -> None:
    refusal = admin("invoices", "show", billing.name, "2099-01").refusal
    assert refusal == "The month 2099-01 has not begun."


def test_whoever_has_the_export_gets_the_very_bytes_of_what_was_issued_without_a_stack(
    admin: Admin,
    billing: Billing,
    used: list[UsageEvent],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late(billing)
    close(admin, billing)
    issued = billing.answered(OCTOBER)
    close(admin, billing)
    adjusted = billing.answered(OCTOBER)
    file = exported(admin, billing, tmp_path)
    (adjustment,) = json.loads(adjusted)["adjustments"]
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert recomputed(admin, file) == issued + b"\n"
    adjusted_at = adjustment["cut_offs"]["ingestion_time"]
    assert recomputed(admin, file, "--adjusted-at", adjusted_at) == adjusted + b"\n"


def test_whoever_has_the_export_gets_the_draft_of_any_moment(
    admin: Admin, billing: Billing, used: list[UsageEvent], tmp_path: Path
) -> None:
    draft = billing.answered(OCTOBER)
    as_of = json.loads(draft)["cut_offs"]["ingestion_time"]
    file = exported(admin, billing, tmp_path)
    assert recomputed(admin, file, "--as-of", as_of) == draft + b"\n"
    before = (used[0].time - HOUR).isoformat()
    assert json.loads(recomputed(admin, file, "--as-of", before))["lines"] == []


def test_a_line_says_what_is_wrong_when_no_invoice_can_be_computed(
    admin: Admin, billing: Billing, used: list[UsageEvent], tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"

    def refusal(text: str, *arguments: str) -> str:
        file.write_text(text)
        return admin("invoices", "recompute", "2026-10", "--events", str(file), *arguments).refusal

    mine = cloud_event(used[0])
    assert refusal("") == "The events are of nobody: name one by --tenant-id."
    (tmp_path / "none").touch()
    nothing = recomputed(admin, tmp_path / "none", "--tenant-id", "ten_1")
    assert json.loads(nothing)["number"] == "ten_1-2026-10"
    others = lines(mine, {**mine, "subject": "ten_other"})
    assert refusal(others).startswith("The events are of ten_")
    faults = refusal(lines(mine) + "{}\n[]\n")
    assert "line 2: specversion: Field required; id: Field required" in faults
    assert " | line 3: Input should be an object" in faults
    too_long = refusal(lines({**mine, "subject": 49 * "t"}))
    assert "line 1: subject: String should have at most 48 characters" in too_long
    assert "has two contents" in refusal(lines(mine, with_data(used[0], quantity="2")))
    unknown = refusal(lines(with_data(used[0], price_version="1999-01")))
    assert unknown == "The price book has no plan or version '1999-01', which an event names."


def test_the_last_closed_month_is_meant_when_none_is_named(admin: Admin, billing: Billing) -> None:
    assert admin("invoices", "list", "--tenant", billing.name, "--json").document["period"] == "2026-10"
    advance(
        billing.edge_url,
        int((Month.named("2026-11").closes_at - billing.adapters.clock.now()).total_seconds()) + 1,
    )
    ran = admin("invoices", "close", "--tenant", billing.name)
    assert ran.out == "2026-11: 1 empty\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("close", "2026-13"),
        ("close", "november"),
        ("show", "acme"),
        ("show", "acme", "26-11"),
        ("recompute", "2026-10"),
        ("recompute", "2026-10", "--events", "no-such-file"),
        ("recompute", "2026-10", "--events", "-", "--as-of", "2026-11-01T00:00:00"),
        ("recompute", "2026-10", "--events", "-", "--as-of", "soon"),
        ("recompute", "2026-10", "--events", "-", "--as-of", "9999-12-31T23:59:59-01:00"),
        ("recompute", "2026-10", "--events", "-", "--tenant-id", "a b"),
        ("recompute", "2026-10", "--events", "-", "--tenant-id", 49 * "t"),
    ],
)
def test_the_status_is_2_when_a_command_is_written_wrongly(admin: Admin, arguments: tuple[str, ...]) -> None:
    ended = admin("invoices", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert "--help" in ended.err


def test_the_status_is_2_when_a_draft_is_to_have_adjustments(admin: Admin, tmp_path: Path) -> None:
    (tmp_path / "none").touch()
    moment = "2026-11-01T00:00:00Z"
    options = ("--as-of", moment, "--adjusted-at", moment, "--events", str(tmp_path / "none"))
    assert admin("invoices", "recompute", "2026-10", *options).status == 2
