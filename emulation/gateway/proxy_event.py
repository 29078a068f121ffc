"""The event of a Lambda proxy integration (version 1.0), and of a REQUEST authorizer.

Imitated: names and nesting as the service sends them; what is empty is null; query values are decoded, path
values are not; a body is base64 only if its media type is one of the API's binary media types.
"""

import base64
import re
from datetime import UTC, datetime
from typing import Any

from emulation.gateway.api import ACCOUNT, REGION
from emulation.gateway.exchange import Exchange
from emulation.gateway.routing import canonical

# They belong to one connection; the service never hands them on.
_DROPPED = frozenset(
    [
        *("connection", "content-length", "content-md5", "expect", "max-forwards", "proxy-authenticate"),
        *("server", "te", "trailer", "transfer-encoding", "upgrade", "www-authenticate"),
    ]
)

# The service writes these so, however the client did; any other name stays as it came. The edge sees them in
# lower case, as HTTP/2 sends them.
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
    return {**_request_fields(exchange), "body": body, "isBase64Encoded": encoded}


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
    received = datetime.fromtimestamp(exchange.now, UTC)
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
        "requestTime": received.strftime("%d/%b/%Y:%H:%M:%S +0000"),
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
        }
    return context


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
    headers = _headers(exchange)
    assert exchange.route is not None
    return {
        "resource": exchange.method.resource_path,
        "path": exchange.path,
        "httpMethod": exchange.request.method,
        "headers": {name: values[-1] for name, values in headers.items()} or None,
        "multiValueHeaders": headers or None,
        "queryStringParameters": {name: values[-1] for name, values in exchange.query.items()} or None,
        "multiValueQueryStringParameters": exchange.query or None,
        "pathParameters": exchange.route.path_parameters or None,
        "stageVariables": dict(exchange.stage.variables) or None,
        "requestContext": request_context(exchange),
    }


def _headers(exchange: Exchange) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in exchange.request.headers:
        if name.lower() not in _DROPPED:
            headers.setdefault(_CAPITALISED.get(name.lower(), name), []).append(value)
    forwarded = exchange.headers.get("x-forwarded-for")
    source_ip = exchange.request.source_ip
    for added in ("x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id"):
        headers.pop(added, None)
    headers["X-Forwarded-For"] = [f"{forwarded}, {source_ip}" if forwarded else source_ip]
    port = _PORT.search(exchange.headers.get("host", ""))
    headers["X-Forwarded-Port"] = [port[1] if port else "80"]
    headers["X-Forwarded-Proto"] = ["http"]
    headers["X-Amzn-Trace-Id"] = [trace_id(exchange)]
    return headers


def trace_id(exchange: Exchange) -> str:
    """The second the request came in, and 96 bits of its id."""
    return f"Root=1-{int(exchange.now):08x}-{exchange.request_id.replace('-', '')[:24]}"


def _body(exchange: Exchange) -> tuple[str | None, bool]:
    body = exchange.request.body
    if not body:
        return None, False
    binary = exchange.deployment.binary_media_types
    if binary and ("*/*" in binary or exchange.media_type in binary):
        return base64.b64encode(body).decode(), True
    return body.decode("utf-8", errors="replace"), False
