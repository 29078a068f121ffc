"""RFC 9068 access tokens with joserfc: ES256, by the keys of the ring."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, GuestProtocol
from pydantic import JsonValue

from chalicelib.domain.access_token import AccessToken
from chalicelib.domain.errors import InvalidToken
from chalicelib.domain.key_ring import KNOWN_FOR, SKEW
from chalicelib.ports import Clock, KeyRings, Keys, VerifiedToken
from chalicelib.use_cases.jose_errors import UNREADABLE
from chalicelib.use_cases.rotate_keys import MadeKey

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"
REQUIRED_CLAIMS = ("iss", "aud", "sub", "client_id", "iat", "exp", "jti", "scope")
# Who sends unknown key names causes one read in this time and process, and no more. It is also how long a
# key that signs before anyone can know it, as after a compromise, may be refused by a process so kept busy.
REFETCH_AFTER = timedelta(seconds=5)


class JoseTokens:
    """The `Tokens` port. It keeps the keys that it has read until a token names another, or for a day."""

    def __init__(self, keys: Keys, rings: KeyRings, clock: Clock, *, issuer: str) -> None:
        self._keys = keys
        self._rings = rings
        self._clock = clock
        self._issuer = issuer
        self._known: dict[str, ECKey] = {}
        self._read_at: datetime | None = None

    def sign(self, token: AccessToken) -> str:
        """See `ports.Tokens.sign`; the ring is read anew, so that a replaced key signs nothing any more."""
        kid = self._rings.get().signing(now=self._clock.now()).kid
        key = ECKey.import_key(json.loads(self._keys.token_key(kid)))
        header = {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": kid}
        return jwt.encode(header, token.to_claims(issuer=self._issuer), key, algorithms=[ALGORITHM])

    def verify(self, token: str) -> VerifiedToken:
        """See `ports.Tokens.verify`."""
        try:
            decoded = jwt.decode(token, self._key, algorithms=[ALGORITHM])
            if decoded.header.get("typ") != TOKEN_TYPE:
                raise InvalidToken("The token is no access token.")
            self._claims.validate(decoded.claims)
            return VerifiedToken(_token(decoded.claims), kid=decoded.header["kid"])
        except UNREADABLE as error:
            raise InvalidToken("The token is not a live access token of ours.") from error

    def public_keys(self) -> Sequence[dict[str, JsonValue]]:
        """See `ports.Tokens.public_keys`."""
        published = self._rings.get().published(now=self._clock.now())
        return [{**key.public, "kid": key.kid, "use": "sig", "alg": ALGORITHM} for key in published]

    def _key(self, token: GuestProtocol) -> ECKey:
        kid = token.headers().get("kid")
        if not isinstance(kid, str):
            raise InvalidToken("The token does not name its key.")
        self._read(kept_for=KNOWN_FOR if kid in self._known else REFETCH_AFTER)
        if kid not in self._known:
            raise InvalidToken("The token is signed with no key of ours.")
        return self._known[kid]

    def _read(self, *, kept_for: timedelta) -> None:
        """Reads the ring if what is known of it is as old as this, or from the future."""
        now = self._clock.now()
        if self._read_at is None or not self._read_at <= now < self._read_at + kept_for:
            published = self._rings.get().published(now=now)
            self._known = {key.kid: ECKey.import_key(dict(key.public)) for key in published}
            self._read_at = now

    @property
    def _claims(self) -> jwt.JWTClaimsRegistry:
        required = {name: {"essential": True} for name in REQUIRED_CLAIMS}
        required["iss"]["value"] = self._issuer  # type: ignore[assignment]
        required["aud"]["value"] = self._issuer  # type: ignore[assignment]
        now = int(self._clock.now().timestamp())
        return jwt.JWTClaimsRegistry(now=now, leeway=int(SKEW.total_seconds()), **required)  # type: ignore[arg-type]


def make_token_key() -> MadeKey:
    """A new key pair for the ring, named by its thumbprint (RFC 7638)."""
    key = ECKey.generate_key("P-256", private=True)
    public = {name: str(value) for name, value in key.as_dict(private=False).items()}
    return MadeKey(key.thumbprint(), public, json.dumps(key.as_dict(private=True)))


def _token(claims: dict[str, Any]) -> AccessToken:
    confirmation = claims.get("cnf")
    return AccessToken(
        token_id=str(claims["jti"]),
        tenant_id=str(claims["sub"]),
        client_id=str(claims["client_id"]),
        scopes=tuple(str(claims["scope"]).split()),
        issued_at=datetime.fromtimestamp(int(claims["iat"]), tz=UTC),
        expires_at=datetime.fromtimestamp(int(claims["exp"]), tz=UTC),
        thumbprint=str(confirmation["jkt"]) if confirmation is not None else None,
    )
