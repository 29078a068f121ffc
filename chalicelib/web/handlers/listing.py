"""Listing jobs."""

from pydantic import JsonValue

from chalicelib.domain.listing import JobFilter
from chalicelib.use_cases.list_jobs import ListJobs
from chalicelib.web import operations
from chalicelib.web.answers import ok
from chalicelib.web.http import Request, Response
from chalicelib.web.pagination import Cursors
from chalicelib.web.schemas.listing import job_list, parse_query


def list_jobs(listed: ListJobs, cursors: Cursors, request: Request) -> Response:
    """200 with one page of the caller's jobs, and the cursor of the next if there may be one."""
    query = parse_query(request)
    wanted = query.filter
    listing = _identity(request.tenant_id, wanted)
    after = None if query.cursor is None else cursors.read(query.cursor, listing=listing)
    page = listed(request.tenant_id, wanted, after=after, limit=query.limit)
    following = None if page.position is None else cursors.write(page.position, listing=listing)
    return ok(job_list(page.jobs, next_cursor=following, base_url=request.base_url))


def _identity(tenant_id: str, wanted: JobFilter) -> JsonValue:
    """What a cursor is bound to: equal for two filters exactly if they let the same jobs through."""
    return {
        "operation": operations.LIST_JOBS.id,
        "tenant_id": tenant_id,
        "status": wanted.status,
        "type": wanted.type,
        "first_id": wanted.first_id,
        "end_id": wanted.end_id,
    }
