"""The authorizer's answer.

A credential is never the metering key: the authorizer names the tenant's key for the kind of request, so
that polling cannot eat the submit quota and a second credential brings no second quota.
"""

from pydantic import JsonValue

from chalicelib.domain.errors import InvalidToken
from chalicelib.use_cases.verify_token import VerifyToken

SUBMIT_ROUTE = "/POST/v1/jobs"


def metering_key(tenant_id: str, plan_part: str) -> str:
    """The API key's value of a tenant for `submit` or `read`.

    It is a name, not a secret: with `apiKeySource` AUTHORIZER no client can present it.
    """
    return f"{tenant_id}.{plan_part}"


def authorize(verify: VerifyToken, *, credential: str, method_arn: str) -> dict[str, JsonValue]:
    """An IAM policy that allows the caller what it asks, with who it is; a bad credential is denied."""
    scheme, _, token = credential.partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise InvalidToken("The credential is not a bearer token.")
        claims = verify(token.strip())
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
