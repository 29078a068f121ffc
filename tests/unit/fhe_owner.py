"""Who owns encrypted data, under a test's hand: encrypts it, has it summed, and decrypts the sum."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import tenseal

BOTH = pytest.mark.parametrize("scheme", ["ckks", "bfv"])
WITH_KEYS_OR_NOT = pytest.mark.parametrize(
    "keys", [{}, {"galois": True}], ids=["without keys", "with Galois keys"]
)
SYMMETRIC = tenseal.ENCRYPTION_TYPE.SYMMETRIC
# A ciphertext of degree 4,096 has half as many slots for CKKS, and as many for BFV in two rows.
LENGTH = 2_048
PLAIN_MODULUS = 1_032_193


@dataclass(frozen=True)
class Owner:
    """Who has the secret key of the context, and alone can decrypt."""

    scheme: str
    context: tenseal.Context

    def public(self, *, galois: bool = False, secret: bool = False) -> bytes:
        keys = {"save_secret_key": secret, "save_galois_keys": galois}
        return self.context.serialize(save_public_key=secret, save_relin_keys=False, **keys)

    def encrypted(self, values: Sequence[float]) -> bytes:
        encrypt = tenseal.ckks_vector if self.scheme == "ckks" else tenseal.bfv_vector
        return encrypt(self.context, list(values)).serialize()

    def decrypted(self, result: Any) -> list[float]:
        load = tenseal.ckks_vector_from if self.scheme == "ckks" else tenseal.bfv_vector_from
        values = load(self.context, b64decode(result["ciphertext"])).decrypt()
        assert len(values) == result["values"]
        return values

    def job_input(self, *chunks: Sequence[float], weights: Sequence[float], **changed: Any) -> dict[str, Any]:
        vector = [text(self.encrypted(chunk)) for chunk in chunks]
        public = {"scheme": self.scheme, "context": text(self.public())}
        return {**public, "vector": vector, "weights": list(weights), **changed}


def text(serialized: bytes) -> str:
    return b64encode(serialized).decode()


@cache
def owner(scheme: str, *, degree: int = 4_096, plain_modulus: int = PLAIN_MODULUS) -> Owner:
    """With a key of its own, and Galois keys where the degree allows them at a bearable size."""
    if scheme == "ckks":
        context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, degree, coeff_mod_bit_sizes=[39, 30, 39])
        context.global_scale = 2**30
    else:
        context = tenseal.context(tenseal.SCHEME_TYPE.BFV, degree, plain_modulus)
    if degree == 4_096:
        context.generate_galois_keys()
    return Owner(scheme, context)


def data(scheme: str, chunks: int, *, length: int = LENGTH) -> tuple[np.ndarray, np.ndarray]:
    """Values and weights of either sign; whole for BFV, and such that no sum is beyond the plain modulus."""
    chance = np.random.default_rng(5)
    if scheme == "bfv":
        return chance.integers(-9, 10, (chunks, length)), chance.integers(-9, 10, (chunks, length))
    return chance.uniform(-1, 1, (chunks, length)), chance.uniform(-1, 1, (chunks, length))
