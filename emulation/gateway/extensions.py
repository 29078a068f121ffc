"""What AWS lacks, off unless an API's OpenAPI document asks for it.

`x-emulation-response-headers` maps headers to values, in the language of a gateway response's parameters:

    x-emulation-response-headers:
      RateLimit: context.rateLimit.limits

Each answer of an integration gets them, unless it has the header already or the value is empty. The value
`integration.response.header.NAME`, for a header of that name, gives back what the service renames: an answer
with the challenge that RFC 6750 asks for in place of `x-amzn-Remapped-WWW-Authenticate`. The real service
ignores the extension, as it ignores every one that it does not know.
"""

from collections.abc import Mapping
from typing import Any

from moto.apigateway import models

from emulation.gateway.exchange import Exchange
from emulation.gateway.fields import REMAPPED, may_be_added
from emulation.gateway.proxy_event import request_context
from emulation.gateway.templates import look_up
from emulation.http import Response

RESPONSE_HEADERS = "x-emulation-response-headers"
_GIVEN_BACK = "integration.response.header."
_KEPT_AS = "emulation_response_headers"  # on moto's model of an API, which has no field of its own for it


def ask_for_headers(api: models.RestAPI, document: Mapping[str, Any]) -> None:
    """Keeps what the document asks for; ValueError if that cannot be."""
    declared = document.get(RESPONSE_HEADERS)
    if declared is None:
        return
    for name, source in declared.items():
        known = source.startswith(("context.", "stageVariables.")) or source == _GIVEN_BACK + name
        if not may_be_added(name, "") or not known:
            raise ValueError(
                f"{RESPONSE_HEADERS}: {name} must be a header, from context.…, stageVariables.… or "
                f"{_GIVEN_BACK}{name}"
            )
    vars(api)[_KEPT_AS] = dict(declared)


def asked_headers(api: models.RestAPI) -> Mapping[str, str]:
    """What the API asked for, by header."""
    asked: Mapping[str, str] = vars(api).get(_KEPT_AS, {})
    return asked


def with_headers(response: Response, exchange: Exchange) -> Response:
    """The response with the headers that the API asked for."""
    asked = exchange.deployment.added_headers
    response = _given_back(response, frozenset(n for n, source in asked.items() if source == _GIVEN_BACK + n))
    context = {**request_context(exchange), "rateLimit": exchange.rate_limits()}
    values = {"context": context, "stageVariables": exchange.stage.variables}
    present = {name.lower() for name, _ in response.headers}
    found = [
        (name, look_up(source, values))
        for name, source in asked.items()
        if name.lower() not in present and not source.startswith(_GIVEN_BACK)
    ]
    added = tuple(each for each in found if each[1] and may_be_added(*each))
    return Response(response.status, response.headers + added, response.body)


def _given_back(response: Response, names: frozenset[str]) -> Response:
    """With these headers under the names that the integration gave them."""
    renamed = {f"{REMAPPED}{name}".lower(): name for name in names}
    headers = tuple((renamed.get(name.lower(), name), value) for name, value in response.headers)
    return Response(response.status, headers, response.body)
