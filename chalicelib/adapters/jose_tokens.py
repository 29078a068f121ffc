"""RFC 9068 access tokens with joserfc: ES256, one key from the key store."""

import json
from collections.abc import Mapping
from functools import cached_property

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pydantic import JsonValue

from chalicelib.domain.errors import InvalidToken
from chalicelib.ports import Clock, Keys
from chalicelib.use_cases.issue_token import SKEW

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"
REQUIRED_CLAIMS = ("iss", "aud", "sub", "client_id", "iat", "exp", "jti", "scope")


class JoseTokens:
    """The `Tokens` port."""

    def __init__(self, keys: Keys, clock: Clock, *, issuer: str) -> None:
        self._keys = keys
        self._clock = clock
        self._issuer = issuer

    def sign(self, claims: Mapping[str, JsonValue]) -> str:
        """See `ports.Tokens.sign`."""
        header = {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": self._key.thumbprint()}
        return jwt.encode(header, dict(claims), self._key, algorithms=[ALGORITHM])

    def verify(self, token: str) -> Mapping[str, JsonValue]:
        """See `ports.Tokens.verify`."""
        try:
            decoded = jwt.decode(token, self._key, algorithms=[ALGORITHM])
            if decoded.header.get("typ") != TOKEN_TYPE:
                raise InvalidToken("The token is no access token.")
            self._claims.validate(decoded.claims)
        # joserfc lets the errors of a malformed `crit` and of endless nesting through.
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise InvalidToken("The token is not a live access token of ours.") from error
        return decoded.claims

    def public_keys(self) -> Mapping[str, JsonValue]:
        """See `ports.Tokens.public_keys`."""
        public = self._key.as_dict(private=False, kid=self._key.thumbprint(), use="sig", alg=ALGORITHM)
        return {"keys": [{name: str(value) for name, value in public.items()}]}

    @cached_property
    def _key(self) -> ECKey:
        return ECKey.import_key(json.loads(self._keys.token_key()))

    @property
    def _claims(self) -> jwt.JWTClaimsRegistry:
        required = {name: {"essential": True} for name in REQUIRED_CLAIMS}
        required["iss"]["value"] = self._issuer  # type: ignore[assignment]
        required["aud"]["value"] = self._issuer  # type: ignore[assignment]
        now = int(self._clock.now().timestamp())
        return jwt.JWTClaimsRegistry(now=now, leeway=int(SKEW.total_seconds()), **required)  # type: ignore[arg-type]
