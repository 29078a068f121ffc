"""What a client with a key signs: who it is (RFC 7523), and that a request is its own (RFC 9449)."""

import base64
import hashlib
from itertools import count

from joserfc import jwt
from joserfc.jwk import ECKey

KEY = ECKey.generate_key("P-256", private=True)
PUBLIC_KEY = {name: str(value) for name, value in KEY.as_dict(private=False).items()}

_numbers = count()


def assertion(client_id: str, *, audience: str, now: float) -> str:
    """That it is this client, for the next minute."""
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "exp": int(now) + 60, "jti": _new_id()}
    return jwt.encode({"alg": "ES256"}, claims, KEY)


def proof(method: str, url: str, *, now: float, access_token: str | None = None) -> str:
    """That the key's owner makes this request, with this token."""
    claims = {"htm": method, "htu": url, "iat": int(now), "jti": _new_id()}
    if access_token is not None:
        digest = hashlib.sha256(access_token.encode()).digest()
        claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return jwt.encode({"alg": "ES256", "typ": "dpop+jwt", "jwk": PUBLIC_KEY}, claims, KEY)


def _new_id() -> str:
    return f"proof-{next(_numbers)}"
