"""`fhe.linear`: a weighted sum over an encrypted vector, for who may not see the vector.

Invariant: nothing here can decrypt. A context with a secret key is refused before TenSEAL reads it, for
reading one may already use the key, to make others of it.

A ciphertext holds thousands of values, one a slot. The run multiplies each by its weights, slot by slot, and
adds up the products; the slots of that add up to the weighted sum, and whoever decrypts them adds them. It
needs no key: a context of 92 bytes does. To add up slots takes Galois keys: 6 MB at degree 4,096, 72 MB at
16,384. Who wants the one number sends them, and it is done once, at the end, however long the vector. A value
a ciphertext would need no such keys either, but 86 KB a value.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from chalicelib.domain.job import Progress
from chalicelib.job_types.contract import Context, JobError, JobInput, JobType, Run, Step
from chalicelib.job_types.protobuf import NoMessage, field_numbers

# Beyond it, Galois keys are larger than any upload.
DEGREE_AT_MOST = 16_384
CONTEXT_CHARACTERS = 100 * 1024 * 1024
# The largest ciphertext of that degree (two polynomials, at most eight primes of 8 bytes) has 2.8 million.
CIPHERTEXT_CHARACTERS = 3 * 1024 * 1024
CIPHERTEXTS_AT_MOST = 1_000
# As JSON some 10 MB, and 60 MB once they are read.
WEIGHTS_AT_MOST = 1_000_000
# A larger whole number is not exact in JSON (RFC 7493).
WEIGHT_AT_MOST = 2**53 - 1
# At degree 16,384 a second at most: 30 ms a ciphertext; keys are read at 60 MB a second.
CIPHERTEXTS_A_UNIT = 32
CONTEXT_CHARACTERS_A_UNIT = 32 * 1024 * 1024

# TenSEALContextProto: parameters, public part, kind of encryption; and the private part.
_PUBLIC_FIELDS, _PRIVATE_FIELD = frozenset({1, 2, 4}), 3
_INDEX_BYTES = 4
# Whole, padded, and with no bit set in the padding (RFC 4648 §3.5): one text for the same bytes.
_BASE64 = (
    "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)$"
)

Ciphertext = Annotated[str, Field(pattern=_BASE64, min_length=4, max_length=CIPHERTEXT_CHARACTERS)]
Weight = Annotated[float, Field(ge=-WEIGHT_AT_MOST, le=WEIGHT_AT_MOST, allow_inf_nan=False)]


class FheLinearInput(JobInput):
    """`context` and `vector` are in base64 what TenSEAL serializes. The context is public; no key in it is
    needed. The vector comes as CKKS or BFV vectors of one ciphertext and one length each: pad the last with
    zeros. There is a weight for each value, whole for BFV.

    The result's `ciphertext` is such a vector: its `values` numbers, decrypted, add up to the weighted sum.
    With Galois keys in the context it is one number, which is the sum. BFV counts modulo the plain modulus.
    """

    scheme: Literal["ckks", "bfv"]
    context: Annotated[str, Field(pattern=_BASE64, min_length=4, max_length=CONTEXT_CHARACTERS)]
    vector: Annotated[
        tuple[Ciphertext, ...], Field(min_length=1, max_length=CIPHERTEXTS_AT_MOST, strict=False)
    ]
    weights: Annotated[tuple[Weight, ...], Field(min_length=1, max_length=WEIGHTS_AT_MOST, strict=False)]


def cost(job_input: FheLinearInput) -> int:
    """In units of 32 ciphertexts begun, and of 32 MiB of context begun."""
    ciphertexts = -(-len(job_input.vector) // CIPHERTEXTS_A_UNIT)
    return ciphertexts + -(-len(job_input.context) // CONTEXT_CHARACTERS_A_UNIT)


def run(context: Context[FheLinearInput]) -> Run:
    """The encrypted sum in base64, and how many values it has."""
    chunks = len(context.input.vector)
    arithmetic = _Arithmetic(context.input)
    total, done = arithmetic.begun(context.checkpoint)
    for index in range(done, chunks):
        total = arithmetic.plus(total, index)
        yield Step(Progress(index + 1, chunks), partial(_checkpoint, total, index + 1))
    if total is None:
        raise JobError("All weights are zero: nothing encrypted is left to sum.")
    summed = arithmetic.folded(total)
    return {"ciphertext": b64encode(summed.serialize()).decode(), "values": summed.size()}


class _Arithmetic:
    """TenSEAL with one context, in one thread; what it throws is the caller's fault, told in a sentence.

    A sum is one of its vectors, or None while all weights were zero: what is multiplied by zero is not
    encrypted any more, and SEAL refuses it.
    """

    def __init__(self, wanted: FheLinearInput) -> None:
        serialized = b64decode(wanted.context)
        _refuse_secret_key(serialized)
        import tenseal.sealapi  # not before: it may be absent, and takes a third of a second

        with _told("`context` cannot be computed with"):
            self._context = tenseal.context_from(serialized, n_threads=1)
            parameters = self._context.seal_context().data.key_context_data().parms()
        # TenSEAL's rescaling takes the prime that it drops for the scale: a product would be off by 2^-12.
        self._context.auto_rescale = False
        is_ckks, degree = wanted.scheme == "ckks", parameters.poly_modulus_degree()
        if parameters.scheme().name != wanted.scheme.upper():
            raise JobError(f"`context` is of another scheme than {wanted.scheme}.")
        if degree > DEGREE_AT_MOST:
            raise JobError(f"`context` has the degree {degree}; it may have {DEGREE_AT_MOST} at most.")
        self._slots = degree // 2 if is_ckks else degree
        self._load = tenseal.ckks_vector_from if is_ckks else tenseal.bfv_vector_from
        self._vector = wanted.vector
        weights = wanted.weights
        self._weights = weights if is_ckks else _whole(weights, parameters.plain_modulus().value())
        self._length = self._loaded(0).size()
        values = len(self._vector) * self._length
        if len(weights) != values:
            raise JobError(f"There are {len(weights)} weights for {values} values.")

    def begun(self, checkpoint: bytes | None) -> tuple[Any, int]:
        """The sum that an earlier run came to, and over how many of the vectors."""
        if checkpoint is None:
            return None, 0
        serialized = checkpoint[_INDEX_BYTES:]
        total = self._load(self._context, serialized) if serialized else None
        return total, int.from_bytes(checkpoint[:_INDEX_BYTES])

    def plus(self, total: Any, index: int) -> Any:
        """A new sum, with the product of one more vector and its weights."""
        vector = self._loaded(index)
        if vector.size() != self._length:
            raise JobError(
                f"`vector[{index}]` has {vector.size()} values and `vector[0]` {self._length}: pad it."
            )
        weights = self._weights[index * self._length : (index + 1) * self._length]
        if not any(weights):
            return total
        with _told(f"`vector[{index}]` cannot be multiplied by its weights and added"):
            product = vector.mul(weights)
            return product if total is None else total.add(product)

    def folded(self, total: Any) -> Any:
        """The sum as one number, if the context has what that takes."""
        if not self._context.has_galois_keys():
            return total
        with _told("The values of the sum cannot be added up with these Galois keys"):
            return total.sum()

    def _loaded(self, index: int) -> Any:
        """One fresh ciphertext; TenSEAL trusts what a message says of its size."""
        name = f"`vector[{index}]`"
        serialized = b64decode(self._vector[index])
        with _told(f"{name} is no {self._load.__name__.removesuffix('_from')} of `context`"):
            vector = self._load(self._context, serialized)
        if [ciphertext.size() for ciphertext in vector.ciphertext()] != [2]:
            raise JobError(f"{name} has not one ciphertext of two polynomials, as encryption makes it.")
        if not 1 <= vector.size() <= self._slots:
            raise JobError(f"{name} says that it has {vector.size()} values; it may have 1 to {self._slots}.")
        return vector


def _whole(weights: Sequence[float], plain_modulus: int) -> list[int]:
    """Integers that BFV's encoding has; SEAL itself would take others, and give another sum."""
    largest = (plain_modulus - 1) // 2
    for index, weight in enumerate(weights):
        if not weight.is_integer():
            raise JobError(f"`weights[{index}]` is not whole, as weights for BFV are.")
        if abs(weight) > largest:
            raise JobError(f"`weights[{index}]` is beyond {largest}, half the plain modulus of `context`.")
    return [int(weight) for weight in weights]


def _refuse_secret_key(serialized: bytes) -> None:
    """A message with a field that we do not know, or one twice, is refused too: others may read it in another
    way. So it is looked at for as long as it has fields that it may have, and not for millions of empty ones.
    """
    awaited = set(_PUBLIC_FIELDS)
    try:
        for field in field_numbers(serialized):
            if field == _PRIVATE_FIELD:
                raise JobError(
                    "`context` contains a secret key, and was not used. Whatever that key encrypts is no "
                    "longer secret: make another, and send the context without it (save_secret_key=False)."
                )
            if field not in awaited:
                raise NoMessage(f"the field {field}, or one more of it")
            awaited.remove(field)
    except NoMessage as error:
        raise JobError("`context` is not what TenSEAL serializes.") from error


@contextmanager
def _told(sentence: str) -> Iterator[None]:
    """Tells what pybind11 makes of C++ exceptions, but for lack of memory, which has a bound of its own."""
    try:
        yield
    except (ValueError, RuntimeError, IndexError, OverflowError) as error:
        raise JobError(f"{sentence}: {error}.") from error


def _checkpoint(total: Any, done: int) -> bytes:
    return done.to_bytes(_INDEX_BYTES) + (b"" if total is None else total.serialize())


JOB_TYPE = JobType(
    name="fhe.linear",
    version=1,
    title="Weighted sum of encrypted values",
    description="A weighted sum over a vector that stays encrypted (TenSEAL, CKKS or BFV).",
    input_model=FheLinearInput,
    # The context is whole (BFV, degree 4,096, plain modulus 1,032,193); ciphertexts are much longer.
    example={
        "scheme": "bfv",
        "context": (
            "CkpeoRAEAwIAAEoAAAAAAAAAKLUv/SBxjQEA+AEAEAADAF6hEAQYAAAB4P7/D0D8AP7/H8APAAAAAAAHAIAmQME7qcWU+xII"
            "GHwBIhILEAcZAAAAAAAA8L8="
        ),
        "vector": ["CgECEgReoRAE"],
        "weights": [3, -1],
    },
    compute_unit="32 ciphertexts or 32 MiB of the context, each counted where it begins",
    cost=cost,
    most_units=-(-CIPHERTEXTS_AT_MOST // CIPHERTEXTS_A_UNIT)
    - (-CONTEXT_CHARACTERS // CONTEXT_CHARACTERS_A_UNIT),
    run=run,
    requires="tenseal",
)
