"""What a client with a key signs: who it is (RFC 7523), and that a request is its own (RFC 9449).

Right but for what a test asks for: further arguments are claims that take the place of the right ones, and a
claim of `None` is left out; `header` does the same for the header.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from itertools import count
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import JWSRegistry

SigningKey = ECKey | RSAKey | OctKey

KEY = ECKey.generate_key("P-256", private=True)
OTHER_KEY = ECKey.generate_key("P-256", private=True)
# Of headers that nobody knows too, for whoever reads a proof has to ignore them.
_ANY_HEADER = JWSRegistry(
    algorithms=["ES256", "ES384", "PS256", "RS256", "HS256", "none"], strict_check_header=False
)

_numbers = count()


def public(key: SigningKey) -> dict[str, str]:
    """The public half, as a JWK."""
    return {name: str(value) for name, value in key.as_dict(private=False).items()}


PUBLIC_KEY = public(KEY)


def assertion(
    client_id: str,
    *,
    audience: str,
    now: float,
    key: SigningKey = KEY,
    header: Mapping[str, Any] | None = None,
    **claims: Any,
) -> str:
    """That it is this client, for the next minute."""
    right = {"iss": client_id, "sub": client_id, "aud": audience, "exp": int(now) + 60, "jti": _new_id()}
    return signed({"alg": "ES256", **(header or {})}, {**right, **claims}, key)


def proof(
    method: str,
    url: str,
    *,
    now: float,
    access_token: str | None = None,
    key: SigningKey = KEY,
    header: Mapping[str, Any] | None = None,
    **claims: Any,
) -> str:
    """That the key's owner makes this request, with this token."""
    right: dict[str, Any] = {"htm": method, "htu": url, "iat": int(now), "jti": _new_id()}
    if access_token is not None:
        right["ath"] = _base64(hashlib.sha256(access_token.encode()).digest())
    named = {"alg": "ES256", "typ": "dpop+jwt", "jwk": public(key)}
    return signed({**named, **(header or {})}, {**right, **claims}, key)


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: SigningKey) -> str:
    """The JWT, without what is `None`."""
    kept, told = (
        {name: value for name, value in each.items() if value is not None} for each in (header, claims)
    )
    return jwt.encode(kept, told, key, registry=_ANY_HEADER)


def unsigned(header: Mapping[str, Any], claims: Mapping[str, Any], *, signature: str = "") -> str:
    """The JWT of any header, which no library would make, with no signature or one that is none."""
    parts = [_base64(json.dumps(part).encode()) for part in (header, claims)]
    return ".".join([*parts, signature])


def public_as_secret(key: SigningKey) -> OctKey:
    """The public half, as whoever verifies HS256 with the key at hand would take it."""
    return OctKey.import_key(json.dumps(public(key)).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _new_id() -> str:
    return f"id-{next(_numbers)}"
