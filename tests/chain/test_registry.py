"""The registry as deployed: its hashes are the core's, and its gas is what we publish."""

import pytest
from web3 import HTTPProvider, Web3
from web3.contract import Contract

from chalicelib.adapters.evm import ABI
from chalicelib.domain.confirmation import Entry, commitment, job_key
from tests.chain.conftest import Bench

# Gas of a batch by its number of jobs, to the unit: `_word` has no zero byte, which would be cheaper.
BATCH_GAS = {1: 51_980, 10: 277_172, 100: 2_528_972, 250: 6_281_972}
CONFIRM_GAS = 50_750

TEXTS = ("", "a", "x" * 31, "x" * 32, "x" * 33, "ten_01JD9Z", "ü€😀", "a\0b")


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


@pytest.mark.parametrize("jobs", BATCH_GAS)
def test_batch_takes_the_published_gas_when_all_its_jobs_are_new(bench: Bench, jobs: int) -> None:
    signed = bench.sign([Entry(_word(2 * number), _word(2 * number + 1)) for number in range(jobs)])
    bench.mine(signed)
    receipt = bench.chain.receipt(signed.hash)
    assert receipt is not None
    assert len(receipt.recorded) == jobs
    assert receipt.gas_used == BATCH_GAS[jobs]


def test_confirming_one_takes_the_published_gas(bench: Bench, contract: Contract) -> None:
    call = contract.functions.confirm(_word(0), _word(1))
    assert call.estimate_gas({"from": Web3.to_checksum_address(bench.signer)}) == CONFIRM_GAS


def test_batch_takes_the_estimated_gas_when_nothing_changed_since(bench: Bench) -> None:
    entries = bench.entries(20)
    estimated = bench.chain.estimate_batch_gas(entries, bench.signer)
    signed = bench.sign(entries)
    bench.mine(signed)
    receipt = bench.chain.receipt(signed.hash)
    assert receipt is not None
    assert receipt.gas_used == estimated


def _word(number: int) -> str:
    """A word of its own for each number, without a zero byte."""
    return "0x" + "".join(f"{16 + int(digit, 16):02x}" for digit in f"{number:032x}")
