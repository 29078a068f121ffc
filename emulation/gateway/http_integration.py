"""The HTTP proxy integration: the request passed on to a backend, and its answer passed back.

Imitated, mostly from captured requests: Host is the backend's; hop-by-hop headers, Content-Encoding and Via
are dropped unless mapped; Accept and User-Agent are the gateway's where the client sent none; mapped headers
replace the client's, and mapped query parameters come after the client's; a placeholder of the URI is filled
by a mapping alone, never by the path parameter of its name. The answer's headers are renamed and dropped as
those of a function are; its Content-Encoding stays, because so do its bytes.
"""

import re
from collections.abc import Iterator
from urllib.parse import quote, urlencode

from emulation.gateway.api import Integration
from emulation.gateway.exchange import Exchange
from emulation.gateway.fields import is_header, passed_on, status_of
from emulation.gateway.mapping import value_of, values_of
from emulation.gateway.proxy_event import incoming_headers
from emulation.gateway.references import Location, Source
from emulation.gateway.responses import Kind, Refused
from emulation.gateway.routing import ANY
from emulation.http import Response
from emulation.http_client import AnswerTooLarge, HttpClient, InvalidAddress, TimedOut, Unanswered

# The service's payload limit. That a longer answer is a configuration error is our choice: nobody we found
# knows.
RESPONSE_LIMIT_BYTES = 10 * 1024 * 1024
_NOT_PASSED = frozenset(["host", "content-encoding", "via"])  # but a mapping may set them, except Via
_NEVER_PASSED = frozenset(["connection", "expect", "proxy-authenticate", "te", "via"])
# "Illegal character in path": what RFC 3986 has no place for, such as the braces of a placeholder left over.
_ILLEGAL = re.compile(r'[\x00-\x20"<>\\^`{|}\x7f]')


async def call_backend(exchange: Exchange, http: HttpClient) -> Response:
    """The backend's answer, or Refused."""
    integration, request = exchange.method.integration, exchange.request
    try:
        answer = await http.send(
            request.method if integration.verb == ANY else integration.verb,
            _url(integration, exchange),
            headers=_headers(integration, exchange),
            body=request.body,
            timeout_seconds=integration.timeout_seconds,
            limit_bytes=RESPONSE_LIMIT_BYTES,
        )
    except TimedOut as error:
        raise Refused(Kind.INTEGRATION_TIMEOUT) from error
    except (InvalidAddress, AnswerTooLarge) as error:
        raise Refused(Kind.API_CONFIGURATION_ERROR) from error
    except Unanswered as error:
        raise Refused(Kind.INTEGRATION_FAILURE) from error
    try:
        status = status_of(answer.status)
    except ValueError as error:  # such as 101: nothing was asked that it could switch to
        raise Refused(Kind.INTEGRATION_FAILURE) from error
    return Response(status, tuple(passed_on(answer.headers)), answer.body)


def _url(integration: Integration, exchange: Exchange) -> str:
    """The URI, filled, with the queries of the URI, of the client and of the mappings in turn."""
    sources = integration.mapping.path.items()
    placeholders = {name: value for name, source in sources if (value := _segment(source, exchange))}
    try:
        uri = integration.uri.filled(exchange.stage.variables, placeholders) if integration.uri else ""
    except KeyError as error:
        raise Refused(Kind.API_CONFIGURATION_ERROR) from error
    if _ILLEGAL.search(uri):
        raise Refused(Kind.API_CONFIGURATION_ERROR)
    path, _, query = uri.partition("?")
    mapped = [
        (name, value)
        for name, source in integration.mapping.query.items()
        for value in values_of(source, exchange)
    ]
    queries = [each for each in (query, exchange.request.query, urlencode(mapped)) if each]
    return f"{path}?{'&'.join(queries)}" if queries else path


def _segment(source: Source, exchange: Exchange) -> str | None:
    """The value as a URI can hold it; a path parameter already is as the client encoded it."""
    value = value_of(source, exchange)
    return value if value is None or source.location is Location.PATH else quote(value, safe="")


def _headers(integration: Integration, exchange: Exchange) -> Iterator[tuple[str, str]]:
    mapped = {
        name: value
        for name, source in integration.mapping.headers.items()
        if (value := value_of(source, exchange)) and is_header(name, value)
    }
    own = {"x-amzn-apigateway-api-id": exchange.deployment.api_id}
    replaced = {name.lower() for name in (*mapped, *own)} | _NOT_PASSED
    kept = {
        name: values for name, values in incoming_headers(exchange).items() if name.lower() not in replaced
    }
    present = {name.lower() for name in (*kept, *mapped)}
    defaults = {"Accept": "application/json", "User-Agent": f"AmazonAPIGateway_{exchange.deployment.api_id}"}
    yield from ((name, value) for name, values in kept.items() for value in values)
    yield from ((name, value) for name, value in mapped.items() if name.lower() not in _NEVER_PASSED)
    yield from ((name, value) for name, value in defaults.items() if name.lower() not in present)
    yield from own.items()
