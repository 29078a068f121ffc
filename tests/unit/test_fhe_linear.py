"""`fhe.linear` against numpy, on what its owner encrypts and decrypts."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tenseal

from chalicelib.job_types import JOB_TYPES
from tests.unit.fhe_owner import (
    BOTH,
    LENGTH,
    PLAIN_MODULUS,
    SYMMETRIC,
    WITH_KEYS_OR_NOT,
    Owner,
    data,
    owner,
    text,
)
from tests.unit.test_job_types import finished, run, started, stopped_everywhere

JOB_TYPE = JOB_TYPES["fhe.linear"]
# Each product of values up to 1 has an error of about 1e-6 at this scale (2^30).
TOLERANCE = 1e-3


@BOTH
@WITH_KEYS_OR_NOT
@pytest.mark.parametrize(("chunks", "length"), [(1, 1), (1, 77), (1, LENGTH), (3, 1_000), (3, LENGTH)])
def test_the_sum_is_numpys_when_its_owner_decrypts_it(
    scheme: str, chunks: int, length: int, keys: dict[str, bool]
) -> None:
    values, weights = data(scheme, chunks, length=length)
    own = owner(scheme)
    context = text(own.public(**keys))
    job_input = own.job_input(*values.tolist(), weights=weights.ravel().tolist(), context=context)
    progress, result = run("fhe.linear", job_input)
    decrypted = own.decrypted(result)
    assert len(decrypted) == (1 if keys else length)
    tolerance = 0 if scheme == "bfv" else TOLERANCE
    assert sum(decrypted) == pytest.approx(float((values * weights).sum()), abs=tolerance, rel=0)
    assert [(each.completed, each.total) for each in progress] == [(n + 1, chunks) for n in range(chunks)]


@BOTH
def test_each_slot_is_numpys_when_the_context_has_no_galois_keys(scheme: str) -> None:
    values, weights = data(scheme, 3)
    own = owner(scheme)
    _, result = run("fhe.linear", own.job_input(*values.tolist(), weights=weights.ravel().tolist()))
    expected = (values * weights).sum(axis=0)
    assert np.abs(np.array(own.decrypted(result)) - expected).max() <= (0 if scheme == "bfv" else 1e-4)


def test_a_large_sum_is_as_exact_as_a_small_one_when_no_prime_is_the_scale() -> None:
    context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, 4_096, coeff_mod_bit_sizes=[40, 28, 40])
    context.global_scale = 2**28
    own = Owner("ckks", context)
    _, result = run("fhe.linear", own.job_input([800] * 100, weights=[0.01] * 100))
    assert sum(own.decrypted(result)) == pytest.approx(800, abs=0.01)  # 2^-12 of it is twenty times as much


def test_a_context_is_enough_when_it_has_no_key_at_all() -> None:
    for scheme in ("ckks", "bfv"):
        context = owner(scheme).public()
        loaded = tenseal.context_from(context)
        assert len(context) < 100
        assert not loaded.has_secret_key()
        assert not loaded.has_public_key()
        assert not loaded.has_relin_keys()
        assert not loaded.has_galois_keys()


def test_the_sum_is_right_when_the_vector_was_encrypted_with_the_secret_key_itself() -> None:
    context = tenseal.context(tenseal.SCHEME_TYPE.BFV, 4_096, PLAIN_MODULUS, encryption_type=SYMMETRIC)
    own = Owner("bfv", context)
    _, result = run("fhe.linear", own.job_input([1, 2, 3], weights=[5, 7, -11]))
    assert own.decrypted(result) == [5, 14, -33]


@BOTH
@WITH_KEYS_OR_NOT
def test_the_result_is_the_same_when_a_run_goes_on_from_any_checkpoint(
    scheme: str, keys: dict[str, bool]
) -> None:
    values, weights = data(scheme, 4, length=10)
    weights[0] = 0  # so that the first checkpoint has no sum yet
    own = owner(scheme)
    context = text(own.public(**keys))
    job_input = own.job_input(*values.tolist(), weights=weights.ravel().tolist(), context=context)
    _, whole = finished(started("fhe.linear", job_input))
    left = []
    for _, rest in stopped_everywhere("fhe.linear", job_input):
        steps, result = finished(rest)
        assert result == whole
        left.append(len(steps))
    assert left == [3, 2, 1, 0]


def test_the_largest_weights_count_when_a_sum_is_modulo_the_plain_modulus() -> None:
    own = owner("bfv")
    _, result = run("fhe.linear", own.job_input([1, 2], weights=[-516_096, 516_096.0]))
    assert own.decrypted(result) == [-516_096, -1]


@pytest.mark.parametrize(
    ("changed", "units"),
    [
        ({"vector": ["AAAA"]}, 2),
        ({"vector": ["AAAA"] * 32}, 2),
        ({"vector": ["AAAA"] * 33}, 3),
        ({"vector": ["AAAA"] * 1_000}, 33),
        ({"context": "A" * 32 * 1024 * 1024}, 2),
        ({"context": "A" * (32 * 1024 * 1024 + 4)}, 3),
    ],
    ids=["1", "32", "33", "1,000", "32 MiB", "more"],
)
def test_a_price_follows_from_the_input_alone(changed: dict[str, Any], units: int) -> None:
    assert JOB_TYPE.cost(JOB_TYPE.input_model.model_validate({**JOB_TYPE.example, **changed})) == units


def test_the_type_is_not_available_when_its_package_is_not_there() -> None:
    assert JOB_TYPE.is_available
    assert not replace(JOB_TYPE, requires="a_package_that_is_not_there").is_available


def test_the_types_are_declared_and_others_run_when_the_package_is_not_there() -> None:
    script = """if True:
        import sys
        sys.modules["tenseal"] = sys.modules["numpy"] = None  # as if neither were installed
        from chalicelib.job_types import JOB_TYPES
        assert not JOB_TYPES["fhe.linear"].is_available
        assert JOB_TYPES["fhe.linear"].input_model.model_json_schema()["properties"].keys() >= {"weights"}
        assert [name for name, each in JOB_TYPES.items() if not each.is_available] == ["fhe.linear"]
        from tests.unit.test_job_types import run
        print(run("sha256.chain", dict(JOB_TYPES["sha256.chain"].example, rounds=1))[1]["rounds"])
    """
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (process.stdout, process.stderr) == ("1\n", "")
