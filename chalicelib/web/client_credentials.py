"""How a client proves itself at the token endpoints: with HTTP Basic, or with a signed assertion."""

import base64
from collections.abc import Mapping
from urllib.parse import unquote_plus

from joserfc import jws

from chalicelib.domain.errors import DomainError
from chalicelib.use_cases.authenticate_client import UNPROVEN, AssertionOffered, Credentials, SecretOffered
from chalicelib.use_cases.client_assertion import ASSERTION_TYPE
from chalicelib.use_cases.jose_errors import UNREADABLE
from chalicelib.use_cases.token_refused import TokenErrorCode, TokenRefused
from chalicelib.web import json_text
from chalicelib.web.http import Request, is_id
from chalicelib.web.schemas.access import TOKEN_CHARACTERS

_ASSERTION_FIELDS = frozenset({"client_assertion", "client_assertion_type"})


def credentials_of(request: Request, form: Mapping[str, str]) -> Credentials:
    """The one credential of the request, or `TokenRefused` (RFC 6749 §2.3: no more than one way)."""
    has_assertion = not _ASSERTION_FIELDS.isdisjoint(form)
    if (has_assertion, "authorization" in request.headers, "client_secret" in form).count(True) > 1:
        raise TokenRefused(
            TokenErrorCode.INVALID_REQUEST, "Authenticate in one way: HTTP Basic or an assertion."
        )
    offered = _assertion(form) if has_assertion else _basic(request)
    if not is_id(offered.client_id, prefix="cli_"):
        raise _refused(UNPROVEN)
    if form.get("client_id", offered.client_id) != offered.client_id:
        raise _refused("The client_id is another than that of the credential.")
    return offered


def _basic(request: Request) -> SecretOffered:
    """What HTTP Basic offers; each half is form-encoded (RFC 6749 §2.3.1)."""
    values = request.headers.get("authorization", ())
    scheme, _, encoded = "".join(values[:1]).partition(" ")
    try:
        if len(values) != 1 or scheme.lower() != "basic":
            raise ValueError("not one basic credential")
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError as error:
        raise _refused(
            "Authenticate with HTTP Basic, client id and client secret, or with a client assertion."
        ) from error
    client_id, _, client_secret = map(unquote_plus, pair.partition(":"))
    return SecretOffered(client_id=client_id, client_secret=client_secret)


def _assertion(form: Mapping[str, str]) -> AssertionOffered:
    """What RFC 7523 §2.2 offers; the id is the assertion's `sub`, which its signature has still to prove."""
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise _refused(f"The client_assertion_type is {ASSERTION_TYPE}.")
    assertion = form.get("client_assertion", "")
    try:
        if len(assertion) > TOKEN_CHARACTERS:
            raise ValueError("larger than any that is right")
        claims = json_text.parse(jws.extract_compact(assertion.encode()).payload)
        client_id = claims["sub"]  # type: ignore[index, call-overload]
        return AssertionOffered(client_id=str(client_id), assertion=assertion)
    except (DomainError, *UNREADABLE) as error:
        raise _refused("The client_assertion is not a JWT with a sub.") from error


def _refused(description: str) -> TokenRefused:
    return TokenRefused(TokenErrorCode.INVALID_CLIENT, description)
