"""Tokens given and taken back: forms in, and errors in the words of RFC 6749, not problem documents."""

import base64
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qs, unquote_plus

from pydantic import ValidationError

from chalicelib.ports import Tokens
from chalicelib.use_cases.authenticate_client import Credentials, TokenErrorCode, TokenRefused
from chalicelib.use_cases.issue_token import IssueToken
from chalicelib.use_cases.revoke_token import RevokeToken
from chalicelib.web.answers import ok
from chalicelib.web.http import Request, Response, is_id
from chalicelib.web.schemas.access import (
    MAX_FIELDS,
    KeySet,
    RevocationRequest,
    Token,
    TokenError,
    TokenRequest,
)
from chalicelib.web.schemas.base import WireRequest

FORM = "application/x-www-form-urlencoded"
Form = TypeVar("Form", bound=WireRequest)
CHALLENGE = 'Basic realm="zama-jobs"'

_CODES: Mapping[tuple[str, str], TokenErrorCode] = {
    ("grant_type", "literal_error"): TokenErrorCode.UNSUPPORTED_GRANT_TYPE,
    ("scope", "string_too_long"): TokenErrorCode.INVALID_SCOPE,
    ("scope", "string_pattern_mismatch"): TokenErrorCode.INVALID_SCOPE,
}
_NOT_STORED: Mapping[str, str] = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749 §5.1


def issue_token(issue: IssueToken, request: Request) -> Response:
    """200 with an access token, by RFC 6749 §4.4 with `client_secret_basic`."""
    try:
        credentials, form = _credentials(request), _form(request, TokenRequest)
        issued = issue(credentials, scope=tuple(dict.fromkeys(form.scope.split())))
    except TokenRefused as refusal:
        return _refused(refusal)
    token = Token(
        access_token=issued.access_token, expires_in=issued.expires_in, scope=" ".join(issued.scope)
    )
    return ok(token, headers=_NOT_STORED)


def revoke_token(revoke: RevokeToken, request: Request) -> Response:
    """200 and no more (RFC 7009 §2.2), whether the token was live or never one."""
    try:
        credentials, form = _credentials(request), _form(request, RevocationRequest)
        revoke(credentials, token=form.token)
    except TokenRefused as refusal:
        return _refused(refusal)
    return Response(status=200, body=b"", headers=_NOT_STORED, media_type=None)


def key_set(tokens: Tokens) -> Response:
    """The JWK set that verifies our tokens."""
    return ok(KeySet.model_validate(tokens.public_keys()), headers={"Cache-Control": "max-age=300"})


def _form(request: Request, model: type[Form]) -> Form:
    """The form, each field sent once; a field without a value counts as absent (RFC 6749 §3.2)."""
    try:
        fields = parse_qs(request.body.decode("ascii"), max_num_fields=MAX_FIELDS)
    except ValueError:
        fields = {}
    if not request.is_plain(FORM) or not fields or any(len(values) > 1 for values in fields.values()):
        raise TokenRefused(TokenErrorCode.INVALID_REQUEST, f"Send {FORM}, each field once.")
    if "client_secret" in fields:  # §2.3: a request authenticates in one way
        raise TokenRefused(TokenErrorCode.INVALID_REQUEST, "Send the secret with HTTP Basic alone.")
    try:
        return model.model_validate({name: value for name, (value,) in fields.items()})
    except ValidationError as error:
        wrong = error.errors()[0]
        place = str(wrong["loc"][0])
        code = _CODES.get((place, wrong["type"]), TokenErrorCode.INVALID_REQUEST)
        raise TokenRefused(code, f"{place}: {wrong['msg']}") from error


def _credentials(request: Request) -> Credentials:
    """What HTTP Basic offers; each half is form-encoded (RFC 6749 §2.3.1)."""
    values = request.headers.get("authorization", ())
    scheme, _, encoded = "".join(values[:1]).partition(" ")
    try:
        if len(values) != 1 or scheme.lower() != "basic":
            raise ValueError("not one basic credential")
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError as error:
        raise TokenRefused(
            TokenErrorCode.INVALID_CLIENT, "Authenticate with HTTP Basic: client id and client secret."
        ) from error
    client_id, _, client_secret = map(unquote_plus, pair.partition(":"))
    if not is_id(client_id, prefix="cli_"):
        raise TokenRefused(TokenErrorCode.INVALID_CLIENT, "Unknown client or wrong secret.")
    return Credentials(client_id, client_secret)


def _refused(refusal: TokenRefused) -> Response:
    is_client_error = refusal.code is TokenErrorCode.INVALID_CLIENT
    challenge = {"WWW-Authenticate": CHALLENGE} if is_client_error else {}
    return Response(
        status=401 if is_client_error else 400,
        body=TokenError(error=refusal.code, error_description=refusal.description).to_bytes(),
        headers={**_NOT_STORED, **challenge},
    )
