"""What the registry is asked in, and answers in: Ethereum's ABI, for its few calls, laid out by hand.

The library for it would add 0.4 s to a cold start, and takes forty times as long. The contract's build makes
`registry_abi.json`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from chalicelib.domain.abi import WORD_BYTES, Tail, abi_encode, abi_word, array
from chalicelib.domain.chain_call import Call, ConfirmBatch, ConfirmCompact, Fill, Inclusion, Transfer
from chalicelib.domain.confirmation import Entry
from chalicelib.domain.merkle import keccak256

ABI: list[dict[str, Any]] = json.loads(Path(__file__).with_name("registry_abi.json").read_text())
SELECTOR_BYTES = 4


def _signature(item: Mapping[str, Any]) -> str:
    return f"{item['name']}({','.join(map(_type, item['inputs']))})"


def _type(parameter: Mapping[str, Any]) -> str:
    """A struct is written as its members."""
    written = str(parameter["type"])
    members = ",".join(map(_type, parameter.get("components", ())))
    return written.replace("tuple", f"({members})", 1)


_SELECTORS = {
    item["name"]: keccak256(_signature(item).encode())[:SELECTOR_BYTES]
    for item in ABI
    if item["type"] == "function"
}
_ERRORS = {
    keccak256(_signature(item).encode())[:SELECTOR_BYTES]: str(item["name"])
    for item in ABI
    if item["type"] == "error"
}
JOB_CONFIRMED = "0x" + keccak256(b"JobConfirmed(bytes32,bytes32)").hex()
CONFIRMER_ROLE = keccak256(b"CONFIRMER_ROLE")


def calldata(call: Call) -> bytes:
    """What a transaction with this call carries.

    >>> calldata(Fill())
    b''
    """
    match call:
        case ConfirmBatch(entries):
            keys = _array(entry.job_key for entry in entries)
            return encoded("confirmBatch", keys, _array(entry.result_hash for entry in entries))
        case ConfirmCompact():
            return encoded("confirmCompact", call.number, call.mask, int(call.root, 16))
        case Fill() | Transfer():
            return b""


def recorded_calldata(job_keys: Sequence[str]) -> bytes:
    """Asks for what is recorded of each key."""
    return encoded("resultHashesOf", _array(job_keys))


def materialize_calldata(entry: Entry, inclusion: Inclusion) -> bytes:
    """Records by itself what a compact batch holds; the proof is a struct that ends in an array."""
    words = map(abi_word, (inclusion.word, inclusion.bit, inclusion.mask, int(inclusion.root, 16)))
    proof = Tail(abi_encode(*words, _array(inclusion.proof)))
    return encoded("materialize", int(entry.job_key, 16), int(entry.result_hash, 16), proof)


def encoded(function: str, *values: int | Tail) -> bytes:
    """A call of a function with these arguments.

    >>> encoded("compactHashOf", 1).hex()
    '0bde51120000000000000000000000000000000000000000000000000000000000000001'
    """
    laid_out = (value if isinstance(value, Tail) else abi_word(value) for value in values)
    return _SELECTORS[function] + abi_encode(*laid_out)


def error_name(revert_data: bytes) -> str | None:
    """The registry's error that these bytes are, such as `EnforcedPause`.

    >>> error_name(bytes.fromhex("d93c0665"))
    'EnforcedPause'
    """
    return _ERRORS.get(revert_data[:SELECTOR_BYTES])


def words_of_array(answer: bytes, length: int) -> list[str] | None:
    """The words of an array of this length that alone was returned; None if it is not that."""
    heads = abi_word(WORD_BYTES) + abi_word(length)
    if not answer.startswith(heads) or len(answer) != len(heads) + WORD_BYTES * length:
        return None
    starts = range(len(heads), len(answer), WORD_BYTES)
    return [f"0x{answer[start : start + WORD_BYTES].hex()}" for start in starts]


def _array(words: Iterable[str]) -> Tail:
    return array(bytes.fromhex(word[2:]) for word in words)
