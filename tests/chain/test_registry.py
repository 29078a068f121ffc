"""The registry as deployed: its hashes are the core's, and it includes what the core proves."""

from typing import Any

import pytest
from web3 import HTTPProvider, Web3
from web3.contract import Contract

from chalicelib.adapters.registry_calls import ABI
from chalicelib.domain.chain_call import (
    Inclusion,
    compact_call,
    compact_hash,
    inclusions,
    proves,
    word_of,
)
from chalicelib.domain.confirmation import Entry, commitment, job_key
from tests.chain.conftest import Bench

TEXTS = ("", "a", "x" * 31, "x" * 32, "x" * 33, "ten_01JD9Z", "ü€😀", "a\0b")
NUMBERS = (0, 1, 2**64 - 1)


@pytest.fixture
def contract(bench: Bench) -> Contract:
    return Web3(HTTPProvider(bench.rpc_url)).eth.contract(Web3.to_checksum_address(bench.registry), abi=ABI)


def test_job_key_is_the_contracts_when_computed_here(bench: Bench, contract: Contract) -> None:
    for tenant_id in TEXTS:
        for job_id in TEXTS:
            theirs = contract.functions.jobKeyOf(tenant_id, job_id).call()
            assert job_key(31337, bench.registry, tenant_id, job_id) == f"0x{theirs.hex()}"


@pytest.mark.parametrize("content", [b"", b"{}", b"\0" * 64, "ü".encode(), b"x" * 10_000], ids=len)
def test_commitment_is_the_contracts_when_computed_here(contract: Contract, content: bytes) -> None:
    for salt in (bytes(32), b"\xff" * 32, bytes(range(32))):
        theirs = contract.functions.commitmentOf(salt, Web3.keccak(content)).call()
        assert commitment(salt, content) == f"0x{theirs.hex()}"


@pytest.mark.parametrize("number", NUMBERS)
def test_word_is_the_contracts_when_computed_here(bench: Bench, contract: Contract, number: int) -> None:
    theirs = contract.functions.wordOf(Web3.to_checksum_address(bench.signer), number).call()
    assert word_of(bench.signer, number) == theirs


@pytest.mark.parametrize("number", NUMBERS)
def test_root_is_the_contracts_leaf_when_a_batch_has_one_job(
    bench: Bench, contract: Contract, number: int
) -> None:
    (entry,) = bench.entries(1)
    call = compact_call(bench.signer, number, [entry])
    theirs = contract.functions.leafOf(word_of(bench.signer, number), 0, *_words(entry)).call()
    assert call.root == f"0x{theirs.hex()}"


@pytest.mark.parametrize("jobs", [1, 2, 3, 7, 98])
def test_each_entry_is_included_when_its_batch_is_mined(bench: Bench, contract: Contract, jobs: int) -> None:
    entries = bench.entries(jobs)
    call = compact_call(bench.signer, 0, entries)
    proven = inclusions(bench.signer, 0, entries)
    assert not _is_included(contract, proven[0], entries[0])
    bench.mine(bench.sign_call(call))
    recorded = contract.functions.compactHashOf(word_of(bench.signer, 0)).call()
    assert compact_hash(call.mask, call.root) == f"0x{recorded.hex()}"
    for inclusion, entry in zip(proven, entries, strict=True):
        assert proves(inclusion, entry)
        assert _is_included(contract, inclusion, entry)


def test_nothing_else_is_included_when_a_batch_is_mined(bench: Bench, contract: Contract) -> None:
    entries = bench.entries(5)
    bench.mine(bench.sign_call(compact_call(bench.signer, 0, entries)))
    proven = inclusions(bench.signer, 0, entries)
    for place, inclusion in enumerate(proven):
        for other, entry in enumerate(entries):
            assert _is_included(contract, inclusion, entry) == (place == other)
            assert proves(inclusion, entry) == (place == other)


def test_job_is_recorded_when_anyone_materializes_its_proof(bench: Bench, contract: Contract) -> None:
    entries = bench.entries(3)
    bench.mine(bench.sign_call(compact_call(bench.signer, 0, entries)))
    (_, inclusion, _), (_, entry, other) = inclusions(bench.signer, 0, entries), entries
    data = contract.encode_abi("materialize", args=[*_words(entry), _struct(inclusion)])
    anyone = bench.rpc("eth_accounts")[5]
    bench.rpc("eth_sendTransaction", {"from": anyone, "to": bench.registry, "data": data})
    bench.rpc("evm_mine")
    recorded = bench.chain.recorded_hashes([entry.job_key, other.job_key])
    assert list(recorded) == [entry.result_hash, f"0x{bytes(32).hex()}"]


def _is_included(contract: Contract, inclusion: Inclusion, entry: Entry) -> bool:
    return bool(contract.functions.isIncluded(*_words(entry), _struct(inclusion)).call())


def _words(entry: Entry) -> tuple[bytes, bytes]:
    return bytes.fromhex(entry.job_key[2:]), bytes.fromhex(entry.result_hash[2:])


def _struct(inclusion: Inclusion) -> tuple[Any, ...]:
    proof = [bytes.fromhex(each[2:]) for each in inclusion.proof]
    return inclusion.word, inclusion.bit, inclusion.mask, bytes.fromhex(inclusion.root[2:]), proof
