"""How a client proves itself at the token endpoints: with HTTP Basic, or with a signed assertion."""

import base64
from collections.abc import Mapping
from urllib.parse import unquote_plus

from joserfc import jws

from chalicelib.domain.errors import DomainError
from chalicelib.use_cases.authenticate_client import AssertionOffered, Credentials, SecretOffered
from chalicelib.use_cases.client_assertion import ASSERTION_TYPE
from chalicelib.use_cases.jose_errors import UNREADABLE
from chalicelib.use_cases.token_refused import TokenErrorCode, TokenRefused
from chalicelib.web import json_text
from chalicelib.web.http import Request, is_id

UNKNOWN = "Unknown client or wrong credential."


def credentials_of(request: Request, form: Mapping[str, str]) -> Credentials:
    """The one credential of the request, or `TokenRefused` (RFC 6749 §2.3: no more than one way)."""
    if "client_secret" in form:
        raise TokenRefused(TokenErrorCode.INVALID_REQUEST, "Send the secret with HTTP Basic alone.")
    has_assertion = "client_assertion" in form or "client_assertion_type" in form
    if has_assertion and "authorization" in request.headers:
        raise TokenRefused(
            TokenErrorCode.INVALID_REQUEST, "Authenticate in one way: HTTP Basic or an assertion."
        )
    return _assertion(form) if has_assertion else _basic(request)


def _basic(request: Request) -> SecretOffered:
    """What HTTP Basic offers; each half is form-encoded (RFC 6749 §2.3.1)."""
    values = request.headers.get("authorization", ())
    scheme, _, encoded = "".join(values[:1]).partition(" ")
    try:
        if len(values) != 1 or scheme.lower() != "basic":
            raise ValueError("not one basic credential")
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError as error:
        raise TokenRefused(
            TokenErrorCode.INVALID_CLIENT,
            "Authenticate with HTTP Basic, client id and client secret, or with a client assertion.",
        ) from error
    client_id, _, client_secret = map(unquote_plus, pair.partition(":"))
    return SecretOffered(client_id=_checked(client_id), client_secret=client_secret)


def _assertion(form: Mapping[str, str]) -> AssertionOffered:
    """What RFC 7523 §2.2 offers; the id is the assertion's `sub`, which its signature has still to prove."""
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise TokenRefused(TokenErrorCode.INVALID_CLIENT, f"The client_assertion_type is {ASSERTION_TYPE}.")
    assertion = form.get("client_assertion", "")
    try:
        claims = json_text.parse(jws.extract_compact(assertion.encode()).payload)
        client_id = str(claims["sub"])  # type: ignore[index, call-overload]
    except (DomainError, *UNREADABLE) as error:
        raise TokenRefused(TokenErrorCode.INVALID_CLIENT, "The client_assertion is not a JWT.") from error
    if form.get("client_id", client_id) != client_id:
        raise TokenRefused(TokenErrorCode.INVALID_CLIENT, "The client_id is not the assertion's sub.")
    return AssertionOffered(client_id=_checked(client_id), assertion=assertion)


def _checked(client_id: str) -> str:
    if not is_id(client_id, prefix="cli_"):
        raise TokenRefused(TokenErrorCode.INVALID_CLIENT, UNKNOWN)
    return client_id
