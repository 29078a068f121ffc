"""Between Chalice and our handlers: requests in, answers out, and the one catch-all for HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from chalice.app import Chalice
from chalice.app import Request as ChaliceRequest
from chalice.app import Response as ChaliceResponse

from chalicelib.domain import tracing
from chalicelib.domain.errors import DomainError
from chalicelib.web import deprecation
from chalicelib.web.answers import ON_EVERY_ANSWER, problem_answer
from chalicelib.web.http import Caller, Request, Response
from chalicelib.web.logs import logger
from chalicelib.web.operations import Operation
from chalicelib.web.requirements import Requirements


class InternalError(DomainError):
    """A defect of ours; the log has the cause under the request's id."""

    code = "internal_error"


def serve(
    app: Chalice,
    operation: Operation | None,
    handle: Callable[[Request], Response],
    *,
    base_url: str,
    requirements: Requirements,
) -> ChaliceResponse:
    """The handler's answer, or a problem, and one line of it in the log.

    Without an operation, nothing is asked of the request before the handler has it.
    """
    assert app.current_request is not None, "Chalice sets the request before it calls a view"
    request = read_request(app.current_request, base_url=base_url)
    logger.set_correlation_id(request.request_id)
    with tracing.story(request.trace_id):
        response, code = _answer(operation, handle, request, requirements)
        logger.info(
            "answered",
            operation_id=operation and operation.id,
            status=response.status,
            code=code,
            tenant_id=request.caller and request.caller.tenant_id,
        )
    return _write(_announced(operation, response, base_url=base_url), request)


def _answer(
    operation: Operation | None,
    handle: Callable[[Request], Response],
    request: Request,
    requirements: Requirements,
) -> tuple[Response, str | None]:
    """The answer, with the problem's code if it is one; nothing of an unexpected error reaches the client."""
    try:
        if operation is not None:
            requirements.check(operation, request)
        return handle(request), None
    except DomainError as error:
        return problem_answer(error, request), error.code
    except Exception:
        logger.exception("unexpected error")
        defect = InternalError("Something went wrong on our side; retrying with the same key is safe.")
        return problem_answer(defect, request), defect.code


def _announced(operation: Operation | None, response: Response, *, base_url: str) -> Response:
    """The answer, good or bad, with when its operation goes away, if it does."""
    if operation is None or operation.deprecation is None:
        return response
    announcement = deprecation.headers(operation.deprecation, base_url=base_url)
    return replace(response, headers={**response.headers, **announcement})


def read_request(incoming: ChaliceRequest, *, base_url: str) -> Request:
    """Our request from Chalice's, whether it came through the gateway or through `chalice local`."""
    event = incoming.to_original_event()
    context = event["requestContext"]
    path = str(context.get("path") or event.get("path", ""))
    # `chalice local` sends no request id of the gateway's; the function's own names the request there.
    request_id = str(context.get("requestId") or getattr(incoming.lambda_context, "aws_request_id", ""))
    headers = _headers(event)
    return Request(
        base_url=base_url,
        route=str(context["resourcePath"]),
        path=path,
        method=str(context["httpMethod"]),
        # What the gateway serves begins with the stage, as `base_url` ends.
        url=base_url + path.removeprefix(f"/{context.get('stage')}"),
        address=str((context.get("identity") or {}).get("sourceIp", "")),
        headers=headers,
        path_parameters=event.get("pathParameters") or {},
        query=_query(event),
        body=raw if isinstance(raw := incoming.raw_body, bytes) else raw.encode(),
        request_id=request_id,
        trace_id=_trace_id(headers) or tracing.new_trace_id(request_id),
        caller=_caller(context.get("authorizer") or {}),
    )


def _headers(event: Mapping[str, object]) -> Mapping[str, tuple[str, ...]]:
    headers: dict[str, tuple[str, ...]] = {}
    many = event.get("multiValueHeaders") or {name: [v] for name, v in (event.get("headers") or {}).items()}  # type: ignore[attr-defined]
    for name, values in many.items():  # type: ignore[attr-defined]
        headers[name.lower()] = headers.get(name.lower(), ()) + tuple(values)
    return headers


def _query(event: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    return {
        name: tuple(values) for name, values in (event.get("multiValueQueryStringParameters") or {}).items()
    }


def _trace_id(headers: Mapping[str, tuple[str, ...]]) -> str | None:
    """The caller's trace id, if it sent one `traceparent` and that is valid."""
    given = headers.get("traceparent", ())
    return tracing.parse(given[0]) if len(given) == 1 else None


def _caller(authorizer: Mapping[str, str]) -> Caller | None:
    if "tenant_id" not in authorizer:
        return None
    return Caller(
        tenant_id=authorizer["tenant_id"],
        client_id=authorizer["client_id"],
        scopes=frozenset(authorizer["scope"].split()),
        thumbprint=authorizer.get("thumbprint"),
    )


def _write(response: Response, request: Request) -> ChaliceResponse:
    """With the id that names the request in our logs."""
    return ChaliceResponse(
        body=response.body.decode(),
        headers={
            **({"Content-Type": response.media_type} if response.media_type else {}),
            "Request-Id": request.request_id,
            **ON_EVERY_ANSWER,
            **response.headers,
        },
        status_code=response.status,
    )
