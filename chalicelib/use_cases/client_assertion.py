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
# How far ahead an assertion may expire, for its id is remembered until then; clients set one to five minutes.
LONGEST_LIFE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAssertion:
    """Whether an assertion was signed by the client, for us, for now, and is new.

    `audiences` are the names that we answer to: the issuer, and the token endpoint that RFC 7523 suggests.
    """

    single_use: SingleUse
    clock: Clock
    audiences: tuple[str, ...]

    def __call__(self, assertion: str, *, client: Client) -> bool:
        """Whether it is; it is used by being asked about."""
        now = self.clock.now()
        try:
            keys = KeySet([JWKRegistry.import_key(dict(key)) for key in client.public_keys])
            claims = jwt.decode(assertion, keys, algorithms=list(ALGORITHMS)).claims
            self._registry(client, now).validate(claims)
            expires_at = datetime.fromtimestamp(int(claims["exp"]), tz=UTC)
        except UNREADABLE:
            return False
        if expires_at > now + LONGEST_LIFE + SKEW:
            return False
        used_id = f"assertion#{client.client_id}#{claims['jti']}"
        return self.single_use.claim(used_id, until=expires_at + SKEW, now=now)

    def _registry(self, client: Client, now: datetime) -> jwt.JWTClaimsRegistry:
        required: dict[str, Any] = {
            "iss": {"essential": True, "value": client.client_id},
            "sub": {"essential": True, "value": client.client_id},
            "aud": {"essential": True, "values": list(self.audiences)},
            "exp": {"essential": True},
            "jti": {"essential": True},
        }
        return jwt.JWTClaimsRegistry(now=int(now.timestamp()), leeway=int(SKEW.total_seconds()), **required)
