"""Tokens and keys, in the shapes of RFC 6749 and RFC 7517."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from chalicelib.domain.access_token import SCOPES, Scheme
from chalicelib.domain.key_ring import TOKEN_LIFETIME
from chalicelib.use_cases.client_assertion import ASSERTION_TYPE
from chalicelib.use_cases.token_refused import TokenErrorCode
from chalicelib.web.schemas.base import Wire, WireRequest, open_enum

# Of a token and the request that carries it: ours have some 500 characters.
TOKEN_CHARACTERS = 4096
# Of a form: the RFCs name a dozen; who sends more is looking for something.
MAX_FIELDS = 20
# A token and an assertion of the longest, each character in percent, are 24 KiB. It is read before anyone has
# proved who they are, and a form of the 6 MB that a function is given costs two seconds of its time.
MAX_FORM_BYTES = 32 * 1024
_FORM = ConfigDict(extra="ignore", json_schema_extra={"maxProperties": MAX_FIELDS})
_SCOPE = f"({'|'.join(SCOPES)})"
Scopes = Annotated[str, Field(max_length=256)]
# As for `scope`, a field without a value is one that was not sent.
AssertionType = Annotated[str, Field(max_length=64, pattern=f"^({ASSERTION_TYPE})?$")]
Assertion = Annotated[str, Field(max_length=TOKEN_CHARACTERS)]


class TokenRequest(WireRequest):
    """The form of the token endpoint (RFC 6749 §4.4.2)."""

    model_config = _FORM

    grant_type: Literal["client_credentials"]
    scope: Annotated[str, Field(max_length=256, pattern=rf"^({_SCOPE}( {_SCOPE})*)?$")] = ""
    client_assertion_type: AssertionType = ""
    client_assertion: Assertion = ""


class RevocationRequest(WireRequest):
    """The form of the revocation endpoint (RFC 7009 §2.1); every token here is of the one type."""

    model_config = _FORM

    token: Annotated[str, Field(min_length=1, max_length=TOKEN_CHARACTERS)]
    token_type_hint: Annotated[str, Field(max_length=64)] = "access_token"
    client_assertion_type: AssertionType = ""
    client_assertion: Assertion = ""


class Token(Wire):
    """An access token, to be sent as its `token_type` says; `expires_in` is in seconds."""

    access_token: Annotated[str, Field(max_length=TOKEN_CHARACTERS)]
    token_type: Annotated[Scheme, open_enum(*Scheme)]
    expires_in: Annotated[int, Field(ge=1, le=int(TOKEN_LIFETIME.total_seconds()))]
    scope: Scopes


class TokenError(Wire):
    """No token, in the words of RFC 6749 §5.2."""

    error: Annotated[TokenErrorCode, open_enum(*TokenErrorCode)]
    error_description: Annotated[str, Field(max_length=512)]


class PublicKey(Wire):
    """The public half of a key that signs access tokens (RFC 7517)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: Annotated[str, Field(max_length=64)]
    y: Annotated[str, Field(max_length=64)]
    kid: Annotated[str, Field(max_length=64)]
    use: Literal["sig"]
    alg: Literal["ES256"]


class KeySet(Wire):
    """Every key that a live token may be signed with."""

    keys: Annotated[tuple[PublicKey, ...], Field(max_length=16)]
