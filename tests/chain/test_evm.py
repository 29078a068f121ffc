"""The chain's adapter against a real node, mining at once and every second."""

from chalicelib.adapters.evm import EvmChain
from chalicelib.domain.confirmation import ZERO_HASH, Entry, RecordedAt
from tests.chain.conftest import HASHES_ONLY, Bench


def test_jobs_are_recorded_when_their_batch_is_mined(bench: Bench) -> None:
    entries = bench.entries(3)
    signed = bench.sign(entries)
    bench.mine(signed)
    receipt = bench.chain.receipt(signed.hash)
    assert receipt is not None
    assert receipt.succeeded
    assert receipt.recorded == tuple(entry.job_key for entry in entries)
    keys = [entry.job_key for entry in entries]
    assert bench.chain.recorded_hashes(keys) == [entry.result_hash for entry in entries]
    assert bench.chain.recorded_at(keys[2]) == RecordedAt(receipt.block_number, signed.hash)
    assert receipt.block_number <= bench.chain.head()
    block = bench.rpc("eth_getBlockByNumber", hex(receipt.block_number), HASHES_ONLY)
    assert receipt.block_hash == block["hash"]


def test_hash_is_the_nodes_when_computed_here(bench: Bench) -> None:
    signed = bench.sign(bench.entries(2))
    told = bench.rpc("eth_sendRawTransaction", f"0x{signed.raw.hex()}")
    assert told == signed.hash


def test_signing_needs_no_node_when_gas_and_fees_are_known(bench: Bench) -> None:
    entries, fees = bench.entries(2), bench.chain.fees()
    alone = EvmChain("http://127.0.0.1:1", chain_id=31337, registry=bench.registry)
    signed = alone.sign_batch(entries, key=bench.key, nonce=0, gas=100_000, fees=fees)
    bench.mine(signed)
    assert bench.chain.receipt(signed.hash) is not None


def test_price_covers_the_base_fee_when_it_doubles(bench: Bench) -> None:
    fees = bench.chain.fees()
    base_fee_wei = int(bench.rpc("eth_getBlockByNumber", "latest", HASHES_ONLY)["baseFeePerGas"], 16)
    assert fees.max_fee_wei - fees.max_priority_fee_wei >= base_fee_wei
    assert fees.max_priority_fee_wei > 0


def test_answers_are_empty_when_nobody_knows_the_job_or_transaction(bench: Bench) -> None:
    unknown = "0x" + "ab" * 32
    assert bench.chain.receipt(unknown) is None
    assert not bench.chain.is_pending(unknown)
    assert bench.chain.recorded_at(unknown) is None
    assert bench.chain.recorded_hashes([unknown]) == [ZERO_HASH]
    assert bench.chain.recorded_hashes([]) == []
    assert bench.chain.next_nonce(bench.signer) == 0


def test_only_new_jobs_are_in_the_receipt_when_others_are_known_or_in_conflict(bench: Bench) -> None:
    known, contested, new = bench.entries(3)
    bench.mine(bench.sign([known, contested]))
    signed = bench.sign([known, Entry(contested.job_key, "0x" + "cc" * 32), new], nonce=1)
    bench.mine(signed)
    receipt = bench.chain.receipt(signed.hash)
    assert receipt is not None
    assert receipt.succeeded
    assert receipt.recorded == (new.job_key,)
    assert bench.chain.recorded_hashes([contested.job_key]) == [contested.result_hash]


def test_transaction_is_pending_when_the_pool_holds_it(held: Bench) -> None:
    signed = held.sign(held.entries(1))
    held.chain.broadcast(signed.raw)
    assert held.chain.is_pending(signed.hash)
    assert held.chain.receipt(signed.hash) is None
    assert held.chain.next_nonce(held.signer) == 0
    held.rpc("evm_mine")
    assert not held.chain.is_pending(signed.hash)
    assert held.chain.receipt(signed.hash) is not None
    assert held.chain.next_nonce(held.signer) == 1


def test_nothing_changes_when_the_same_bytes_are_broadcast_again(held: Bench) -> None:
    signed = held.sign(held.entries(1))
    held.chain.broadcast(signed.raw)
    held.chain.broadcast(signed.raw)
    held.rpc("evm_mine")
    first = held.chain.receipt(signed.hash)
    held.chain.broadcast(signed.raw)
    held.rpc("evm_mine")
    assert first is not None
    assert held.chain.receipt(signed.hash) == first
    assert held.chain.next_nonce(held.signer) == 1


def test_nonce_is_spent_and_nothing_recorded_when_the_transaction_reverts(bench: Bench) -> None:
    (entry,) = bench.entries(1)
    signed = bench.sign([entry])
    bench.pause()
    bench.mine(signed)
    receipt = bench.chain.receipt(signed.hash)
    assert receipt is not None
    assert not receipt.succeeded
    assert receipt.recorded == ()
    assert bench.chain.recorded_hashes([entry.job_key]) == [ZERO_HASH]
    assert bench.chain.next_nonce(bench.signer) == 1


def test_same_bytes_are_mined_again_when_a_reorganisation_drops_them(bench: Bench) -> None:
    (entry,) = bench.entries(1)
    signed = bench.sign([entry])
    before = bench.rpc("evm_snapshot")
    bench.mine(signed)
    assert bench.chain.receipt(signed.hash) is not None
    bench.rpc("evm_revert", before)
    assert bench.chain.receipt(signed.hash) is None
    assert not bench.chain.is_pending(signed.hash)
    assert bench.chain.next_nonce(bench.signer) == 0
    assert bench.chain.recorded_at(entry.job_key) is None
    bench.mine(signed)
    assert bench.chain.receipt(signed.hash) is not None
    assert bench.chain.recorded_hashes([entry.job_key]) == [entry.result_hash]


def test_later_nonce_is_mined_when_the_missing_one_arrives(bench: Bench) -> None:
    first, second = (bench.sign(bench.entries(1), nonce=nonce) for nonce in (0, 1))
    bench.mine(second)
    assert bench.chain.receipt(second.hash) is None
    bench.mine(first)
    bench.mine(second)
    assert bench.chain.receipt(second.hash) is not None
    assert bench.chain.next_nonce(bench.signer) == 2
