"""A month from its first job to its adjusted invoice, on a whole stack whose clock the test moves."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from chalicelib.adapters.dynamodb_items import USAGE_EVENTS, tenant_day
from chalicelib.domain.entitlements import next_period_start
from chalicelib.domain.month import Month
from client.documents import ConfirmationPath, Status
from emulation.environment import edge_client
from tests.e2e.conftest import calling
from tests.stack_process import REPOSITORY, start_stack
from tests.waiting import until

INPUT: dict[str, Any] = {"seed": "0x" + "00" * 32, "rounds": 1}
PATIENCE_SECONDS = 20.0
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack, its clock, and the tenant acme, whose tokens last for no jump of that."""

    described: dict[str, Any]

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(httpx.get(self.described["clock_url"]).json()["now"])

    def move(self, by: timedelta) -> None:
        moved = {"advance_seconds": by.total_seconds()}
        httpx.post(self.described["clock_url"], json=moved).raise_for_status()

    def use(self) -> None:
        """A job of each path, from submit to the chain; some seconds pass."""
        with calling(self.described, "acme") as acme:
            jobs = [
                acme.client.submit("sha256.chain", INPUT, idempotency_key=path, confirmation=path).job.id
                for path in ConfirmationPath
            ]

            def are_done() -> bool:
                self.move(timedelta(seconds=1))
                return {acme.client.get(job).status for job in jobs} == {Status.SUCCEEDED}

            until(are_done, within_seconds=PATIENCE_SECONDS, what="the confirmation")

    def invoice(self, month: Month) -> bytes:
        with calling(self.described, "acme") as acme:
            return acme.http.get(f"/v1/invoices/{month.name}").raise_for_status().content

    def invoice_when(self, status: str, month: Month) -> bytes:
        """What the API answers once the invoice has got there."""

        def answered() -> bytes | None:
            body = self.invoice(month)
            return body if json.loads(body)["status"] == status else None

        return until(answered, within_seconds=PATIENCE_SECONDS, what=status) or b""

    def administer(self, *arguments: str) -> str:
        """What the command prints, run on the stack as its operator does."""
        return subprocess.run(
            [sys.executable, "-m", "chalicelib.admin", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, **self.described["environment"]},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        ).stdout

    def lose(self, event: dict[str, Any]) -> None:
        """The store has the event no more, as if its write had been lost."""
        day = datetime.fromisoformat(event["time"]).date()
        key = {"tenant_day": {"S": tenant_day(event["subject"], day)}, "event_id": {"S": event["id"]}}
        edge_client("dynamodb", self.described["edge_url"]).delete_item(TableName=USAGE_EVENTS, Key=key)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with start_stack(tmp_path / "state", "--clock", "manual") as started:
        yield Stack(started.ready())


def test_a_month_is_issued_after_its_grace_and_adjusted_for_an_event_that_was_lost(
    stack: Stack, tmp_path: Path
) -> None:
    month, file = Month(next_period_start(stack.now)), tmp_path / "events.jsonl"
    stack.move(month.start + A_DAY - stack.now)
    stack.use()
    whole = json.loads(stack.invoice(month))
    events = stack.administer("usage", "export", "acme", month.name)
    lost = next(line for line in events.splitlines() if "compute.used" in line)
    stack.lose(json.loads(lost))

    stack.move(month.end - stack.now)
    assert json.loads(stack.invoice(month))["status"] == whole["status"] == "draft"
    stack.move(month.closes_at - stack.now)
    body = stack.invoice_when("issued", month)
    issued = json.loads(body)
    assert int(issued["total_micros"]) < int(whole["total_micros"])
    file.write_text(lost)
    taken_in = json.loads(stack.administer("usage", "ingest", str(file), "--json"))
    assert (taken_in["new"], [each["period"] for each in taken_in["to_adjust"]]) == (1, [month.name])
    assert stack.invoice(month) == body

    stack.move(A_DAY)
    body = stack.invoice_when("adjusted", month)
    adjusted = json.loads(body)
    (adjustment,) = adjusted["adjustments"]
    assert adjustment["adjusts"] == issued["number"]
    assert [line["item"] for line in adjustment["lines"]] == ["compute.used"]
    assert adjusted["due_micros"] == whole["total_micros"]
    changing = {"status", "adjustments", "due_micros"}
    assert all(adjusted[name] == issued[name] for name in issued.keys() - changing)

    file.write_text(stack.administer("usage", "export", "acme", month.name))
    cut_off = adjustment["cut_offs"]["ingestion_time"]
    recompute = ("invoices", "recompute", month.name, "--events", str(file), "--adjusted-at", cut_off)
    assert stack.administer(*recompute).encode() == body + b"\n"
