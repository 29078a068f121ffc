"""Tokens given and taken back: forms in, and errors in the words of RFC 6749, not problem documents."""

from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import parse_qs

from pydantic import ValidationError

from chalicelib.domain.errors import TooManyAttempts
from chalicelib.domain.key_ring import PUBLISHED_FOR
from chalicelib.ports import Tokens
from chalicelib.use_cases.authenticate_client import Credentials
from chalicelib.use_cases.issue_token import Asked, IssueToken
from chalicelib.use_cases.revoke_token import RevokeToken
from chalicelib.use_cases.token_refused import TokenErrorCode, TokenRefused
from chalicelib.use_cases.verify_proof import Presented
from chalicelib.web.answers import ok
from chalicelib.web.client_credentials import credentials_of
from chalicelib.web.http import Request, Response
from chalicelib.web.logs import logger
from chalicelib.web.schemas.access import (
    MAX_FIELDS,
    MAX_FORM_BYTES,
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
    """200 with an access token, by RFC 6749 §4.4; bound to a key where a DPoP proof is sent (RFC 9449 §5)."""

    def answer(credentials: Credentials, fields: Mapping[str, str]) -> Response:
        form = _form(fields, TokenRequest)
        asked = Asked(
            scopes=tuple(dict.fromkeys(form.scope.split())),
            proof=_proof(request),
            presented=Presented(method=request.method, url=request.url),
        )
        issued = issue(credentials, asked, address=request.address)
        token = Token(
            access_token=issued.text,
            token_type=issued.token.scheme,
            expires_in=int((issued.token.expires_at - issued.token.issued_at).total_seconds()),
            scope=" ".join(issued.token.scopes),
        )
        return ok(token, headers=_NOT_STORED)

    return _answered(request, answer)


def revoke_token(revoke: RevokeToken, request: Request) -> Response:
    """200 and no more (RFC 7009 §2.2), whether the token was live or never one."""

    def answer(credentials: Credentials, fields: Mapping[str, str]) -> Response:
        form = _form(fields, RevocationRequest)
        revoke(credentials, token=form.token, address=request.address)
        return Response(status=200, body=b"", headers=_NOT_STORED, media_type=None)

    return _answered(request, answer)


def key_set(tokens: Tokens) -> Response:
    """The JWK set that verifies our tokens; it may be kept for as long as a new key waits, and less."""
    keys = KeySet.model_validate({"keys": tokens.public_keys()})
    return ok(keys, headers={"Cache-Control": f"max-age={int(PUBLISHED_FOR.total_seconds())}"})


def _answered(request: Request, answer: Callable[[Credentials, Mapping[str, str]], Response]) -> Response:
    """The answer to the client and form of the request; if it is a refusal, it leaves one line in the log.

    The line tells who the caller says it is, if that can be an id, from where and why: never what it offered.
    """
    client_id = None
    try:
        fields = _fields(request)
        credentials = credentials_of(request, fields)
        client_id = credentials.client_id
        return answer(credentials, fields)
    except (TokenRefused, TooManyAttempts) as refusal:
        logger.warning("client refused", client_id=client_id, address=request.address, code=refusal.code)
        if isinstance(refusal, TooManyAttempts):
            raise
        return _refused(refusal)


def _proof(request: Request) -> str | None:
    proofs = request.headers.get("dpop", ())
    if len(proofs) > 1:
        raise TokenRefused(TokenErrorCode.INVALID_DPOP_PROOF, "Send one DPoP header.")
    return proofs[0] if proofs else None


def _fields(request: Request) -> Mapping[str, str]:
    """The form's fields, each sent once; one without a value counts as absent (RFC 6749 §3.2)."""
    if not request.is_plain(FORM):
        raise TokenRefused(TokenErrorCode.INVALID_REQUEST, f"Send the body as {FORM}.")
    if len(request.body) > MAX_FORM_BYTES:
        raise TokenRefused(TokenErrorCode.INVALID_REQUEST, f"Send {MAX_FORM_BYTES} bytes at most.")
    try:
        fields = parse_qs(request.body.decode("ascii"), max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise TokenRefused(
            TokenErrorCode.INVALID_REQUEST,
            f"Send a form of ASCII characters, with {MAX_FIELDS} fields at most.",
        ) from error
    if any(len(values) > 1 for values in fields.values()):
        raise TokenRefused(TokenErrorCode.INVALID_REQUEST, "Send each field once.")
    return {name: value for name, (value,) in fields.items()}


def _form(fields: Mapping[str, str], model: type[Form]) -> Form:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = str(wrong["loc"][0])
        code = _CODES.get((place, wrong["type"]), TokenErrorCode.INVALID_REQUEST)
        raise TokenRefused(code, f"{place}: {wrong['msg']}") from error


def _refused(refusal: TokenRefused) -> Response:
    is_client_error = refusal.code is TokenErrorCode.INVALID_CLIENT
    challenge = {"WWW-Authenticate": CHALLENGE} if is_client_error else {}
    return Response(
        status=401 if is_client_error else 400,
        body=TokenError(error=refusal.code, error_description=refusal.description).to_bytes(),
        headers={**_NOT_STORED, **challenge},
    )
