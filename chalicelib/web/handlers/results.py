"""Reading results."""

from chalicelib.use_cases.read_result import GetResult
from chalicelib.web.answers import ok
from chalicelib.web.handlers.jobs import job_ref
from chalicelib.web.http import Request, Response
from chalicelib.web.schemas.results import result_view


def get_result(get: GetResult, request: Request) -> Response:
    """200 with the exact bytes of the result, or a link to them, and what it takes to verify them."""
    return ok(result_view(get(job_ref(request))))
