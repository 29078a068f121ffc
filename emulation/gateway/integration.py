"""What answers behind the checks: a function through the Lambda proxy integration, or a MOCK.

Imitated for the proxy: a result may hold statusCode, headers, multiValueHeaders, body and isBase64Encoded,
none of them mandatory, and nothing else; anything else is malformed and a 502, like a function that fails or
answers more than Lambda lets through. One that does not answer in time is a 504. `http_integration` calls
backends that are no functions.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from emulation.functions import FunctionError, FunctionTimedOut, UnknownFunction
from emulation.gateway.api import Integration, MockResponse, Passthrough
from emulation.gateway.exchange import Exchange, Invoke
from emulation.gateway.fields import is_binary, is_header, passed_on, status_of
from emulation.gateway.proxy_event import answered_trace, proxy_event, request_context
from emulation.gateway.references import UriTemplate, function_named
from emulation.gateway.responses import Kind, Refused
from emulation.gateway.templates import substitute
from emulation.http import Headers, Response

# Lambda's limits on what it is sent and what it sends, as its own error messages have them.
EVENT_LIMIT_BYTES = 6 * 1024 * 1024
RESULT_LIMIT_BYTES = EVENT_LIMIT_BYTES + 100
_ESCAPED_BYTES = 6  # what JSON makes of one character at worst, so that small bodies need no measuring
_RESULT_FIELDS = frozenset(["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"])


async def call_function(exchange: Exchange, invoke: Invoke) -> Response:
    """The function's answer as a response, or Refused."""
    integration, event = exchange.method.integration, proxy_event(exchange)
    name = function_behind(integration.uri, exchange)
    if name is None:
        raise Refused(Kind.API_CONFIGURATION_ERROR)
    if _is_beyond(EVENT_LIMIT_BYTES, event):
        raise Refused(Kind.REQUEST_TOO_LARGE)
    try:
        result = await invoke(name, event, integration.timeout_seconds)
    except FunctionTimedOut as error:
        raise Refused(Kind.INTEGRATION_TIMEOUT) from error
    except UnknownFunction as error:
        raise Refused(Kind.API_CONFIGURATION_ERROR) from error
    except FunctionError as error:
        raise Refused(Kind.FAILED_PROXY) from error
    return _proxy_response(result, exchange)


def function_behind(uri: UriTemplate | None, exchange: Exchange) -> str | None:
    """The function that the URI names on this stage; None if it names none, or a variable is missing."""
    try:
        return function_named(uri.filled(exchange.stage.variables, {})) if uri is not None else None
    except KeyError:
        return None


def _is_beyond(limit_bytes: int, message: Mapping[str, Any], *, head: int = 0) -> bool:
    """Whether a message to or from Lambda is beyond the limit; `head` is the length of long headers."""
    body = message.get("body")
    length = len(body) if isinstance(body, str) else 0
    if (length + head) * _ESCAPED_BYTES <= limit_bytes:
        return False
    return len(json.dumps(message, ensure_ascii=False).encode(errors="replace")) > limit_bytes


def _proxy_response(result: object, exchange: Exchange) -> Response:
    if not isinstance(result, Mapping) or set(result) - _RESULT_FIELDS:
        raise Refused(Kind.FAILED_PROXY)
    headers = tuple(passed_on(_proxy_headers(result)))
    if _is_beyond(RESULT_LIMIT_BYTES, result, head=sum(len(value) for _, value in headers)):
        raise Refused(Kind.FAILED_PROXY)
    body = result.get("body")
    if body is not None and not isinstance(body, str):
        raise Refused(Kind.FAILED_PROXY)
    content = (body or "").encode(errors="replace")  # half of a surrogate pair is no character
    if result.get("isBase64Encoded") is True and _accepts_binary(exchange):
        content = _decoded(content)
    headers = (*_with_content_type(headers), ("X-Amzn-Trace-Id", answered_trace(exchange)))
    return Response(_status(result.get("statusCode")), headers, content)


def _with_content_type(headers: Headers) -> Headers:
    if any(name.lower() == "content-type" for name, _ in headers):
        return headers
    return (("Content-Type", "application/json"), *headers)


def _status(value: Any) -> int:
    """The status code, which may be a number in a text, and is 200 if there is none."""
    if value is None:
        return 200
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdecimal():
        raise Refused(Kind.FAILED_PROXY)
    try:
        return status_of(value)
    except ValueError as error:
        raise Refused(Kind.FAILED_PROXY) from error


def _proxy_headers(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """`multiValueHeaders`, then what `headers` adds: a header that both name is spelt as the first has it."""
    given = (result.get(name) for name in ("headers", "multiValueHeaders"))
    single, multiple = ({} if each is None else each for each in given)
    if not isinstance(single, Mapping) or not isinstance(multiple, Mapping):
        raise Refused(Kind.FAILED_PROXY)
    if not all(isinstance(values, list) for values in multiple.values()):
        raise Refused(Kind.FAILED_PROXY)
    pairs = [(name, _header_text(value)) for name, values in multiple.items() for value in values]
    spelt = {name.lower(): name for name in multiple}
    for name, value in single.items():
        pair = spelt.get(name.lower(), name), _header_text(value)
        if pair not in pairs:
            pairs.append(pair)
    if not all(is_header(*pair) for pair in pairs):
        raise Refused(Kind.FAILED_PROXY)
    return pairs


def _header_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    raise Refused(Kind.FAILED_PROXY)


def _accepts_binary(exchange: Exchange) -> bool:
    """Whether the client's first accepted media type is one of the API's binary ones."""
    accepted = exchange.headers.get("accept", "").partition(",")[0].partition(";")[0].strip().lower()
    return is_binary(accepted, exchange.deployment.binary_media_types)


def _decoded(content: bytes) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error as error:
        raise Refused(Kind.API_CONFIGURATION_ERROR) from error  # a 500, unlike what else is malformed


def mock(exchange: Exchange) -> Response:
    """A MOCK integration's answer: the request template names the status, the status selects the response.

    Templates know plain substitution only, no Velocity.
    """
    integration = exchange.method.integration
    try:
        asked = json.loads(_filled(_request_template(integration, exchange), exchange))
        response = _selected(integration, str(asked["statusCode"]))
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(Kind.API_CONFIGURATION_ERROR) from error
    template = response.templates.get("application/json", "")
    content = _filled(template, exchange).encode(errors="replace")
    return Response(response.status, _with_content_type(tuple(passed_on(response.headers.items()))), content)


def _filled(template: str, exchange: Exchange) -> str:
    """The template substituted; for one that refers to nothing the context is not made."""
    if "$" not in template:
        return template
    return substitute(
        template, {"context": request_context(exchange), "stageVariables": exchange.stage.variables}
    )


def _request_template(integration: Integration, exchange: Exchange) -> str:
    templates = integration.request_templates
    if exchange.media_type in templates:
        return templates[exchange.media_type]
    passed_on = {
        Passthrough.WHEN_NO_MATCH: True,
        Passthrough.WHEN_NO_TEMPLATES: not templates,
        Passthrough.NEVER: False,
    }
    if not passed_on[integration.passthrough]:
        raise Refused(Kind.UNSUPPORTED_MEDIA_TYPE)
    return exchange.request.body.decode("utf-8", errors="replace")


def _selected(integration: Integration, status: str) -> MockResponse:
    """The response whose pattern matches the status, else the default one, else KeyError."""
    for response in integration.responses:
        if response.selection is not None and response.selection.covers(status):
            return response
    for response in integration.responses:
        if response.selection is None:
            return response
    raise KeyError(status)
