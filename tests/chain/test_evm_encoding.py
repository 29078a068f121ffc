"""What we lay out by hand is, byte for byte, what Ethereum's libraries make of it. No node is asked."""

import rlp
from coincurve import PrivateKey
from eth_abi.abi import encode
from eth_account import Account
from eth_utils.abi import abi_to_signature
from hypothesis import given, settings
from hypothesis import strategies as some
from rlp.sedes import big_endian_int
from web3 import Web3

from chalicelib.adapters.evm import EvmChain
from chalicelib.adapters.registry_calls import (
    ABI,
    JOB_CONFIRMED,
    calldata,
    encoded,
    error_name,
    materialize_calldata,
    recorded_calldata,
    words_of_array,
)
from chalicelib.domain.chain_call import Call, ConfirmBatch, ConfirmCompact, Fill, Inclusion, Transfer
from chalicelib.domain.confirmation import Entry
from chalicelib.domain.fees import Fees
from tests.chain.conftest import address_of

REGISTRY = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
WORD_LIMIT = 2**256
# The order of secp256k1, below which private keys are.
KEY_LIMIT = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141

contract = Web3().eth.contract(Web3.to_checksum_address(REGISTRY), abi=ABI)

words = some.integers(0, WORD_LIMIT - 1).map(lambda number: f"0x{number:064x}")
batches = some.lists(some.builds(Entry, words, words), max_size=98).map(
    lambda entries: ConfirmBatch(tuple(entries))
)
compacts = some.builds(
    ConfirmCompact, number=some.integers(0, 2**64 - 1), mask=some.integers(0, WORD_LIMIT - 1), root=words
)
inclusions = some.builds(
    Inclusion,
    word=some.integers(0, WORD_LIMIT - 1),
    bit=some.integers(0, 255),
    mask=some.integers(0, WORD_LIMIT - 1),
    root=words,
    proof=some.lists(words, max_size=8).map(tuple),
)
transfers = some.builds(
    Transfer, to=some.just("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"), wei=some.integers(0, 2**96)
)
calls: some.SearchStrategy[Call] = some.one_of(batches, compacts, transfers, some.just(Fill()))
# Around each length at which the encoding changes its form.
amounts = some.one_of(some.integers(0, 300), some.integers(0, 2**64 - 1))
keys = some.integers(1, KEY_LIMIT - 1).map(lambda number: PrivateKey(number.to_bytes(32, "big")))


@settings(deadline=None)  # a busy machine is no failure
@given(call=calls, key=keys, chain_id=some.integers(1, 2**32), nonce=amounts, gas=amounts, fee=amounts)
def test_bytes_and_hash_are_the_librarys_when_a_call_is_signed(
    call: Call, key: PrivateKey, chain_id: int, nonce: int, gas: int, fee: int
) -> None:
    signer, tip = address_of(key), fee // 3
    ours = EvmChain("", chain_id=chain_id, genesis_hash="", registry=REGISTRY).sign(
        call,
        signer=signer,
        nonce=nonce,
        gas=gas,
        fees=Fees(max_fee_wei=fee, max_priority_fee_wei=tip),
        sign=lambda digest: key.sign_recoverable(digest, hasher=None),
    )
    theirs = Account.sign_transaction(
        {
            "type": 2,
            "chainId": chain_id,
            "nonce": nonce,
            "to": call.to if isinstance(call, Transfer) else signer if isinstance(call, Fill) else REGISTRY,
            "value": call.wei if isinstance(call, Transfer) else 0,
            "data": calldata(call),
            "gas": gas,
            "maxFeePerGas": fee,
            "maxPriorityFeePerGas": tip,
        },
        key.secret,
    )
    assert ours.raw == bytes(theirs.raw_transaction)
    assert ours.hash == theirs.hash.to_0x_hex()
    assert Account.recover_transaction(ours.raw) == signer


@settings(deadline=None)  # a busy machine is no failure
@given(r=some.integers(0, 300), s=some.integers(0, 300), parity=some.integers(0, 1))
def test_signature_has_no_leading_zeros_when_its_numbers_are_short(r: int, s: int, parity: int) -> None:
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    signed = EvmChain("", chain_id=1, genesis_hash="", registry=REGISTRY).sign(
        Fill(),
        signer=REGISTRY,
        nonce=0,
        gas=0,
        fees=Fees(max_fee_wei=0, max_priority_fee_wei=0),
        sign=lambda digest: signature,
    )
    numbers = rlp.decode(signed.raw[1:])[-3:]
    # It refuses a number with leading zeros.
    assert [big_endian_int.deserialize(number) for number in numbers] == [parity, r, s]


@settings(deadline=None)  # a busy machine is no failure
@given(batches)
def test_batch_is_the_librarys_when_encoded(batch: ConfirmBatch) -> None:
    columns = [entry.job_key for entry in batch.entries], [entry.result_hash for entry in batch.entries]
    assert f"0x{calldata(batch).hex()}" == contract.encode_abi("confirmBatch", args=columns)
    assert f"0x{recorded_calldata(columns[0]).hex()}" == contract.encode_abi(
        "resultHashesOf", args=[columns[0]]
    )


@settings(deadline=None)  # a busy machine is no failure
@given(compacts)
def test_compact_batch_is_the_librarys_when_encoded(call: ConfirmCompact) -> None:
    arguments = [call.number, call.mask, call.root]
    assert f"0x{calldata(call).hex()}" == contract.encode_abi("confirmCompact", args=arguments)


@settings(deadline=None)  # a busy machine is no failure
@given(entry=some.builds(Entry, words, words), inclusion=inclusions)
def test_proof_is_the_librarys_when_encoded(entry: Entry, inclusion: Inclusion) -> None:
    struct = (inclusion.word, inclusion.bit, inclusion.mask, inclusion.root, list(inclusion.proof))
    arguments = [entry.job_key, entry.result_hash, struct]
    ours = materialize_calldata(entry, inclusion)
    assert f"0x{ours.hex()}" == contract.encode_abi("materialize", args=arguments)


def test_selectors_are_the_librarys_when_encoded() -> None:
    names = [item["name"] for item in ABI if item["type"] == "function"]
    assert {name: encoded(name) for name in names} == {name: _selector(name) for name in names}


def test_errors_have_their_names_when_the_data_begins_with_their_selectors() -> None:
    names = [item["name"] for item in ABI if item["type"] == "error"]
    assert [error_name(_selector(name) + b"more") for name in names] == names
    assert error_name(b"") is None
    assert error_name(b"1234") is None


def test_event_is_the_contracts_when_hashed() -> None:
    assert contract.events.JobConfirmed().topic == JOB_CONFIRMED


@settings(deadline=None)  # a busy machine is no failure
@given(some.lists(words, max_size=98))
def test_words_are_the_librarys_when_an_array_is_decoded(array: list[str]) -> None:
    answer = encode(["bytes32[]"], [[bytes.fromhex(word[2:]) for word in array]])
    assert words_of_array(answer, len(array)) == array
    assert words_of_array(answer, len(array) + 1) is None
    assert words_of_array(answer + b"\0", len(array)) is None
    assert words_of_array(answer[:-1], len(array)) is None


def _selector(name: str) -> bytes:
    """By the library, of the function or error of this name."""
    (item,) = (item for item in ABI if item.get("name") == name and item["type"] in ("function", "error"))
    return bytes(Web3.keccak(text=abi_to_signature(item))[:4])
