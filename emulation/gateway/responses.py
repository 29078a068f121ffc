"""The answers the gateway makes itself: one table, and what an API's gateway responses make of it.

Imitated: status, body (to the byte) and `x-amzn-ErrorType` of each type; a type customised by the API beats
DEFAULT_4XX and DEFAULT_5XX, and a default without a status keeps the type's own.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from emulation.gateway.api import GatewayResponse
from emulation.gateway.exchange import Exchange
from emulation.gateway.fields import may_be_added
from emulation.gateway.proxy_event import request_context
from emulation.gateway.templates import look_up, substitute
from emulation.http import Response

_JSON = "application/json"
_MESSAGE = '{"message":$context.error.messageString}'
_SPACED_MESSAGE = '{"message": $context.error.messageString}'  # the service writes its 500s and 502s so
_CAPITAL_MESSAGE = '{"Message":$context.error.messageString}'
_INTERNAL = "Internal server error"
_INTERNAL_TYPE = "InternalServerErrorException"
_CONFIGURATION_TYPE = "AuthorizerConfigurationException"


@dataclass(frozen=True, slots=True)
class Wording:
    """A type's published name, and how it looks uncustomised."""

    name: str
    status: int
    message: str | None
    error_type: str | None
    template: str = _MESSAGE


class Kind(Enum):
    """Why the gateway answers by itself. A failed proxy has no type of its own: DEFAULT_5XX covers it."""

    ACCESS_DENIED = Wording(
        "ACCESS_DENIED",
        403,
        "User is not authorized to access this resource",
        "AccessDeniedException",
        _CAPITAL_MESSAGE,
    )
    API_CONFIGURATION_ERROR = Wording(
        "API_CONFIGURATION_ERROR", 500, _INTERNAL, _INTERNAL_TYPE, _SPACED_MESSAGE
    )
    AUTHORIZER_CONFIGURATION_ERROR = Wording("AUTHORIZER_CONFIGURATION_ERROR", 500, None, _CONFIGURATION_TYPE)
    AUTHORIZER_FAILURE = Wording("AUTHORIZER_FAILURE", 500, None, _CONFIGURATION_TYPE)
    BAD_REQUEST_BODY = Wording("BAD_REQUEST_BODY", 400, "Invalid request body", "BadRequestException")
    BAD_REQUEST_PARAMETERS = Wording("BAD_REQUEST_PARAMETERS", 400, None, "BadRequestException")
    FAILED_PROXY = Wording("DEFAULT_5XX", 502, _INTERNAL, _INTERNAL_TYPE, _SPACED_MESSAGE)
    INTEGRATION_FAILURE = Wording(
        "INTEGRATION_FAILURE", 504, "Network error communicating with endpoint", None
    )
    INTEGRATION_TIMEOUT = Wording("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out", None)
    INVALID_API_KEY = Wording("INVALID_API_KEY", 403, "Forbidden", "ForbiddenException")
    MISSING_AUTHENTICATION_TOKEN = Wording(
        "MISSING_AUTHENTICATION_TOKEN",
        403,
        "Missing Authentication Token",
        "MissingAuthenticationTokenException",
    )
    QUOTA_EXCEEDED = Wording("QUOTA_EXCEEDED", 429, "Limit Exceeded", "LimitExceededException")
    # The live service answers a payload beyond its own limit in plain text, before it asks the API. Here the
    # API is asked, as its documents say, so that a client meets one shape.
    REQUEST_TOO_LARGE = Wording("REQUEST_TOO_LARGE", 413, "Request Too Long", None)
    THROTTLED = Wording("THROTTLED", 429, "Too Many Requests", "TooManyRequestsException")
    UNAUTHORIZED = Wording("UNAUTHORIZED", 401, "Unauthorized", "UnauthorizedException")
    UNSUPPORTED_MEDIA_TYPE = Wording(
        "UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported Media Type", "BadRequestException"
    )


class Refused(Exception):
    """A check refused the request; `message` replaces the type's own."""

    def __init__(self, kind: Kind, *, message: str | None = None, validation_error: str = "") -> None:
        super().__init__(kind.name)
        self.kind = kind
        self.message = kind.value.message if message is None else message
        self.validation_error = validation_error


def render(refused: Refused, exchange: Exchange) -> Response:
    """The answer to a refused request, customised as its API says."""
    wording = refused.kind.value
    custom = _customisation(wording, exchange.deployment.gateway_responses)
    values = _values(refused, exchange)
    status = custom.status if custom and custom.status is not None else wording.status
    media_type, template = _template(custom, exchange.headers.get("accept", "")) or (_JSON, wording.template)
    headers = {"Content-Type": media_type}
    if wording.error_type is not None:
        headers["x-amzn-ErrorType"] = wording.error_type
    if custom is not None:
        _apply_parameters(headers, custom, exchange, values)
    content = substitute(template, values).encode(
        errors="replace"
    )  # half of a surrogate pair is no character
    return Response(status, tuple(headers.items()), content)


def forbidden() -> Response:
    """The answer where there is no API or stage to customise it."""
    wording = Kind.INVALID_API_KEY.value
    headers = (("Content-Type", _JSON), ("x-amzn-ErrorType", str(wording.error_type)))
    return Response(wording.status, headers, b'{"message":"Forbidden"}')


def _customisation(wording: Wording, customised: Mapping[str, GatewayResponse]) -> GatewayResponse | None:
    default = "DEFAULT_4XX" if wording.status < 500 else "DEFAULT_5XX"
    return customised.get(wording.name) or customised.get(default)


def _template(custom: GatewayResponse | None, accept: str) -> tuple[str, str] | None:
    """The media type and template to answer with: one the client names, else JSON, else any there is."""
    if custom is None or not custom.templates:
        return None
    accepted = [part.partition(";")[0].strip() for part in accept.split(",")]
    for media_type in (*accepted, _JSON, next(iter(custom.templates))):
        if media_type in custom.templates:
            return media_type, custom.templates[media_type]
    return None


def _apply_parameters(
    headers: dict[str, str], custom: GatewayResponse, exchange: Exchange, values: Mapping[str, Any]
) -> None:
    for target, source in custom.parameters.items():
        name = target.removeprefix("gatewayresponse.header.")
        for existing in [key for key in headers if key.lower() == name.lower()]:
            del headers[existing]
        value = _parameter_value(source, exchange, values)
        if value and may_be_added(name, value):  # it may be the client's own, decoded from its query
            headers[name] = value


def _parameter_value(source: str, exchange: Exchange, values: Mapping[str, Any]) -> str | None:
    """The value of `'literal'`, `method.request.{location}.{name}`, `context.…` or `stageVariables.…`."""
    if len(source) >= 2 and source[0] == source[-1] == "'":
        return source[1:-1]
    if source.startswith("method.request."):
        location, _, name = source.removeprefix("method.request.").partition(".")
        return exchange.parameter(location, name)
    return look_up(source, values)


def error_context(refused: Refused) -> dict[str, Any]:
    """What `$context.error` stands for."""
    return {
        "message": refused.message,
        "messageString": json.dumps(refused.message),
        "responseType": refused.kind.value.name,
        "validationErrorString": refused.validation_error,
    }


def _values(refused: Refused, exchange: Exchange) -> dict[str, Any]:
    context = {
        **request_context(exchange),
        "error": error_context(refused),
        "status": refused.kind.value.status,
        "rateLimit": exchange.rate_limits(),
    }
    return {"context": context, "stageVariables": exchange.stage.variables}
