"""The authorizer's answer.

A credential is never the metering key: the authorizer names the tenant's key for the kind of request, so
that polling cannot eat the submit quota and a second credential brings no second quota.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote

from pydantic import JsonValue

from chalicelib.domain.errors import InvalidToken
from chalicelib.domain.metering_key import Use, metering_key
from chalicelib.use_cases.verify_token import VerifyToken
from chalicelib.web.logs import logger
from chalicelib.web.operations import SUBMIT_JOB

# RFC 9110 §11.4, in the one form that RFC 6750 §2.1 and RFC 9449 §7.1 have.
_CREDENTIAL = re.compile(r"(?P<scheme>[A-Za-z]+) +(?P<token>[A-Za-z0-9._~+/-]+=*)")


class Credential(NamedTuple):
    """What an Authorization header presents, and how."""

    scheme: str
    token: str


def credential_of(header: str) -> Credential:
    """The header's one credential, or `InvalidToken`."""
    found = _CREDENTIAL.fullmatch(header)
    if found is None:
        raise InvalidToken("The header is not a scheme and a token.")
    return Credential(**found.groupdict())


def authorize(verify: VerifyToken, *, credential: str, method_arn: str) -> dict[str, JsonValue]:
    """An IAM policy that allows the caller what it asks, with who it is; a bad credential is denied.

    It denies nothing else: what a valid token may do is the functions' answer, with the challenge for it.
    When it cannot tell good from bad, `Unavailable` leaves: the gateway answers 500, and lets nobody in.
    """
    try:
        scheme, text = credential_of(credential)
        token = verify(text, scheme=scheme)
    except InvalidToken as error:
        logger.info("denied", reason=error.detail)
        return {"principalId": "anonymous", "policyDocument": _policy("Deny", method_arn), "context": {}}
    return {
        "principalId": token.tenant_id,
        "policyDocument": _policy("Allow", method_arn),
        "usageIdentifierKey": metering_key(token.tenant_id, _use(method_arn)),
        "context": {
            "tenant_id": token.tenant_id,
            "client_id": token.client_id,
            "scope": " ".join(token.scopes),
            **({"thumbprint": token.thumbprint} if token.thumbprint else {}),
        },
    }


def _use(method_arn: str) -> Use:
    """What the request is metered as, by `…:{api}/{stage}/{method}/{path}`, however the path is spelt."""
    _, _, method, path = method_arn.split("/", maxsplit=3)
    is_submit = (method, f"/{unquote(path).strip('/')}") == (SUBMIT_JOB.method, SUBMIT_JOB.path)
    return Use.SUBMIT if is_submit else Use.READ


def _policy(effect: str, resource: str) -> JsonValue:
    statement: JsonValue = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": [resource]}
    return {"Version": "2012-10-17", "Statement": [statement]}
