"""The authorizer's answer and the token endpoint's wire format.

A credential is never the metering key: the authorizer names the tenant's key for the kind of request, so
that polling cannot eat the submit quota and a second credential brings no second quota.
"""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote_plus

from pydantic import JsonValue

from chalicelib.domain.errors import InvalidToken
from chalicelib.ports import Tokens
from chalicelib.use_cases.issue_token import (
    IssueToken,
    TokenErrorCode,
    TokenRefused,
    TokenRequest,
)
from chalicelib.web import json_text
from chalicelib.web.http import Request, Response, is_id

SUBMIT_ROUTE = "/POST/v1/jobs"


def metering_key(tenant_id: str, plan_part: str) -> str:
    """The API key's value of a tenant for `submit` or `read`.

    It is a name, not a secret: with `apiKeySource` AUTHORIZER no client can present it.
    """
    return f"{tenant_id}.{plan_part}"


def authorize(tokens: Tokens, *, credential: str, method_arn: str) -> dict[str, JsonValue]:
    """An IAM policy that allows the caller what it asks, with who it is; a bad credential is denied."""
    scheme, _, token = credential.partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise InvalidToken("The credential is not a bearer token.")
        claims = tokens.verify(token.strip())
    except InvalidToken:
        return {"principalId": "anonymous", "policyDocument": _policy("Deny", method_arn), "context": {}}
    tenant_id = str(claims["sub"])
    part = "submit" if method_arn.endswith(SUBMIT_ROUTE) else "read"
    return {
        "principalId": tenant_id,
        "policyDocument": _policy("Allow", method_arn),
        "usageIdentifierKey": metering_key(tenant_id, part),
        "context": {
            "tenant_id": tenant_id,
            "client_id": str(claims["client_id"]),
            "scope": str(claims["scope"]),
        },
    }


def _policy(effect: str, resource: str) -> JsonValue:
    statement: JsonValue = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": [resource]}
    return {"Version": "2012-10-17", "Statement": [statement]}


def token_endpoint(issue: IssueToken, request: Request) -> Response:
    """RFC 6749 §4.4 with `client_secret_basic`; its errors are that RFC's, not problem documents."""
    try:
        issued = issue(_token_request(request))
    except TokenRefused as refusal:
        return _refused(refusal)
    body: JsonValue = {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
        "scope": " ".join(issued.scope),
    }
    return Response(status=200, body=json_text.canonical(body), headers=_NOT_STORED)


_NOT_STORED: Mapping[str, str] = {"Cache-Control": "no-store"}


def _token_request(request: Request) -> TokenRequest:
    client_id, client_secret = _basic_credentials(request.header("authorization"))
    try:
        form = parse_qs(request.body.decode("ascii"), strict_parsing=True, max_num_fields=20)
    except ValueError:
        form = {}
    if any(len(values) > 1 for values in form.values()) or "grant_type" not in form:
        raise TokenRefused(
            TokenErrorCode.INVALID_REQUEST, "Send a form with grant_type=client_credentials, each field once."
        )
    if form["grant_type"] != ["client_credentials"]:
        raise TokenRefused(TokenErrorCode.UNSUPPORTED_GRANT_TYPE, "The grant type is client_credentials.")
    scope = tuple(dict.fromkeys(form.get("scope", [""])[0].split()))
    return TokenRequest(client_id=client_id, client_secret=client_secret, scope=scope)


def _basic_credentials(header: str | None) -> tuple[str, str]:
    scheme, _, encoded = (header or "").partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError("not basic")
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except (ValueError, binascii.Error) as error:
        raise TokenRefused(
            TokenErrorCode.INVALID_CLIENT, "Authenticate with HTTP Basic: client id and client secret."
        ) from error
    client_id, _, client_secret = map(unquote_plus, pair.partition(":"))
    if not is_id(client_id, prefix="cli_"):
        raise TokenRefused(TokenErrorCode.INVALID_CLIENT, "Unknown client or wrong secret.")
    return client_id, client_secret


def _refused(refusal: TokenRefused) -> Response:
    is_client_error = refusal.code is TokenErrorCode.INVALID_CLIENT
    challenge = {"WWW-Authenticate": 'Basic realm="zama-jobs"'} if is_client_error else {}
    body: JsonValue = {"error": refusal.code.value, "error_description": refusal.description}
    return Response(
        status=401 if is_client_error else 400,
        body=json_text.canonical(body),
        headers={**_NOT_STORED, **challenge},
    )


def key_set(tokens: Tokens) -> Response:
    """The JWK set that verifies our tokens."""
    body: JsonValue = dict(tokens.public_keys())
    return Response(status=200, body=json_text.canonical(body), headers={"Cache-Control": "max-age=300"})
