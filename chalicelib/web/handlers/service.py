"""Problem pages, health, and methods that a path does not have."""

from chalicelib.domain.errors import DomainError
from chalicelib.web import operations
from chalicelib.web.answers import ok
from chalicelib.web.http import Request, Response
from chalicelib.web.problem import type_url
from chalicelib.web.problems import CATALOGUE
from chalicelib.web.schemas.service import Health, ProblemPage


class ProblemNotFound(DomainError):
    """No problem has this code."""

    code = "problem_not_found"


class MethodNotAllowed(DomainError):
    """The path is there, and has no such method; the fact `allow` lists those that it has."""

    code = "method_not_allowed"


def problem_page(request: Request) -> Response:
    """200 with what a problem's code means and what to do."""
    code = request.path_parameters["code"]
    problem = CATALOGUE.get(code)
    if problem is None:
        raise ProblemNotFound("No problem has this code.")
    return ok(
        ProblemPage(
            type=type_url(code, base_url=request.base_url),
            code=problem.code,
            status=problem.status,
            title=problem.title,
            retryable=problem.retryable,
            advice=problem.advice,
        )
    )


def health(_request: Request) -> Response:
    """200 while the function runs; it promises nothing of the services behind."""
    return ok(Health())


def method_not_allowed(request: Request) -> Response:
    """Always `MethodNotAllowed`, with the methods that this path has."""
    allow = ", ".join(operations.methods_of(request.route))
    raise MethodNotAllowed(f"This path has {allow} alone.", allow=allow)
