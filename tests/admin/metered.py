"""Usage on a stack's own tables: jobs that were accepted and canceled, and events that are as if of jobs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from chalicelib.adapters.cloud_events import cloud_event
from chalicelib.adapters.dynamodb_items import USAGE_EVENTS, key_of_event
from chalicelib.aws import Adapters
from chalicelib.container import Container
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.metering import UNITS, UsageEvent
from chalicelib.domain.month import Month
from chalicelib.domain.prices import Meter
from chalicelib.use_cases.submit_job import Submission
from chalicelib.web import json_text
from chalicelib.web.schemas.invoices import invoice_view
from emulation.environment import edge_client
from tests.unit.world import SHORT

Document = dict[str, Any]


@dataclass(frozen=True)
class Billing:
    """The service for one tenant, on the plan pro."""

    adapters: Adapters
    edge_url: str
    name: str
    tenant_id: str

    @cached_property
    def service(self) -> Container:
        return Container(self.adapters)

    def canceled(self, key: str) -> list[UsageEvent]:
        """The events of a job that was accepted and canceled, by id."""
        accepted = self.service.submit_job(
            Submission(
                tenant_id=self.tenant_id,
                idempotency_key=key,
                type="sha256.chain",
                input=SHORT,
                canonical_body=json_text.canonical(SHORT),
                trace_id="0" * 31 + "1",
                request_id="r1",
            ),
            render=lambda _: b"{}",
            canonical=json_text.canonical,
        )
        self.service.cancel_job(accepted.job_ref)
        today = self.adapters.clock.now().date()
        return [
            each for each in self.adapters.usage.events(self.tenant_id, today) if each.ref == accepted.job_ref
        ]

    def used(self, number: int, meter: Meter, time: datetime, **values: Any) -> UsageEvent:
        """An event that the store has from now on, of a job that is none."""
        made = UsageEvent(
            ref=JobRef(self.tenant_id, f"job_{number:026d}"),
            meter=meter,
            time=time,
            unit=UNITS[meter],
            outcome=Status.SUCCEEDED,
            **{"quantity": 1, "plan": "pro", "price_version": "2026-11", **values},
        )
        self.adapters.usage.take_in(made)
        return made

    def lose(self, event: UsageEvent) -> None:
        """The store has it no more."""
        key = {name: {"S": value} for name, value in key_of_event(event).items()}
        edge_client("dynamodb", self.edge_url).delete_item(TableName=USAGE_EVENTS, Key=key)

    def answered(self, month: Month) -> bytes:
        """The invoice as the API answers it."""
        return invoice_view(self.service.read_invoice(self.tenant_id, month)).to_bytes()


def with_data(event: UsageEvent, **data: str) -> Document:
    """The event's document, with other data."""
    document = cloud_event(event)
    return {**document, "data": {**document["data"], **data}}


def lines(*documents: Mapping[str, Any]) -> str:
    return "".join(f"{json.dumps(document)}\n" for document in documents)
