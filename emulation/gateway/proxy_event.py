"""The event of a Lambda proxy integration (version 1.0), and of a REQUEST authorizer.

Imitated: names and nesting as the service sends them; what is empty is null, but an empty object to an
authorizer; query values are decoded, path values are not; a body is base64 only if its media type is one of
the API's binary media types (`contentHandling` changes nothing about a proxy integration).
"""

import base64
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from emulation.gateway.api import ACCOUNT, REGION
from emulation.gateway.exchange import Exchange
from emulation.gateway.fields import is_binary
from emulation.gateway.routing import canonical

# They belong to one connection, and the service never hands them on; the last four it writes itself.
_DROPPED = frozenset(
    [
        *("connection", "content-length", "content-md5", "expect", "max-forwards", "proxy-authenticate"),
        *("server", "te", "trailer", "transfer-encoding", "upgrade", "www-authenticate"),
        *("x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id"),
    ]
)

# The service writes these so, however the client did; any other name stays as it came.
_CAPITALISED = {
    name.lower(): name
    for name in [
        *("Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Content-Type"),
        *("Cookie", "Host", "Origin", "Referer", "User-Agent"),
    ]
}

_PORT = re.compile(r":(\d+)$")  # of a Host, whose IPv6 address is in brackets


def proxy_event(exchange: Exchange) -> dict[str, Any]:
    """What the integration's function receives."""
    body, encoded = _body(exchange)
    fields = {name: value or None for name, value in _request_fields(exchange).items()}
    return {**fields, "body": body, "isBase64Encoded": encoded}


def authorizer_event(exchange: Exchange, method_arn: str) -> dict[str, Any]:
    """What the function of a REQUEST authorizer receives: no body, and nothing yet of a caller."""
    return {"type": "REQUEST", "methodArn": method_arn, **_request_fields(exchange)}


def method_arn(exchange: Exchange) -> str:
    """The ARN that policies are matched against: the verb, and the path as it was routed.

    However the client spelt the path, a policy about a resource holds.
    """
    api = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{exchange.deployment.api_id}"
    return f"{api}/{exchange.stage.name}/{exchange.request.method}/{canonical(exchange.path)}"


def request_context(exchange: Exchange) -> dict[str, Any]:
    """`requestContext`, which is also what `$context` names in templates."""
    domain_prefix = exchange.deployment.api_id
    context: dict[str, Any] = {
        "accountId": ACCOUNT,
        "apiId": exchange.deployment.api_id,
        "deploymentId": exchange.deployment.deployment_id,
        "domainName": exchange.headers.get("host", ""),
        "domainPrefix": domain_prefix,
        "extendedRequestId": exchange.apigw_id,
        "httpMethod": exchange.request.method,
        "identity": _identity(exchange),
        "path": f"/{exchange.stage.name}{exchange.path}",
        "protocol": "HTTP/1.1",
        "requestId": exchange.request_id,
        "requestTime": _log_time(int(exchange.now)),
        "requestTimeEpoch": int(exchange.now * 1000),
        "stage": exchange.stage.name,
    }
    if exchange.route is not None:
        context["resourceId"] = exchange.method.resource_id
        context["resourcePath"] = exchange.method.resource_path
    if exchange.authorized is not None:
        context["authorizer"] = {
            **exchange.authorized.context,
            "principalId": exchange.authorized.principal_id,
            "integrationLatency": exchange.authorizer_call.latency_ms if exchange.authorizer_call else 0,
        }
    return context


@lru_cache(maxsize=1)  # many requests come in one second
def _log_time(seconds: int) -> str:
    """A moment as the common log format has it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")


def _identity(exchange: Exchange) -> dict[str, str | None]:
    identity: dict[str, str | None] = {
        "accessKey": None,
        "accountId": None,
        "caller": None,
        "cognitoAuthenticationProvider": None,
        "cognitoAuthenticationType": None,
        "cognitoIdentityId": None,
        "cognitoIdentityPoolId": None,
        "principalOrgId": None,
        "sourceIp": exchange.request.source_ip,
        "user": None,
        "userAgent": exchange.headers.get("user-agent"),
        "userArn": None,
    }
    caller = exchange.caller
    if caller.value is not None:
        identity["apiKey"] = caller.value
    if caller.key is not None:
        identity["apiKeyId"] = caller.key.key_id
    return identity


def _request_fields(exchange: Exchange) -> dict[str, Any]:
    headers = incoming_headers(exchange)
    assert exchange.route is not None
    return {
        "resource": exchange.method.resource_path,
        "path": f"/{exchange.path.lstrip('/')}",
        "httpMethod": exchange.request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in exchange.query.items()},
        "multiValueQueryStringParameters": exchange.query,
        "pathParameters": exchange.route.path_parameters,
        "stageVariables": dict(exchange.stage.variables),
        "requestContext": request_context(exchange),
    }


def incoming_headers(exchange: Exchange) -> dict[str, list[str]]:
    """The request's headers as an integration is told them, with what the service adds."""
    headers: dict[str, list[str]] = {}
    for name, value in exchange.request.headers:
        lower = name.lower()
        if lower not in _DROPPED:
            headers.setdefault(_CAPITALISED.get(lower, name), []).append(value)
    forwarded = exchange.headers.get("x-forwarded-for")
    source_ip = exchange.request.source_ip
    headers["X-Forwarded-For"] = [f"{forwarded}, {source_ip}" if forwarded else source_ip]
    port = _PORT.search(exchange.headers.get("host", ""))
    headers["X-Forwarded-Port"] = [port[1] if port else "80"]
    headers["X-Forwarded-Proto"] = ["http"]
    headers["X-Amzn-Trace-Id"] = [_trace(exchange)]
    return headers


def _trace(exchange: Exchange) -> str:
    """A trace of its own (the second it came in, and 96 bits of its id), or a span of the client's."""
    own = f"1-{int(exchange.now):08x}-{exchange.request_id.replace('-', '')[:24]}"
    given = exchange.headers.get("x-amzn-trace-id", "")
    return f"Self={own};{given}" if "Root=" in given else f"Root={own}"


def answered_trace(exchange: Exchange) -> str:
    """The trace that a function's answer names: the client's, with a parent if it had none."""
    given = exchange.headers.get("x-amzn-trace-id", "")
    if "Root=" not in given:
        return _trace(exchange)
    return given if "Parent=" in given else f"{given};Parent={exchange.request_id[-12:]:0>16};Sampled=0"


def _body(exchange: Exchange) -> tuple[str | None, bool]:
    body = exchange.request.body
    if not body:
        return None, False
    if is_binary(exchange.media_type, exchange.deployment.binary_media_types):
        return base64.b64encode(body).decode(), True
    return body.decode("utf-8", errors="replace"), False
