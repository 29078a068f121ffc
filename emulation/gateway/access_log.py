"""The access log: one line a request.

A stage's `accessLogSettings.format` decides its line: `$context` variables replaced, and `-` where one is
unknown. A stage without a format gets the stack's own line, JSON under the names of `$context`, so that
there always is a log. Imitated: the variables of the developer guide's list. Always unknown, because the
emulation has nothing of the kind: WAF, Cognito, TLS, X-Ray, custom domains and Lambda's request id.
"""

import json
import logging
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii
from typing import Any, TextIO

from emulation.gateway.api import IntegrationKind
from emulation.gateway.exchange import Call, Exchange
from emulation.gateway.proxy_event import request_context
from emulation.gateway.responses import Refused, error_context
from emulation.gateway.templates import LineFormat, look_up
from emulation.http import Response

_LOG = logging.getLogger(__name__)
_UNKNOWN = "-"
# Already a JSON text, quotes and all, for a format to put where it likes.
_QUOTED = "context.error.messageString"


def write_line(
    log: TextIO, exchange: Exchange, *, response: Response, refused: Refused | None, latency_ms: float
) -> None:
    """Tells what was answered to whom; the value of a key only if the stage's format asks for it.

    A log that cannot be written to costs the line, not the answer.
    """
    wanted = exchange.stage.access_log_format
    if wanted is None:
        line = json.dumps(_own_fields(exchange, response.status, refused, latency_ms))
    else:
        line = _formatted(wanted, _context(exchange, response, refused, latency_ms))
    try:
        log.write(line + "\n")
        log.flush()
    except (OSError, ValueError):  # full, closed, or the format holds half of a surrogate pair
        _LOG.exception("the access log's line of request %s was not written", exchange.request_id)


def _own_fields(
    exchange: Exchange, status: int, refused: Refused | None, latency_ms: float
) -> Mapping[str, Any]:
    """Never a path, a body, a header or the value of a key: what a client sends may be a secret misplaced."""
    key = exchange.caller.key
    return {
        "requestId": exchange.request_id,
        "requestTimeEpoch": int(exchange.now * 1000),
        "apiId": exchange.deployment.api_id,
        "stage": exchange.stage.name,
        "httpMethod": exchange.request.method,
        "resourcePath": exchange.method.resource_path if exchange.route else None,
        "status": status,
        "apiKeyId": key.key_id if key else None,
        "principalId": exchange.authorized.principal_id if exchange.authorized else None,
        "responseType": refused.kind.value.name if refused else None,
        "errorMessage": refused.message if refused else None,
        "validationError": (refused.validation_error or None) if refused else None,
        "responseLatencyMs": round(latency_ms, 3),
    }


def _formatted(wanted: LineFormat, context: Mapping[str, Any]) -> str:
    """The line; what a client sent can neither end it nor close a quote in it, as in Apache's logs."""
    values = {"context": context}
    text = wanted.literals[0]
    for name, literal in zip(wanted.names, wanted.literals[1:], strict=True):
        value = look_up(name, values) or _UNKNOWN
        text += (value if name == _QUOTED else encode_basestring_ascii(value)[1:-1]) + literal
    return text


def _context(
    exchange: Exchange, response: Response, refused: Refused | None, latency_ms: float
) -> dict[str, Any]:
    known = request_context(exchange)
    integration = _integration(exchange, response)
    return {
        **known,
        "authorizer": {**known.get("authorizer", {}), **_authorizer(exchange.authorizer_call)},
        "awsEndpointRequestId": integration.get("requestId"),
        "error": error_context(refused) if refused else {},
        "integration": integration,
        "integrationErrorMessage": integration.get("error"),
        "integrationLatency": integration.get("latency"),
        "integrationStatus": integration.get("integrationStatus"),
        "responseLatency": round(latency_ms),
        "responseLength": len(response.body),
        "status": response.status,
    }


def _authorizer(call: Call | None) -> dict[str, Any]:
    if call is None:
        return {}
    return {
        "error": call.error,
        "integrationLatency": call.latency_ms,
        "integrationStatus": call.service_status,
        "latency": call.latency_ms,
        "status": call.status,
    }


def _integration(exchange: Exchange, response: Response) -> dict[str, Any]:
    call = exchange.integration_call
    if call is None:
        return {}
    is_backend = exchange.method.integration.kind is IntegrationKind.HTTP_PROXY
    return {
        "error": call.error,
        "integrationStatus": call.service_status,
        "latency": call.latency_ms,
        "requestId": response.header("x-amzn-Remapped-x-amzn-RequestId") if is_backend else None,
        "status": call.status,
    }
