"""What can be submitted."""

from collections.abc import Mapping

from chalicelib.job_types.contract import JobType
from chalicelib.web.answers import ok
from chalicelib.web.http import Request, Response
from chalicelib.web.schemas.job_types import JobTypeList, job_type_view


def list_job_types(job_types: Mapping[str, JobType], _request: Request) -> Response:
    """200 with every job type, the same for all tenants."""
    return ok(JobTypeList(data=tuple(job_type_view(job_types[name]) for name in sorted(job_types))))
