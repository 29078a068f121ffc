"""Whether who sends a token has the key that it is bound to (DPoP: RFC 9449 §4.3)."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from joserfc import jwt
from joserfc.jwk import GuestProtocol, JWKRegistry, Key

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
    """The request that a proof must be for: its method, its absolute URL, and the token that it carries."""

    method: str
    url: str
    access_token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyProof:
    """A proof is taken once, for the one request that it was made for, while it is fresh."""

    single_use: SingleUse
    clock: Clock

    def __call__(self, proof: str, presented: Presented) -> str:
        """The thumbprint of the key that signed it (RFC 7638), or `InvalidProof`."""
        try:
            key, claims = _read(proof)
            issued_at = datetime.fromtimestamp(claims["iat"], tz=UTC)
            token_id = str(claims["jti"])
            is_right = claims["htm"] == presented.method and _same(str(claims["htu"]), presented.url)
        except UNREADABLE as error:
            raise InvalidProof("The proof is not a JWT of the form that RFC 9449 describes.") from error
        if not is_right:
            raise InvalidProof("The proof is for another method or another URL.")
        if claims.get("ath") != _hash(presented.access_token):
            raise InvalidProof("The proof is for another access token.")
        now = self.clock.now()
        if abs(now - issued_at) > FRESH_FOR:
            raise InvalidProof("The proof is too old, or from the future.")
        thumbprint = key.thumbprint()
        if not self.single_use.claim(
            f"proof#{thumbprint}#{token_id}", until=issued_at + 2 * FRESH_FOR, now=now
        ):
            raise InvalidProof("The proof was used before.")
        return thumbprint


def _read(proof: str) -> tuple[Key, dict[str, Any]]:
    """The key that the proof names and has been signed with, and its claims."""
    keys: list[Key] = []

    def named(token: GuestProtocol) -> Key:
        jwk = token.headers()["jwk"]
        key = JWKRegistry.import_key(jwk)
        if key.is_private:
            raise ValueError("a proof shows no private key")
        keys.append(key)
        return key

    decoded = jwt.decode(proof, named, algorithms=list(ALGORITHMS))
    if decoded.header.get("typ") != PROOF_TYPE:
        raise ValueError("another type of token")
    return keys[0], decoded.claims


def _same(url: str, other: str) -> bool:
    """Whether both are the same but for query and fragment, which a proof leaves out (RFC 9449 §4.3)."""
    return _normalized(url) == _normalized(other)


def _normalized(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower(), unquote(parts.path)


def _hash(access_token: str | None) -> str | None:
    """The token's `ath` (RFC 9449 §4.2); none where no token is sent, as at the token endpoint."""
    if access_token is None:
        return None
    digest = hashlib.sha256(access_token.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
