"""The public keys that a client hands in: what is taken, and what is refused without being repeated."""

import json
import warnings
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from chalicelib.domain.errors import Refused
from chalicelib.use_cases.client_keys import BYTES_AT_MOST, read_public_keys
from tests.unit.public_keys import EC, EC_OTHER, RSA, jwk


@pytest.mark.parametrize("key", [EC, RSA], ids=["EC", "RSA"])
def test_a_key_is_the_same_when_it_comes_as_jwk_set_or_pem(key: Any) -> None:
    (read,) = read_public_keys(jwk(key))
    assert read["kid"] == key.thumbprint()
    assert type(key).import_key(dict(read)).thumbprint() == key.thumbprint()
    assert read_public_keys(jwk(key, key)) == (read, read)
    assert read_public_keys(key.as_pem(private=False)) == (read,)


def test_a_key_keeps_its_name_and_nothing_else_when_it_has_more() -> None:
    (read,) = read_public_keys(jwk(EC, kid="2026-11", use="sig", alg="ES256", x5c=["…"], note="d"))
    assert read == {**EC.as_dict(private=False), "kid": "2026-11"}


def private_keys() -> dict[str, bytes]:
    return {
        "EC as PEM": EC.as_pem(private=True),
        "EC as JWK": json.dumps(EC.as_dict(private=True)).encode(),
        "in a set": json.dumps({"keys": [EC.as_dict(private=False), RSA.as_dict(private=True)]}).encode(),
        "RSA as PEM": RSA.as_pem(private=True),
        "a shared secret": json.dumps(OctKey.generate_key(256).as_dict(private=True)).encode(),
        "locked": EC.as_pem(private=True, password="1234"),
        "with the public one": EC.as_pem(private=False) + EC.as_pem(private=True),
    }


@pytest.mark.parametrize("form", private_keys())
def test_a_private_key_is_refused_and_not_repeated(form: str) -> None:
    content = private_keys()[form]
    with pytest.raises(Refused, match="must not leave its owner") as refused:
        read_public_keys(content)
    assert str(EC.as_dict(private=True)["d"]) not in str(refused.value)


def short_rsa() -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the very thing that is to be refused
        return RSAKey.generate_key(1024).as_pem(private=False)


NO_KIND, NO_FORM = "of no kind that we verify with", "neither a JWK or JWK set"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (short_rsa(), NO_KIND),
        (jwk(ECKey.generate_key("P-384")), NO_KIND),
        (jwk(OKPKey.generate_key("Ed25519")), NO_KIND),
        (OKPKey.generate_key("Ed25519").as_pem(private=False), NO_KIND),
        (jwk(EC, x="AA"), NO_KIND),
        (jwk(EC, y=EC_OTHER.as_dict()["y"]), NO_KIND),
        (jwk(EC, x=1), NO_KIND),
        (jwk(EC, crv=["P-256"]), NO_KIND),
        (jwk(EC, kty=["EC"]), NO_KIND),
        (jwk(RSA, e="AQ"), NO_KIND),
        (b"{}", NO_KIND),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", NO_KIND),
        (b"", NO_FORM),
        (b"[]", NO_FORM),
        (b"\xff\xfe", NO_FORM),
        (b"[" * 60_000, NO_FORM),
        (b"ssh-ed25519 AAAA", NO_FORM),
        (b'{"keys": []}', "has no keys"),
        (b'{"keys": {}}', "has no keys"),
        (b'{"keys": ["a"]}', "an entry that is no JWK"),
        (b" " * BYTES_AT_MOST + b"{}", "more than 65536 bytes"),
        (jwk(EC, use="enc"), "its `use` is not `sig`"),
        (jwk(EC, kid=7), "A `kid` is 1 to 128 visible"),
        (jwk(EC, kid="\x1b[2J"), "A `kid` is 1 to 128 visible"),
        (jwk(EC, kid=""), "A `kid` is 1 to 128 visible"),
        (EC.as_pem(private=False) * 2, "no PEM of one public key"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no PEM of one public key"),
    ],
    # Not the content, which holds keys made anew for each run.
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_a_file_is_refused_when_it_is_no_public_key_that_we_verify_with(content: bytes, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        read_public_keys(content)
