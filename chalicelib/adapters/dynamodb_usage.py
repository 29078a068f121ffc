"""Usage in DynamoDB: one partition of events a tenant and day, so nothing is scanned; and invoices."""

from collections.abc import Iterator, Sequence
from datetime import date

from pydantic import TypeAdapter

from chalicelib.adapters.dynamodb import Tables, TransactionRefused
from chalicelib.adapters.dynamodb_actions import put_if_absent
from chalicelib.adapters.dynamodb_items import (
    ENTITLEMENTS,
    USAGE_EVENTS,
    decode_event,
    encode_event,
    entitlement_counts,
    key_of_event,
    tenant_day,
)
from chalicelib.domain.errors import Superseded
from chalicelib.domain.invoice import Invoice
from chalicelib.domain.metering import ContradictoryEvents, UsageEvent
from chalicelib.domain.month import Month
from chalicelib.domain.usage import EntitlementCounts

INVOICES = "invoices"
_INVOICE = TypeAdapter(Invoice)


class DynamoDbUsage:
    """The `Usage` port."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def events(self, tenant_id: str, day: date) -> Iterator[UsageEvent]:
        """See `ports.Usage.events`."""
        return map(
            decode_event,
            self._tables.read(
                USAGE_EVENTS,
                KeyConditionExpression="tenant_day = :tenant_day",
                values={":tenant_day": tenant_day(tenant_id, day)},
                ConsistentRead=True,
            ),
        )

    def find(self, events: Sequence[UsageEvent]) -> Sequence[UsageEvent | None]:
        """See `ports.Usage.find`."""
        found = map(
            decode_event, self._tables.get_many(USAGE_EVENTS, [key_of_event(each) for each in events])
        )
        known = {event.event_id: event for event in found}
        return [known.get(event.event_id) for event in events]

    def take_in(self, event: UsageEvent) -> bool:
        """See `ports.Usage.take_in`."""
        try:
            self._tables.transact([put_if_absent(USAGE_EVENTS, encode_event(event), key="event_id")])
        except TransactionRefused:
            known = self._tables.get(USAGE_EVENTS, key_of_event(event))
            assert known is not None, "no event is ever deleted"
            if decode_event(known) != event:
                raise ContradictoryEvents(decode_event(known), event) from None
            return False
        return True

    def counts(self, tenant_id: str, *, period: str) -> EntitlementCounts:
        """See `ports.Usage.counts`."""
        active, admitted = (
            self._tables.get(ENTITLEMENTS, {"tenant_id": tenant_id, "counter": counter})
            for counter in ("active", f"admitted#{period}")
        )
        return entitlement_counts(active=active, admitted=admitted)


class DynamoDbInvoices:
    """The `Invoices` port: a row an invoice or adjustment, written once."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def issued(self, tenant_id: str, month: Month) -> Sequence[Invoice]:
        """See `ports.Invoices.issued`."""
        found = self._tables.query(
            INVOICES,
            KeyConditionExpression="tenant_id = :tenant_id AND begins_with(month_sequence, :month)",
            values={":tenant_id": tenant_id, ":month": f"{month.name}#"},
            ConsistentRead=True,
        )
        return [_INVOICE.validate_json(each["document"]) for each in found]

    def issue(self, invoice: Invoice) -> None:
        """See `ports.Invoices.issue`."""
        row = {
            "tenant_id": invoice.tenant_id,
            "month_sequence": f"{invoice.month.name}#{invoice.sequence:04}",
            "document": _INVOICE.dump_json(invoice).decode(),
        }
        try:
            self._tables.transact([put_if_absent(INVOICES, row, key="tenant_id")])
        except TransactionRefused as refused:
            raise Superseded from refused
