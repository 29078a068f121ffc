"""A node that answers in another form, about something else, or against itself is as good as none."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.adapters.evm import EvmChain
from chalicelib.domain.confirmation import Sighting
from chalicelib.domain.errors import ChainUnavailable, NodeLags
from emulation.chain import CHAIN_ID, Mining
from tests.chain.conftest import FINAL_DEPTH, Bench
from tests.chain.servers import altering, lying

OTHER = ONE_WORD = "0x" + "cd" * 32
STRANGER = "0x" + "cd" * 20
RECEIPT, BLOCK = "eth_getTransactionReceipt", "eth_getBlockByNumber"

# What the node lies about is the same however it mines.
pytestmark = pytest.mark.parametrize("node", [Mining.AUTOMATIC], indirect=True)

TEXTS = ("", "0x", "0xzz", "10", "0x-1", " 0x1", "0x1\n", "0x" + "1" * 65)
OUT_OF_FORM: tuple[Any, ...] = (None, *TEXTS, 1, True, 1.5, [], {}, ["0x1"])

ALTERED: dict[str, Callable[[list[Any]], Any]] = {
    "other ids": lambda answers: [{**each, "id": each["id"] + 1} for each in answers],
    "ids as text": lambda answers: [{**each, "id": str(each["id"])} for each in answers],
    "ids as truth": lambda answers: [{**each, "id": bool(each["id"])} for each in answers],
    "ids as floats": lambda answers: [{**each, "id": float(each["id"])} for each in answers],
    "no ids": lambda answers: [{**each, "id": None} for each in answers],
    "one missing": lambda answers: answers[1:],
    "one twice": lambda answers: [*answers, answers[0]],
    "one instead of another": lambda answers: [answers[0], *answers[:-1]],
    "one too many": lambda answers: [*answers, {**answers[0], "id": len(answers)}],
    "not in a list": lambda answers: answers[0],
    "other version": lambda answers: [{**each, "jsonrpc": "1.0"} for each in answers],
    "no version": lambda answers: [{"id": each["id"], "result": each["result"]} for each in answers],
    "neither": lambda answers: [{"jsonrpc": "2.0", "id": each["id"]} for each in answers],
    "both": lambda answers: [{**each, "error": {"code": 1, "message": ""}} for each in answers],
    "odd error": lambda answers: [{"jsonrpc": "2.0", "id": each["id"], "error": "no"} for each in answers],
}

RECEIPT_LIES: dict[str, dict[str, Any]] = {
    "hash": {"transactionHash": OTHER},
    "no status": {"status": None},
    "odd status": {"status": "0x2"},
    "true status": {"status": True},
    "no logs": {"logs": None},
    "odd log": {"logs": [{"address": STRANGER, "topics": "0x"}]},
    "more gas than clients can read": {"gasUsed": hex(2**53)},
    "endless gas": {"gasUsed": "0x" + "f" * 64},
    "free": {"effectiveGasPrice": ""},
}


def a_survey(chain: EvmChain) -> object:
    return chain.survey(STRANGER, final_depth=FINAL_DEPTH)


@pytest.mark.parametrize("lie", ALTERED.values(), ids=ALTERED)
def test_chain_is_unavailable_when_the_answers_are_not_to_the_calls(
    bench: Bench, lie: Callable[[list[Any]], Any]
) -> None:
    with altering(bench.rpc_url, lie) as url, pytest.raises(ChainUnavailable):
        a_survey(bench.at(url))


@pytest.mark.parametrize("lie", ["neither", "both"])
def test_nothing_is_taken_for_unknown_when_there_is_no_result_to_say_so(bench: Bench, lie: str) -> None:
    refusal = pytest.raises(ChainUnavailable, match="neither a result nor an error, or with both")
    with altering(bench.rpc_url, ALTERED[lie]) as url, refusal:
        bench.at(url).sightings([OTHER])


def test_answers_are_found_when_they_come_in_another_order(held: Bench) -> None:
    with altering(held.rpc_url, lambda answers: answers[::-1]) as url:
        assert held.at(url).survey(held.signer, final_depth=FINAL_DEPTH) == held.survey()


@pytest.mark.parametrize(
    "method",
    ["eth_chainId", BLOCK, "eth_maxPriorityFeePerGas", "eth_getTransactionCount", "eth_getBalance"],
)
def test_chain_is_unavailable_when_a_survey_is_out_of_form(bench: Bench, method: str) -> None:
    lies = iter(OUT_OF_FORM)
    with lying(bench.rpc_url, method, lambda _: next(lies)) as url:
        chain = bench.at(url)
        for _ in OUT_OF_FORM:
            with pytest.raises(ChainUnavailable):
                a_survey(chain)


@pytest.mark.parametrize("field", ["number", "hash", "baseFeePerGas"])
def test_chain_is_unavailable_when_the_latest_block_is_out_of_form(bench: Bench, field: str) -> None:
    told: list[Any] = []

    def lie(block: dict[str, Any]) -> dict[str, Any]:
        return block if block["hash"] == bench.genesis_hash else {**block, field: told[-1]}

    bench.rpc("evm_mine")
    with lying(bench.rpc_url, BLOCK, lie) as url:
        chain = bench.at(url)
        for value in OUT_OF_FORM:
            told.append(value)
            with pytest.raises(ChainUnavailable):
                a_survey(chain)


def test_chain_is_unavailable_when_a_final_nonce_is_not_mined(bench: Bench) -> None:
    nonces = iter(["0x1", "0x2"])
    with (
        lying(bench.rpc_url, "eth_getTransactionCount", lambda _: next(nonces)) as url,
        pytest.raises(ChainUnavailable, match="contradicts itself"),
    ):
        a_survey(bench.at(url))


@pytest.mark.parametrize("request_number", [1, 2])
def test_chain_is_unavailable_when_a_node_that_lags_is_asked_for_receipts(
    bench: Bench, request_number: int
) -> None:
    signed = bench.sign(bench.entries(1))
    bench.mine(signed)
    head = bench.survey().head
    asked: list[object] = []

    def lag(latest: str) -> str:
        asked.append(latest)
        return latest if len(asked) != request_number else hex(head - 1)

    with lying(bench.rpc_url, "eth_blockNumber", lag) as url:
        with pytest.raises(NodeLags):
            bench.at(url).sightings([signed.hash], head=head)
        (seen,) = bench.at(url).sightings([signed.hash], head=head)
    assert seen.receipt is not None


def test_chain_is_unavailable_when_another_transaction_was_taken(held: Bench) -> None:
    signed = held.sign(held.entries(1))
    with (
        lying(held.rpc_url, "eth_sendRawTransaction", lambda _: OTHER) as url,
        pytest.raises(ChainUnavailable, match="another transaction"),
    ):
        held.at(url).broadcast(signed.raw)
    assert held.sighting(signed.hash).is_pending


@pytest.mark.parametrize("lie", RECEIPT_LIES.values(), ids=RECEIPT_LIES)
def test_chain_is_unavailable_when_a_receipt_is_another_or_out_of_form(
    bench: Bench, lie: dict[str, Any]
) -> None:
    signed = bench.sign(bench.entries(1))
    bench.mine(signed)
    with (
        lying(bench.rpc_url, RECEIPT, lambda receipt: {**receipt, **lie}) as url,
        pytest.raises(ChainUnavailable),
    ):
        bench.at(url).sightings([signed.hash])


@pytest.mark.parametrize("lie", [{"blockHash": OTHER}, {"blockNumber": "0x0"}, {"blockNumber": "0xffffffff"}])
def test_receipt_does_not_count_when_its_block_is_not_canonical(bench: Bench, lie: dict[str, Any]) -> None:
    signed = bench.sign(bench.entries(1))
    bench.mine(signed)
    with lying(bench.rpc_url, RECEIPT, lambda receipt: {**receipt, **lie}) as url:
        assert bench.at(url).sightings([signed.hash]) == [Sighting()]


def test_chain_is_unavailable_when_the_block_has_another_number(bench: Bench) -> None:
    signed = bench.sign(bench.entries(1))
    bench.mine(signed)
    with (
        lying(bench.rpc_url, BLOCK, lambda block: {**block, "number": "0xffff"}) as url,
        pytest.raises(ChainUnavailable, match="something else"),
    ):
        bench.at(url).sightings([signed.hash])


@pytest.mark.parametrize("lie", [{"hash": OTHER}, {"hash": None}, {"blockHash": "0x"}])
def test_chain_is_unavailable_when_a_pending_transaction_is_another(held: Bench, lie: dict[str, Any]) -> None:
    signed = held.sign(held.entries(1))
    held.chain.broadcast(signed.raw)
    with (
        lying(held.rpc_url, "eth_getTransactionByHash", lambda found: {**found, **lie}) as url,
        pytest.raises(ChainUnavailable),
    ):
        held.at(url).sightings([signed.hash])


@pytest.mark.parametrize(
    "lie",
    [{"address": STRANGER}, {"topics": []}, {"topics": [OTHER, OTHER]}],
)
def test_event_does_not_count_when_it_is_not_the_registrys_or_another(
    bench: Bench, lie: dict[str, Any]
) -> None:
    first, second = bench.entries(2)
    signed = bench.sign([first, second])
    bench.mine(signed)

    def spoil_first(receipt: dict[str, Any]) -> dict[str, Any]:
        spoilt, kept = receipt["logs"]
        return {**receipt, "logs": [{**spoilt, **lie}, kept]}

    with lying(bench.rpc_url, RECEIPT, spoil_first) as url:
        (sighting,) = bench.at(url).sightings([signed.hash])
    assert sighting.receipt is not None
    assert sighting.receipt.recorded == (second.job_key,)
    with lying(bench.rpc_url, "eth_getLogs", lambda logs: [{**log, **lie} for log in logs]) as url:
        assert bench.at(url).recorded_at(first.job_key) is None


def test_job_is_not_found_when_the_event_is_another_jobs(bench: Bench) -> None:
    entries = bench.entries(2)
    bench.mine(bench.sign(entries))
    with lying(bench.rpc_url, "eth_getLogs", lambda logs: _about(logs, OTHER)) as url:
        assert bench.at(url).recorded_at(entries[0].job_key) is None


def _about(logs: list[Any], job_key: str) -> list[Any]:
    return [{**log, "topics": [log["topics"][0], job_key]} for log in logs]


def test_chain_is_unavailable_when_the_registry_answers_out_of_form(bench: Bench) -> None:
    lies = [*OUT_OF_FORM, ONE_WORD, f"0x{32:064x}{1:064x}", f"0x{32:064x}{2:064x}{0:0128x}"]
    told = iter(lies)
    with lying(bench.rpc_url, "eth_call", lambda _: next(told)) as url:
        chain = bench.at(url)
        for _ in lies:
            with pytest.raises(ChainUnavailable):
                chain.recorded_hashes([OTHER])


def test_chain_is_unavailable_when_the_registry_answers_more_or_less_than_a_word(bench: Bench) -> None:
    lies = [*OUT_OF_FORM, ONE_WORD + "00", ONE_WORD[:-2]]
    told = iter(lies)
    with lying(bench.rpc_url, "eth_call", lambda _: next(told)) as url:
        chain = bench.at(url)
        for _ in lies:
            with pytest.raises(ChainUnavailable):
                chain.compact_hash(1)


def test_chain_is_unavailable_when_there_is_no_registry(bench: Bench) -> None:
    nobodys = EvmChain(bench.rpc_url, chain_id=CHAIN_ID, genesis_hash=bench.genesis_hash, registry=STRANGER)
    with pytest.raises(ChainUnavailable):
        nobodys.recorded_hashes([OTHER])
    with pytest.raises(ChainUnavailable):
        nobodys.compact_hash(1)
