"""A signed transaction as the bytes that a node takes (EIP-1559, in the envelope of EIP-2718).

Its fields are written in RLP (Ethereum's yellow paper, appendix B), of which a transaction needs no more than
to encode bytes and lists: the library for it would add 0.1 s to a cold start.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.domain.abi import WORD_BYTES
from chalicelib.domain.confirmation import SignedTransaction
from chalicelib.domain.fees import Fees
from chalicelib.domain.merkle import keccak256

TYPE = b"\x02"
# Up to this length, it stands in the prefix itself.
SHORT_BYTES = 55
BYTES_PREFIX, LIST_PREFIX = 0x80, 0xC0
SIGNATURE_BYTES = 2 * WORD_BYTES + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A call of another address."""

    chain_id: int
    nonce: int
    fees: Fees
    gas: int
    to: str
    data: bytes
    wei: int = 0


def signed(transaction: Transaction, sign: Callable[[bytes], bytes]) -> SignedTransaction:
    """The bytes and their hash. `sign` makes r, s and the y parity of a digest: 65 bytes."""
    fields = _fields(transaction)
    signature = sign(keccak256(TYPE + _list(fields)))
    assert len(signature) == SIGNATURE_BYTES, "a signature is r, s and the y parity"
    numbers = signature[-1:], signature[:WORD_BYTES], signature[WORD_BYTES:-1]
    raw = TYPE + _list([*fields, *(_bytes(number.lstrip(b"\0")) for number in numbers)])
    return SignedTransaction(raw, f"0x{keccak256(raw).hex()}")


def _fields(transaction: Transaction) -> list[bytes]:
    fees = transaction.fees
    before = transaction.chain_id, transaction.nonce, fees.max_priority_fee_wei, fees.max_fee_wei
    no_access_list = _list([])
    return [
        *map(_integer, (*before, transaction.gas)),
        _bytes(bytes.fromhex(transaction.to[2:])),
        _integer(transaction.wei),
        _bytes(transaction.data),
        no_access_list,
    ]


def _integer(number: int) -> bytes:
    return _bytes(_big_endian(number))


def _bytes(content: bytes) -> bytes:
    """A byte below the prefixes is itself."""
    if len(content) == 1 and content[0] < BYTES_PREFIX:
        return content
    return _prefix(BYTES_PREFIX, len(content)) + content


def _list(encoded: Sequence[bytes]) -> bytes:
    content = b"".join(encoded)
    return _prefix(LIST_PREFIX, len(content)) + content


def _prefix(kind: int, length: int) -> bytes:
    if length <= SHORT_BYTES:
        return bytes([kind + length])
    size = _big_endian(length)
    return bytes([kind + SHORT_BYTES + len(size)]) + size


def _big_endian(number: int) -> bytes:
    """Without leading zeros, so that zero is no byte at all."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
