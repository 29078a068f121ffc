"""What answers behind the checks: a function through the Lambda proxy integration, or a MOCK.

Imitated for the proxy: a result may hold statusCode, headers, multiValueHeaders, body and isBase64Encoded,
none of them mandatory, and nothing else; anything else is malformed and a 502, like a function that fails.
One that does not answer in time is a 504. Some response headers are renamed or dropped on their way out.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any

from emulation.functions import FunctionError, FunctionTimedOut, UnknownFunction
from emulation.gateway.api import Integration, MockResponse, Passthrough
from emulation.gateway.exchange import Exchange, Invoke
from emulation.gateway.fields import is_header, status_of
from emulation.gateway.proxy_event import proxy_event, request_context, trace_id
from emulation.gateway.responses import Kind, Refused
from emulation.gateway.templates import substitute
from emulation.http import Headers, Response

_RESULT_FIELDS = frozenset(["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"])
# From the developer guide's important notes, but for Content-Length: the edge writes the true one.
_REMAPPED = frozenset(
    [
        *("authorization", "connection", "content-md5", "date", "max-forwards", "server", "user-agent"),
        "www-authenticate",
    ]
)
_DROPPED = frozenset(
    [
        *("content-length", "expect", "host", "proxy-authenticate", "te", "trailer", "transfer-encoding"),
        "upgrade",
    ]
)


async def call_function(exchange: Exchange, invoke: Invoke) -> Response:
    """The function's answer as a response, or Refused."""
    integration = exchange.method.integration
    if integration.function is None:
        raise Refused(Kind.API_CONFIGURATION_ERROR)
    try:
        result = await invoke(integration.function, proxy_event(exchange), integration.timeout_seconds)
    except FunctionTimedOut as error:
        raise Refused(Kind.INTEGRATION_TIMEOUT) from error
    except UnknownFunction as error:
        raise Refused(Kind.API_CONFIGURATION_ERROR) from error
    except FunctionError as error:
        raise Refused(Kind.FAILED_PROXY) from error
    return _proxy_response(result, exchange)


def _proxy_response(result: object, exchange: Exchange) -> Response:
    if not isinstance(result, Mapping) or set(result) - _RESULT_FIELDS:
        raise Refused(Kind.FAILED_PROXY)
    headers = tuple(_proxy_headers(result))
    body = result.get("body")
    if body is not None and not isinstance(body, str):
        raise Refused(Kind.FAILED_PROXY)
    content = (body or "").encode()
    if result.get("isBase64Encoded") is True and _accepts_binary(exchange):
        content = _decoded(content)
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers = (("Content-Type", "application/json"), *headers)
    return Response(
        _status(result.get("statusCode")), (*headers, ("X-Amzn-Trace-Id", trace_id(exchange))), content
    )


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


def _proxy_headers(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """`multiValueHeaders` and then those of `headers` that it does not name."""
    single, multiple = (result.get(name) or {} for name in ("headers", "multiValueHeaders"))
    if not isinstance(single, Mapping) or not isinstance(multiple, Mapping):
        raise Refused(Kind.FAILED_PROXY)
    named = {name.lower() for name in multiple}
    pairs = [(name, value) for name, values in multiple.items() for value in _listed(values)]
    pairs += [(name, value) for name, value in single.items() if name.lower() not in named]
    for name, value in pairs:
        text = _header_text(value)
        if not is_header(name, text):
            raise Refused(Kind.FAILED_PROXY)
        if name.lower() not in _DROPPED:
            yield (f"x-amzn-Remapped-{name}" if name.lower() in _REMAPPED else name), text


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


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
    binary = exchange.deployment.binary_media_types
    accepted = exchange.headers.get("accept", "*/*").partition(",")[0].partition(";")[0].strip().lower()
    return "*/*" in binary or accepted in binary


def _decoded(content: bytes) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error as error:
        raise Refused(Kind.FAILED_PROXY) from error


def mock(exchange: Exchange) -> Response:
    """A MOCK integration's answer: the request template names the status, the status selects the response.

    Templates know plain substitution only, no Velocity.
    """
    integration = exchange.method.integration
    values = {"context": request_context(exchange), "stageVariables": exchange.stage.variables}
    try:
        asked = json.loads(substitute(_request_template(integration, exchange), values))
        response = _selected(integration, str(asked["statusCode"]))
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(Kind.API_CONFIGURATION_ERROR) from error
    template = response.templates.get("application/json", "")
    headers: Headers = (("Content-Type", "application/json"), *response.headers.items())
    return Response(response.status, headers, substitute(template, values).encode())


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
        if response.selection is not None and response.selection.fullmatch(status):
            return response
    for response in integration.responses:
        if response.selection is None:
            return response
    raise KeyError(status)
