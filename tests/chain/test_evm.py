"""The chain's adapter against a real node, mining at once and every second."""

from chalicelib.adapters.evm import LOG_RANGE_BLOCKS, LOG_RANGES, SIGHTINGS_A_REQUEST
from chalicelib.domain.chain_call import ConfirmBatch, Fill, compact_call, compact_hash, word_of
from chalicelib.domain.confirmation import ZERO_HASH, Entry, RecordedAt, Sighting, Survey
from tests.chain.conftest import FEES, FINAL_DEPTH, HASHES_ONLY, Bench
from tests.chain.servers import listening


def test_jobs_are_recorded_when_their_batch_is_mined(bench: Bench) -> None:
    entries = bench.entries(3)
    signed = bench.sign(entries)
    bench.mine(signed)
    receipt = bench.receipt(signed.hash)
    assert receipt is not None
    assert receipt.succeeded
    assert receipt.recorded == tuple(entry.job_key for entry in entries)
    keys = [entry.job_key for entry in entries]
    assert bench.chain.recorded_hashes(keys) == [entry.result_hash for entry in entries]
    assert bench.chain.recorded_at(keys[2]) == RecordedAt(receipt.block_number, signed.hash)
    assert receipt.block_number <= bench.survey().head
    block = bench.rpc("eth_getBlockByNumber", hex(receipt.block_number), HASHES_ONLY)
    assert receipt.block_hash == block["hash"]


def test_hash_is_the_nodes_when_computed_here(bench: Bench) -> None:
    signed = bench.sign(bench.entries(2))
    told = bench.rpc("eth_sendRawTransaction", f"0x{signed.raw.hex()}")
    assert told == signed.hash


def test_signing_needs_no_node_when_gas_and_fees_are_known(bench: Bench) -> None:
    call = ConfirmBatch(tuple(bench.entries(2)))
    alone = bench.at("http://127.0.0.1:1")
    signed = alone.sign(
        call, signer=bench.signer, nonce=0, gas=100_000, fees=FEES, sign=bench.digest_signature
    )
    bench.mine(signed)
    assert bench.receipt(signed.hash) is not None


def test_survey_is_what_the_node_says_when_asked_one_by_one(held: Bench) -> None:
    held.mine(held.sign(held.entries(1)))
    found = held.survey()
    block = held.rpc("eth_getBlockByNumber", "latest", HASHES_ONLY)
    assert found == Survey(
        head=int(block["number"], 16),
        next_nonce=1,
        final_nonce=0,
        balance_wei=int(held.rpc("eth_getBalance", held.signer, "latest"), 16),
        base_fee_wei=int(block["baseFeePerGas"], 16),
        tip_wei=int(held.rpc("eth_maxPriorityFeePerGas"), 16),
    )
    assert 0 < found.tip_wei < found.balance_wei


def test_nonce_is_final_when_its_block_is_deep_enough(held: Bench) -> None:
    held.mine(held.sign(held.entries(1)))
    finals = []
    for _ in range(FINAL_DEPTH):
        finals.append(held.survey().final_nonce)
        held.rpc("evm_mine")
    assert finals == [0, 0, 1]


def test_nothing_is_final_when_the_chain_is_shorter_than_the_depth(bench: Bench) -> None:
    assert bench.chain.survey(bench.signer, final_depth=10**9).final_nonce == 0


def test_batch_is_recorded_by_its_root_when_it_is_compact(bench: Bench) -> None:
    call = compact_call(bench.signer, 0, bench.entries(5))
    word = word_of(bench.signer, 0)
    assert bench.chain.compact_hash(word) == ZERO_HASH
    signed = bench.sign_call(call)
    bench.mine(signed)
    receipt = bench.receipt(signed.hash)
    assert receipt is not None
    assert receipt.succeeded
    assert receipt.recorded == ()
    assert bench.chain.compact_hash(word) == compact_hash(call.mask, call.root)


def test_nonce_is_used_up_and_nothing_else_when_it_is_filled(bench: Bench) -> None:
    before = bench.survey()
    signed = bench.sign_call(Fill())
    bench.mine(signed)
    receipt, after = bench.receipt(signed.hash), bench.survey()
    assert receipt is not None
    assert receipt.succeeded
    assert after.next_nonce == 1
    assert before.balance_wei - after.balance_wei == receipt.gas_used * receipt.gas_price_wei


def test_sightings_are_in_order_when_there_are_more_than_one_request_takes(held: Bench) -> None:
    unknown = [f"0x{number:064x}" for number in range(SIGHTINGS_A_REQUEST)]
    mined, pending = (held.sign(held.entries(1), nonce=nonce) for nonce in (0, 1))
    held.mine(mined)
    held.chain.broadcast(pending.raw)
    found = held.chain.sightings([mined.hash, *unknown, pending.hash])
    first, *others, last = found
    assert first.receipt == held.receipt(mined.hash)
    assert set(others) == {Sighting()}
    assert last == Sighting(is_pending=True)


def test_nothing_is_seen_when_nothing_is_looked_for(bench: Bench) -> None:
    assert bench.chain.sightings([]) == []


def test_job_is_found_when_it_was_recorded_long_ago(bench: Bench) -> None:
    (entry,) = bench.entries(1)
    signed = bench.sign([entry])
    bench.mine(signed)
    receipt = bench.receipt(signed.hash)
    assert receipt is not None
    bench.rpc("hardhat_mine", hex(LOG_RANGE_BLOCKS))
    with listening(bench.rpc_url) as (url, heard):
        assert bench.at(url).recorded_at(entry.job_key) == RecordedAt(receipt.block_number, signed.hash)
    assert [request.methods[-1] for request in heard].count("eth_getLogs") >= 2


def test_the_search_ends_when_the_job_was_recorded_too_long_ago(bench: Bench) -> None:
    (entry,) = bench.entries(1)
    bench.mine(bench.sign([entry]))
    bench.rpc("hardhat_mine", hex(LOG_RANGES * LOG_RANGE_BLOCKS))
    with listening(bench.rpc_url) as (url, heard):
        assert bench.at(url).recorded_at(entry.job_key) is None
    assert [request.methods[-1] for request in heard].count("eth_getLogs") == LOG_RANGES


def test_answers_are_empty_when_nobody_knows_the_job_or_transaction(bench: Bench) -> None:
    unknown = "0x" + "ab" * 32
    assert bench.receipt(unknown) is None
    assert not bench.sighting(unknown).is_pending
    assert bench.chain.recorded_at(unknown) is None
    assert bench.chain.recorded_hashes([unknown]) == [ZERO_HASH]
    assert bench.chain.recorded_hashes([]) == []
    assert bench.survey().next_nonce == 0


def test_only_new_jobs_are_in_the_receipt_when_others_are_known_or_in_conflict(bench: Bench) -> None:
    known, contested, new = bench.entries(3)
    bench.mine(bench.sign([known, contested]))
    signed = bench.sign([known, Entry(contested.job_key, "0x" + "cc" * 32), new], nonce=1)
    bench.mine(signed)
    receipt = bench.receipt(signed.hash)
    assert receipt is not None
    assert receipt.succeeded
    assert receipt.recorded == (new.job_key,)
    assert bench.chain.recorded_hashes([contested.job_key]) == [contested.result_hash]


def test_transaction_is_pending_when_the_pool_holds_it(held: Bench) -> None:
    signed = held.sign(held.entries(1))
    held.chain.broadcast(signed.raw)
    assert held.sighting(signed.hash).is_pending
    assert held.receipt(signed.hash) is None
    assert held.survey().next_nonce == 0
    held.rpc("evm_mine")
    assert not held.sighting(signed.hash).is_pending
    assert held.receipt(signed.hash) is not None
    assert held.survey().next_nonce == 1


def test_nothing_changes_when_the_same_bytes_are_broadcast_again(held: Bench) -> None:
    signed = held.sign(held.entries(1))
    held.chain.broadcast(signed.raw)
    held.chain.broadcast(signed.raw)
    held.rpc("evm_mine")
    first = held.receipt(signed.hash)
    held.chain.broadcast(signed.raw)
    held.rpc("evm_mine")
    assert first is not None
    assert held.receipt(signed.hash) == first
    assert held.survey().next_nonce == 1


def test_nonce_is_spent_and_nothing_recorded_when_the_transaction_reverts(bench: Bench) -> None:
    (entry,) = bench.entries(1)
    signed = bench.sign([entry])
    bench.pause()
    bench.mine(signed)
    receipt = bench.receipt(signed.hash)
    assert receipt is not None
    assert not receipt.succeeded
    assert receipt.recorded == ()
    assert bench.chain.recorded_hashes([entry.job_key]) == [ZERO_HASH]
    assert bench.survey().next_nonce == 1


def test_same_bytes_are_mined_again_when_a_reorganisation_drops_them(bench: Bench) -> None:
    (entry,) = bench.entries(1)
    signed = bench.sign([entry])
    before = bench.rpc("evm_snapshot")
    bench.mine(signed)
    assert bench.receipt(signed.hash) is not None
    bench.rpc("evm_revert", before)
    assert bench.receipt(signed.hash) is None
    assert not bench.sighting(signed.hash).is_pending
    assert bench.survey().next_nonce == 0
    assert bench.chain.recorded_at(entry.job_key) is None
    bench.mine(signed)
    assert bench.receipt(signed.hash) is not None
    assert bench.chain.recorded_hashes([entry.job_key]) == [entry.result_hash]


def test_later_nonce_is_mined_when_the_missing_one_arrives(bench: Bench) -> None:
    first, second = (bench.sign(bench.entries(1), nonce=nonce) for nonce in (0, 1))
    bench.mine(second)
    assert bench.receipt(second.hash) is None
    bench.mine(first)
    bench.mine(second)
    assert bench.receipt(second.hash) is not None
    assert bench.survey().next_nonce == 2
