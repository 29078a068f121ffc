"""Whether who sends a token has the key that it is bound to (DPoP: RFC 9449 §4.3)."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, GuestProtocol
from joserfc.jws import JWSRegistry
from pydantic import BaseModel, ConfigDict, Field

from chalicelib.domain.errors import InvalidProof
from chalicelib.domain.key_ring import SKEW
from chalicelib.ports import Clock, SingleUse
from chalicelib.use_cases.jose_errors import UNREADABLE

PROOF_TYPE = "dpop+jwt"
# One, and the cheap one: a stranger chooses the key, and an RSA key can be as large as a header allows.
ALGORITHMS = ("ES256",)
# A proof is made for one request and is good for as long as clocks may differ, and once.
FRESH_FOR = SKEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """The request that a proof must be for: its method, its absolute URL, and the token that it carries.

    `thumbprint` is that of the key which the token is bound to; with none, any key will do.
    """

    method: str
    url: str
    access_token: str | None = field(default=None, repr=False)
    thumbprint: str | None = None


class Claims(BaseModel):
    """What a proof says (RFC 9449 §4.2), each claim of its type; further ones are allowed, and ignored."""

    model_config = ConfigDict(strict=True, frozen=True)

    jti: Annotated[str, Field(min_length=1)]
    htm: str
    htu: str
    iat: Annotated[float, Field(allow_inf_nan=False)]
    ath: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyProof:
    """A proof is taken once, for the one request that it was made for, while it is fresh.

    Nothing is written for one that is wrong in any other way. No nonce is asked for: it would cost each
    client a second request, and shorten by seconds the minute in which a proof that was made ahead is good.
    """

    single_use: SingleUse
    clock: Clock

    def __call__(self, proof: str, presented: Presented) -> str:
        """The thumbprint of the key that signed it (RFC 7638), or `InvalidProof`."""
        try:
            key, claims = _read(proof)
            is_right = claims.htm == presented.method and _is_same(claims.htu, presented.url)
        except UNREADABLE as error:
            raise InvalidProof("The proof is not a JWT of the form that RFC 9449 describes.") from error
        if not is_right:
            raise InvalidProof("The proof is for another method or another URL.")
        if claims.ath != _hash(presented.access_token):
            raise InvalidProof("The proof is for another access token.")
        thumbprint = key.thumbprint()
        if presented.thumbprint not in (None, thumbprint):
            raise InvalidProof("The proof is of another key than the token's.")
        self._use(f"proof#{thumbprint}#{claims.jti}", issued_at=claims.iat)
        return thumbprint

    def _use(self, used_id: str, *, issued_at: float) -> None:
        now = self.clock.now()
        if abs(now.timestamp() - issued_at) > FRESH_FOR.total_seconds():
            raise InvalidProof("The proof is too old, or from the future.")
        # Twice, for a table's TTL goes by a clock that may be ahead of ours.
        until = datetime.fromtimestamp(issued_at, tz=UTC) + 2 * FRESH_FOR
        if not self.single_use.claim(used_id, until=until, now=now):
            raise InvalidProof("The proof was used before.")


def _read(proof: str) -> tuple[ECKey, Claims]:
    """The key that the proof names and has been signed with, and its claims."""
    keys: list[ECKey] = []

    def named(token: GuestProtocol) -> ECKey:
        key = ECKey.import_key(token.headers()["jwk"])
        if key.is_private:
            raise ValueError("a proof shows no private key")
        keys.append(key)
        return key

    # RFC 7515 §4: header parameters that nobody here knows are ignored, unless they are critical.
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    decoded = jwt.decode(proof, named, registry=registry)
    if decoded.header.get("typ") != PROOF_TYPE:
        raise ValueError("another type of token")
    return keys[0], Claims.model_validate(decoded.claims)


def _is_same(url: str, other: str) -> bool:
    """Whether both are the same but for query and fragment, which a proof leaves out (RFC 9449 §4.3)."""
    return normalized(url) == normalized(other)


_DEFAULT_PORTS = {"http": 80, "https": 443}
_ENCODED = re.compile("%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile("[A-Za-z0-9._~-]")


def normalized(url: str) -> tuple[str, str, str, int | None, str]:
    """Scheme, user, host, port and path, alike for all URLs that are equivalent (RFC 3986 §6.2.2, §6.2.3).

    What is reserved stays encoded: a slash within a segment is another path.

    >>> normalized("HTTP://API.test:80/v1/./%6aobs/a%2fb?x")
    ('http', '', 'api.test', 80, '/v1/jobs/a%2Fb')
    """
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    path = _without_dots(_ENCODED.sub(_decoded_if_unreserved, parts.path))
    return parts.scheme, user, parts.hostname or "", port, path


def _decoded_if_unreserved(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if _UNRESERVED.fullmatch(character) else found[0].upper()


def _without_dots(path: str) -> str:
    """The absolute path without `.` and `..` (RFC 3986 §5.2.4)."""
    _, *segments = path.split("/")
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    is_folder = segments[-1:] in (["."], [".."])
    return "/" + "/".join([*kept, ""] if is_folder else kept)


def _hash(access_token: str | None) -> str | None:
    """The token's `ath` (RFC 9449 §4.2); none where no token is sent, as at the token endpoint."""
    if access_token is None:
        return None
    digest = hashlib.sha256(access_token.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
