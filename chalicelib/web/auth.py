"""The authorizer's answer.

A credential is never the metering key: the authorizer names the tenant's key for the kind of request, so
that polling cannot eat the submit quota and a second credential brings no second quota.
"""

from pydantic import JsonValue

from chalicelib.domain.errors import InvalidToken
from chalicelib.domain.metering_key import Use, metering_key
from chalicelib.use_cases.verify_token import VerifyToken
from chalicelib.web.logs import logger

SUBMIT_ROUTE = "/POST/v1/jobs"


def authorize(verify: VerifyToken, *, credential: str, method_arn: str) -> dict[str, JsonValue]:
    """An IAM policy that allows the caller what it asks, with who it is; a bad credential is denied.

    It denies nothing else: what a valid token may do is the functions' answer, with the challenge for it.
    """
    scheme, _, text = credential.partition(" ")
    try:
        token = verify(text.strip(), scheme=scheme)
    except InvalidToken as error:
        logger.info("denied", reason=error.detail)
        return {"principalId": "anonymous", "policyDocument": _policy("Deny", method_arn), "context": {}}
    use = Use.SUBMIT if method_arn.endswith(SUBMIT_ROUTE) else Use.READ
    return {
        "principalId": token.tenant_id,
        "policyDocument": _policy("Allow", method_arn),
        "usageIdentifierKey": metering_key(token.tenant_id, use),
        "context": {
            "tenant_id": token.tenant_id,
            "client_id": token.client_id,
            "scope": " ".join(token.scopes),
            **({"thumbprint": token.thumbprint} if token.thumbprint else {}),
        },
    }


def _policy(effect: str, resource: str) -> JsonValue:
    statement: JsonValue = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": [resource]}
    return {"Version": "2012-10-17", "Statement": [statement]}
