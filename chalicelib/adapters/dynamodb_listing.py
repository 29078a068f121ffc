"""Pages of a tenant's jobs from its partition of the table: a range of ids, read backwards.

Reads are consistent, at twice the price of others: a job that was just accepted is in the list, as it is
under its own address.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.adapters.dynamodb import Tables, to_attributes
from chalicelib.adapters.dynamodb_items import JOBS, decode_job, key_of
from chalicelib.domain.job import Job, JobRef
from chalicelib.domain.listing import JobFilter, Page, page_of

# A filter on status or type is applied to rows that were read (and paid for), so what it costs to find
# nothing must have a bound: 500 rows of about 1 KB are 125 read units of the 3,000 a second that a
# partition has, and five round trips. Then the page is short, and its position says where to go on.
ROWS_A_READ = 100
READS_AT_MOST = 5


def read_page(tables: Tables, tenant_id: str, wanted: JobFilter, *, after: str | None, limit: int) -> Page:
    """See `ports.Jobs.page`."""
    if wanted.first_id >= wanted.end_id:
        return Page((), None)  # DynamoDB refuses a range that ends before it begins
    conditions = _conditions(tenant_id, wanted)
    rows = ROWS_A_READ if "FilterExpression" in conditions else limit + 1
    found: list[Job] = []
    position = after
    for _ in range(READS_AT_MOST):
        start = key_of(JobRef(tenant_id, position)) if position else None
        items, last = tables.read_page(JOBS, limit=rows, start=start, **conditions)
        found += map(decode_job, items)
        if len(found) > limit or last is None:
            return page_of(found, limit=limit)
        position = last["job_id"]
    return Page(found, position)


def _conditions(tenant_id: str, wanted: JobFilter) -> Mapping[str, Any]:
    """The tenant, the range, and what else the filter asks; `end_id` is no job's, so it may be included."""
    asked = {"status": wanted.status, "type": wanted.type}
    filters = {name: str(value) for name, value in asked.items() if value is not None}
    values = {":tenant": tenant_id, ":first": wanted.first_id, ":end": wanted.end_id}
    conditions: dict[str, Any] = {
        "KeyConditionExpression": "tenant_id = :tenant AND job_id BETWEEN :first AND :end",
        "ExpressionAttributeValues": to_attributes(
            {**values, **{f":{name}": value for name, value in filters.items()}}
        ),
        "ScanIndexForward": False,
        "ConsistentRead": True,
    }
    if filters:
        conditions["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in filters)
        conditions["ExpressionAttributeNames"] = {f"#{name}": name for name in filters}
    return conditions
