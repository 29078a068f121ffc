"""The public keys that a client hands in: a JWK, a JWK set or a PEM, of the kinds that we verify with."""

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, RSAKey, import_key

from chalicelib.domain.errors import Refused
from chalicelib.use_cases.jose_errors import UNREADABLE

# Below it RSA is broken (NIST SP 800-131A); above it a forged assertion costs us more to refuse than to send.
RSA_BITS = range(2048, 4096 + 1)
# The one in use, the next one, and as many again; a row of a client is read for every token.
KEYS_AT_MOST = 4
# Four RSA keys of 4,096 bits as PEM are 3,200 bytes, and JWKs may carry certificates, which we leave out.
BYTES_AT_MOST = 65_536
# The name of a key, as an assertion gives it: it is also shown to operators, so nothing that would act there.
_NAME = re.compile(r"[!-~]{1,128}")
_SECRET_FIELDS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_FIELDS = {"EC": ("kty", "crv", "x", "y"), "RSA": ("kty", "n", "e")}


def read_public_keys(content: bytes) -> tuple[Mapping[str, str], ...]:
    """The public keys as JWKs, each with its `kid` or else its thumbprint (RFC 7638); or `Refused`."""
    if len(content) > BYTES_AT_MOST:
        raise Refused(f"This is more than {BYTES_AT_MOST} bytes, and no file of public keys.")
    if b"-----BEGIN" in content:
        return (_of_pem(content),)
    return tuple(_of_jwk(each) for each in _jwks(content))


def check_distinct(keys: Sequence[Mapping[str, str]]) -> tuple[Mapping[str, str], ...]:
    """The keys, if they are few and no two have a name in common, for an assertion chooses by the name."""
    if len(keys) > KEYS_AT_MOST:
        raise Refused(f"A client has at most {KEYS_AT_MOST} public keys: leave out those that are not used.")
    if len({key["kid"] for key in keys}) < len(keys):
        raise Refused("Two of the public keys have the same `kid`: give each one of its own.")
    return tuple(keys)


def _of_pem(content: bytes) -> Mapping[str, str]:
    if b"PRIVATE" in content:
        raise Refused(
            "This is a private key, which must not leave its owner: hand in its public key "
            "(`openssl pkey -pubout`), and replace it if others could read it."
        )
    if content.count(b"-----BEGIN") != 1 or b"PUBLIC KEY-----" not in content:
        raise Refused("This is no PEM of one public key: make one with `openssl pkey -pubout`.")
    return _checked(content, None)


def _jwks(content: bytes) -> list[Any]:
    """The JWKs of the document: it is one, or has a list of them in `keys` (RFC 7517 §5)."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Refused("This is neither a JWK or JWK set (JSON) nor a PEM of a public key.")
    found = document.get("keys", [document])
    if not isinstance(found, list) or not found:
        raise Refused("This JWK set has no keys.")
    return found


def _of_jwk(jwk: Any) -> Mapping[str, str]:
    if not isinstance(jwk, dict):
        raise Refused("This JWK set has an entry that is no JWK.")
    if _SECRET_FIELDS & jwk.keys():
        raise Refused(
            "This JWK is private, or a shared secret, and must not leave its owner: "
            "hand in the public one alone, and replace it if others could read it."
        )
    kid = jwk.get("kid")
    if kid is not None and not (isinstance(kid, str) and _NAME.fullmatch(kid)):
        raise Refused("A `kid` is 1 to 128 visible characters of ASCII: give the key another.")
    if jwk.get("use", "sig") != "sig":
        raise Refused("This key is not for signatures: its `use` is not `sig`.")
    return _checked({name: jwk[name] for name in _FIELDS.get(str(jwk.get("kty")), ()) if name in jwk}, kid)


def _checked(text: bytes | dict[str, Any], kid: str | None) -> Mapping[str, str]:
    """What is needed of the key, if it is one that we verify with."""
    key = _imported(text)
    if not (isinstance(key, ECKey) and key.curve_name == "P-256") and not (
        isinstance(key, RSAKey) and key.raw_value.key_size in RSA_BITS
    ):
        raise Refused(
            "This key is of no kind that we verify with: make one of the curve P-256, "
            f"or one of RSA with {RSA_BITS[0]} to {RSA_BITS[-1]} bits."
        )
    public = {name: str(key.dict_value[name]) for name in _FIELDS[key.key_type]}
    return {**public, "kid": kid or key.thumbprint()}


def _imported(text: bytes | dict[str, Any]) -> Key | None:
    """The key; none if its kind is unknown to the library."""
    try:
        with warnings.catch_warnings():
            # It warns of a key that is too short, which we refuse, and of a PEM that may be of any kind.
            warnings.simplefilter("ignore", SecurityWarning)
            return import_key(text)
    except UNREADABLE:
        return None
