"""A client's assertion of who it is (`private_key_jwt`: RFC 7523 §3), good once and for minutes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import JWKRegistry, KeySet

from chalicelib.domain.client import Client
from chalicelib.domain.key_ring import SKEW
from chalicelib.ports import Clock, SingleUse
from chalicelib.use_cases.jose_errors import UNREADABLE

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# What FAPI 2.0 allows and our library has without warning: no RSA of PKCS #1 v1.5, no shared secret.
ALGORITHMS = ("ES256", "PS256")
# RFC 7523 asks for no type, its update (draft-ietf-oauth-rfc7523bis §4) for the last. Whatever else the
# client's key signs has another: a proof of possession is no proof of identity (RFC 8725 §3.11).
TYPES = (None, "jwt", "client-authentication+jwt")
# How far ahead an assertion may expire, for its id is remembered until then; clients set one to five minutes.
LONGEST_LIFE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAssertion:
    """Whether an assertion was signed by the client, for us alone, for now, and is new.

    `audiences` are the names that we answer to: the issuer, and the token endpoint that RFC 7523 suggests.
    A client with several keys says which by the `kid`.
    """

    single_use: SingleUse
    clock: Clock
    audiences: tuple[str, ...]

    def __call__(self, assertion: str, *, client: Client) -> bool:
        """Whether it is; it is used by being asked about."""
        now = self.clock.now()
        try:
            claims = self._claims(assertion, client, now)
            ends = datetime.fromtimestamp(claims["exp"], tz=UTC) + SKEW
        except UNREADABLE:
            return False
        # To the microsecond, where our library looks at seconds: no id is forgotten while it can be used.
        if not now < ends <= now + LONGEST_LIFE + 2 * SKEW:
            return False
        return self.single_use.claim(f"assertion#{client.client_id}#{claims['jti']}", until=ends, now=now)

    def _claims(self, assertion: str, client: Client, now: datetime) -> dict[str, Any]:
        """What the client has signed and meant for us; else one of the `UNREADABLE`."""
        keys = KeySet([JWKRegistry.import_key(dict(key)) for key in client.public_keys])
        decoded = jwt.decode(assertion, keys, algorithms=list(ALGORITHMS))
        said, audience = decoded.header.get("typ"), decoded.claims["aud"]
        if (said and said.lower()) not in TYPES:
            raise ValueError("another type of token")
        # Of two audiences either could use it at the other (rfc7523bis §3: the sole value).
        if audience not in self.audiences and audience not in [[each] for each in self.audiences]:
            raise ValueError("not for us alone")
        self._registry(client, now).validate(decoded.claims)
        return decoded.claims

    def _registry(self, client: Client, now: datetime) -> jwt.JWTClaimsRegistry:
        required: dict[str, Any] = {
            "iss": {"essential": True, "value": client.client_id},
            "sub": {"essential": True, "value": client.client_id},
            "exp": {"essential": True},
            "jti": {"essential": True},
        }
        return jwt.JWTClaimsRegistry(now=int(now.timestamp()), leeway=int(SKEW.total_seconds()), **required)
