"""What the registry is asked in, and answers in: Ethereum's ABI, for its few calls, laid out by hand.

Every argument is a word, or words that follow at the end, which one line encodes; the library for it would
add 0.4 s to a cold start, and takes forty times as long. The contract's build makes `registry_abi.json`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chalicelib.domain.chain_call import Call, ConfirmBatch, ConfirmCompact, Fill, Inclusion, Transfer
from chalicelib.domain.confirmation import WORD_BYTES, Entry, abi_word
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
            keys = _array([entry.job_key for entry in entries])
            hashes = _array([entry.result_hash for entry in entries])
            heads_bytes = 2 * WORD_BYTES
            return encoded("confirmBatch", heads_bytes, heads_bytes + len(keys)) + keys + hashes
        case ConfirmCompact():
            return encoded("confirmCompact", call.number, call.mask, int(call.root, 16))
        case Fill() | Transfer():
            return b""


def recorded_calldata(job_keys: Sequence[str]) -> bytes:
    """Asks for what is recorded of each key."""
    return encoded("resultHashesOf", WORD_BYTES) + _array(job_keys)


def materialize_calldata(entry: Entry, inclusion: Inclusion) -> bytes:
    """Records by itself what a compact batch holds; the proof is a struct, whose last member is an array."""
    proof = [int(each, 16) for each in inclusion.proof]
    arguments = (int(entry.job_key, 16), int(entry.result_hash, 16), 3 * WORD_BYTES)
    members = (inclusion.word, inclusion.bit, inclusion.mask, int(inclusion.root, 16), 5 * WORD_BYTES)
    return encoded("materialize", *arguments, *members, len(proof), *proof)


def encoded(function: str, *words: int) -> bytes:
    """A call of a function whose arguments are these words.

    >>> encoded("compactHashOf", 1).hex()
    '0bde51120000000000000000000000000000000000000000000000000000000000000001'
    """
    return _SELECTORS[function] + b"".join(map(abi_word, words))


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


def _array(words: Sequence[str]) -> bytes:
    """A `bytes32[]`'s tail: its length, then its words."""
    return abi_word(len(words)) + bytes.fromhex("".join(word[2:] for word in words))
