"""What `fhe.linear` refuses: in a sentence, whatever it is given, and a secret key before anything else."""

from typing import Any

import pytest
import tenseal
from pydantic import ValidationError

from chalicelib.job_types import JOB_TYPES
from tests.unit.fhe_owner import BOTH, SYMMETRIC, Owner, owner, text
from tests.unit.test_job_types import finished, started

JOB_TYPE = JOB_TYPES["fhe.linear"]


def refusal(job_input: dict[str, Any]) -> str:
    """The words of the `JobError` that the run ends with."""
    _, words = finished(started("fhe.linear", job_input))
    assert isinstance(words, str), words
    return words


@BOTH
def test_a_context_is_refused_when_it_contains_a_secret_key(scheme: str) -> None:
    own = owner(scheme)
    context = own.public(galois=True, secret=True)
    assert tenseal.context_from(context).has_secret_key()
    words = refusal(own.job_input([1], weights=[1], context=text(context), vector=["AAAA"]))
    assert words.startswith("`context` contains a secret key, and was not used.")


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ("1a03" + "5e5e5e", "contains a secret key"),  # TenSEAL could read neither the key nor the context
        ("9a00" + "00", "contains a secret key"),  # the same number, written longer than it needs to be
        ("9a80808010" + "00", "is not what TenSEAL serializes"),  # the same in 32 bits
        ("2a00", "is not what TenSEAL serializes"),
        ("12001200", "is not what TenSEAL serializes"),  # one more of what there may be
        ("1b1c", "is not what TenSEAL serializes"),  # a group, as old messages have
        ("1a05", "is not what TenSEAL serializes"),
        ("ff" * 11, "is not what TenSEAL serializes"),
    ],
)
def test_a_context_is_not_even_read_when_it_may_contain_a_secret_key(added: str, words: str) -> None:
    context = owner("bfv").public() + bytes.fromhex(added)
    assert words in refusal(owner("bfv").job_input([1], weights=[1], context=text(context)))


def test_what_does_not_fit_is_told_when_it_is_the_context() -> None:
    ckks, bfv = owner("ckks"), owner("bfv")
    large = tenseal.context(tenseal.SCHEME_TYPE.BFV, 32_768, 786_433, [30, 30], SYMMETRIC)
    no_slots = tenseal.context(tenseal.SCHEME_TYPE.BFV, 4_096, 1_032_192, [], SYMMETRIC)
    refusals = {
        text(b"\x0a\x03abc"): "`context` cannot be computed with: ",
        text(ckks.public()): "`context` is of another scheme than bfv.",
        text(
            large.serialize(save_secret_key=False)
        ): "`context` has the degree 32768; it may have 16384 at most.",
        text(no_slots.serialize(save_secret_key=False)): "`vector[0]` is no bfv_vector of `context`: ",
    }
    for context, words in refusals.items():
        assert words in refusal(bfv.job_input([1], weights=[1], context=context))


@BOTH
def test_what_does_not_fit_is_told_when_it_is_the_vector(scheme: str) -> None:
    own = owner(scheme)
    whole = own.encrypted([1, 2])
    other = owner("bfv", degree=8_192).encrypted([1, 2])
    refusals = {
        text(whole[:-100]): f"`vector[1]` is no {scheme}_vector of `context`: ",
        text(other): f"`vector[1]` is no {scheme}_vector of `context`: ",
        text(b"\x0a\x01\x02"): "`vector[1]` has not one ciphertext of two polynomials",
        text(whole + whole): "`vector[1]` has not one ciphertext of two polynomials",
        text(b"\x0a\x03\xff\xff\x07" + whole[3:]): "`vector[1]` says that it has",
        text(b"\x0a\x01\x00" + whole[3:]): "`vector[1]` says that it has 0 values; it may have 1 to ",
        text(own.encrypted([1, 2, 3])): "`vector[1]` has 3 values and `vector[0]` 2: pad it.",
    }
    assert whole[:3] == b"\x0a\x01\x02"  # the message begins with how many values there are
    for vector, words in refusals.items():
        job_input = own.job_input([1, 2], weights=[1, 2, 3, 4])
        assert words in refusal({**job_input, "vector": [*job_input["vector"], vector]})


def test_a_ciphertext_is_refused_when_it_has_been_multiplied() -> None:
    own = owner("bfv")
    unfinished = tenseal.bfv_vector_from(tenseal.context_from(own.public(secret=True)), own.encrypted([1]))
    unfinished.context().auto_relin = False
    unfinished *= unfinished
    words = refusal(own.job_input([1], weights=[1], vector=[text(unfinished.serialize())]))
    assert "has not one ciphertext of two polynomials" in words


@pytest.mark.parametrize(
    ("scheme", "weights", "words"),
    [
        ("ckks", [1.0], "There are 1 weights for 2 values."),
        ("bfv", [1, 2, 3], "There are 3 weights for 2 values."),
        ("ckks", [0.0, 0], "All weights are zero"),
        ("bfv", [0, 0], "All weights are zero"),
        ("ckks", [2.0**53 - 1, 2.0**53 - 1], "`vector[0]` cannot be multiplied by its weights and added: "),
        ("bfv", [1, 0.5], "`weights[1]` is not whole, as weights for BFV are."),
        ("bfv", [1, 516_097], "`weights[1]` is beyond 516096, half the plain modulus of `context`."),
        ("bfv", [-516_097, 1], "`weights[0]` is beyond 516096, half the plain modulus of `context`."),
    ],
)
def test_what_does_not_fit_is_told_when_it_is_the_weights(
    scheme: str, weights: list[float], words: str
) -> None:
    assert words in refusal(owner(scheme).job_input([1, 2], weights=weights))


def test_one_number_is_refused_when_the_values_do_not_fit_what_galois_keys_rotate() -> None:
    own = owner("bfv")
    job_input = own.job_input([1] * 4_096, weights=[1] * 4_096, context=text(own.public(galois=True)))
    assert refusal(job_input).startswith("The values of the sum cannot be added up with these Galois keys: ")


def test_a_product_is_refused_when_its_scale_is_beyond_the_primes_of_the_context() -> None:
    context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, 4_096, coeff_mod_bit_sizes=[50, 50])
    context.global_scale = 2**40
    words = refusal(Owner("ckks", context).job_input([1], weights=[1]))
    assert words.startswith("`vector[0]` cannot be multiplied by its weights and added: ")


@BOTH
def test_a_run_ends_in_a_sentence_or_a_result_when_a_byte_is_another(scheme: str) -> None:
    own = owner(scheme)
    job_input = own.job_input([1, 2], [3, 4], weights=[1, 2, 3, 4])
    context, vector = own.public(), own.encrypted([3, 4])
    outcomes = set()
    for place in range(len(context)):
        outcomes |= outcome({**job_input, "context": text(altered(context, place))})
    for place in [*range(60), *range(60, len(vector), len(vector) // 20)]:
        changed = [job_input["vector"][0], text(altered(vector, place))]
        outcomes |= outcome({**job_input, "vector": changed})
    assert outcomes == {str, dict}


def altered(message: bytes, place: int) -> bytes:
    return message[:place] + bytes([message[place] ^ 0x55]) + message[place + 1 :]


def outcome(job_input: dict[str, Any]) -> set[type]:
    _, ended = finished(started("fhe.linear", job_input))
    return {type(ended)}


@pytest.mark.parametrize(
    "changed",
    [
        {"scheme": "tfhe"},
        {"scheme": "CKKS"},
        {"context": ""},
        {"context": "AA=A"},
        {"context": "AAAAA"},
        {"context": "AAAA="},
        {"context": "AAAAAA"},
        {"context": "AB=="},
        {"context": "AAB="},
        {"context": "AA-_"},
        {"context": "AAAA\n"},
        {"vector": []},
        {"vector": "AAAA"},
        {"vector": ["AAAA"] * 1_001},
        {"vector": ["A" * (3 * 1024 * 1024 + 1)]},
        {"weights": []},
        {"weights": [1] * 1_000_001},
        {"weights": ["1"]},
        {"weights": [True]},
        {"weights": [None]},
        {"weights": [float("nan")]},
        {"weights": [float("inf")]},
        {"weights": [2.0**53]},
        {"weights": [-(2.0**53)]},
        {"weights": [10**400]},
        {"secret_key": "AAAA"},
    ],
    ids=lambda changed: repr(changed)[:30],
)
def test_an_input_is_refused_when_it_does_not_fit_the_model(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        JOB_TYPE.input_model.model_validate({**JOB_TYPE.example, **changed})
