"""Usage in DynamoDB: one partition of events a tenant and day, so nothing is scanned."""

from collections.abc import Sequence
from datetime import date

from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.dynamodb_items import ENTITLEMENTS, USAGE_EVENTS, decode_event, tenant_day
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.usage import EntitlementCounts


class DynamoDbUsage:
    """The `Usage` port."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def events(self, tenant_id: str, day: date) -> Sequence[UsageEvent]:
        """See `ports.Usage.events`."""
        found = self._tables.query(
            USAGE_EVENTS,
            KeyConditionExpression="tenant_day = :tenant_day",
            values={":tenant_day": tenant_day(tenant_id, day)},
            ConsistentRead=True,
        )
        return [decode_event(item) for item in found]

    def counts(self, tenant_id: str, *, period: str) -> EntitlementCounts:
        """See `ports.Usage.counts`."""
        return EntitlementCounts(
            jobs_admitted=self._count(tenant_id, f"admitted#{period}"),
            active_jobs=self._count(tenant_id, "active"),
        )

    def _count(self, tenant_id: str, counter: str) -> int:
        found = self._tables.get(ENTITLEMENTS, {"tenant_id": tenant_id, "counter": counter})
        return int(found["jobs"]) if found else 0
