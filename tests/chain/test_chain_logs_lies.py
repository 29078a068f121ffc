"""What runs read of a node that lies about logs, refuses, says too much, or is another's."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.adapters.evm_logs import BLOCKS_A_REQUEST, EvmLogs
from chalicelib.adapters.json_rpc import ANSWER_BYTES, NodeRefused
from chalicelib.domain.errors import ChainUnavailable, NodeLags
from chalicelib.job_types.chain_logs import TooManyLogs
from emulation.chain import CHAIN_ID, Mining
from tests.chain.conftest import FINAL_DEPTH, Bench
from tests.chain.log_benches import NodeBench, logs_at
from tests.chain.servers import listening, lying, refusing

OTHER, STRANGER = "0x" + "cd" * 32, "0x" + "cd" * 20
LOGS, BLOCK = "eth_getLogs", "eth_getBlockByNumber"

pytestmark = pytest.mark.parametrize("node", [Mining.AUTOMATIC], indirect=True)

LIES: dict[str, Callable[[list[Any]], Any]] = {
    "another contract's": lambda logs: [{**log, "address": STRANGER} for log in logs],
    "backwards": lambda logs: logs[::-1],
    "one twice": lambda logs: [logs[0], *logs],
    "of no canonical block": lambda logs: [{**logs[0], "blockHash": OTHER}, *logs[1:]],
    "last of no canonical block": lambda logs: [*logs[:-1], {**logs[-1], "blockHash": OTHER}],
    "removed": lambda logs: [{**log, "removed": True} for log in logs],
    "pending": lambda logs: [{**log, "blockNumber": None, "blockHash": None} for log in logs],
    "with five topics": lambda logs: [{**log, "topics": [OTHER] * 5} for log in logs],
    "with half a byte": lambda logs: [{**log, "data": "0x0"} for log in logs],
    "with no index": lambda logs: [{**log, "logIndex": None} for log in logs],
    "with no transaction": lambda logs: [{**log, "transactionHash": "0x"} for log in logs],
    "null": lambda _: None,
    "no list": lambda logs: logs[0],
}


@pytest.fixture
def logging(held: Bench) -> NodeBench:
    return NodeBench(held, logs_at(held))


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_chain_is_unavailable_when_logs_are_others_or_out_of_form(
    logging: NodeBench, lie: Callable[[list[Any]], Any]
) -> None:
    first, _ = logging.emit(2)
    last, _ = logging.emit(2)
    with (
        lying(logging.bench.rpc_url, LOGS, lie) as url,
        pytest.raises(ChainUnavailable),
    ):
        logs_at(logging.bench, url).logs(logging.address, first=first, last=last)


def test_chain_is_unavailable_when_logs_are_true_and_of_earlier_or_later_blocks(logging: NodeBench) -> None:
    first, middle, last = (logging.emit(1)[0] for _ in range(3))
    for others in (range(first, middle + 1), range(middle, last + 1)):
        wanted = {"address": logging.address, "fromBlock": hex(others[0]), "toBlock": hex(others[-1])}
        more = logging.bench.rpc(LOGS, wanted)
        assert len(more) == 2
        with (
            lying(logging.bench.rpc_url, LOGS, lambda _, more=more: more) as url,
            pytest.raises(ChainUnavailable, match="other blocks"),
        ):
            logs_at(logging.bench, url).logs(logging.address, first=middle, last=middle)


@pytest.mark.parametrize("lie", [{"hash": "0x"}, {"number": "0xffff"}, {"number": None}])
def test_chain_is_unavailable_when_a_block_is_another_or_out_of_form(
    logging: NodeBench, lie: dict[str, Any]
) -> None:
    number, _ = logging.emit(1)
    with lying(logging.bench.rpc_url, BLOCK, lambda block: {**block, **lie}) as url:
        chain = logs_at(logging.bench, url)
        for ask in (lambda: chain.block(number), lambda: chain.logs(STRANGER, first=number, last=number)):
            with pytest.raises(ChainUnavailable):
                ask()


def test_every_block_with_logs_is_looked_at_when_they_are_more_than_one_request_takes(
    logging: NodeBench,
) -> None:
    first, _ = logging.emit(1)
    for _ in range(BLOCKS_A_REQUEST):
        last, _ = logging.emit(1)
    with listening(logging.bench.rpc_url) as (url, heard):
        found = logs_at(logging.bench, url).logs(logging.address, first=first, last=last)
    assert [log.block.number for log in found] == list(range(first, last + 1))
    asked = [call["params"][0] for request in heard[1:] for call in request.calls if call["method"] == BLOCK]
    assert {hex(number) for number in range(first, last + 1)} <= set(asked)
    assert len(heard) == 3
    with (
        lying(
            logging.bench.rpc_url, LOGS, lambda logs: [*logs[:-1], {**logs[-1], "blockHash": OTHER}]
        ) as url,
        pytest.raises(ChainUnavailable, match="not canonical"),
    ):
        logs_at(logging.bench, url).logs(logging.address, first=first, last=last)


def test_logs_are_too_many_when_the_answer_is_longer_than_is_read(logging: NodeBench) -> None:
    number, _ = logging.emit(1)
    long = "0x" + "00" * (ANSWER_BYTES // 2)
    with lying(logging.bench.rpc_url, LOGS, lambda logs: [{**logs[0], "data": long}]) as url:
        chain = logs_at(logging.bench, url)
        for first in (number - 1, number):
            with pytest.raises(TooManyLogs):
                chain.logs(logging.address, first=first, last=number)


def test_logs_are_too_many_when_the_node_refuses_more_than_one_block(logging: NodeBench) -> None:
    number, _ = logging.emit(1)
    error = {"code": -32005, "message": "query returned more than 10000 results"}
    with refusing(logging.bench.rpc_url, LOGS, error) as url:
        chain = logs_at(logging.bench, url)
        with pytest.raises(TooManyLogs):
            chain.logs(logging.address, first=number - 1, last=number)
        with pytest.raises(NodeRefused):
            chain.logs(logging.address, first=number, last=number)


def test_chain_is_unavailable_when_the_node_has_logs_and_lags_behind_them(logging: NodeBench) -> None:
    number, _ = logging.emit(1)
    with (
        lying(
            logging.bench.rpc_url, BLOCK, lambda block: block if int(block["number"], 16) < number else None
        ) as url,
        pytest.raises(NodeLags),
    ):
        logs_at(logging.bench, url).logs(logging.address, first=number, last=number)


def test_nothing_is_asked_before_the_first_question(held: Bench) -> None:
    with listening(held.rpc_url) as (url, heard):
        chain = logs_at(held, url)
        assert (chain.chain_id(), heard) == (CHAIN_ID, [])


@pytest.mark.parametrize("other", [{"chain_id": 1}, {"genesis_hash": OTHER}])
def test_chain_is_unavailable_when_it_is_another(logging: NodeBench, other: dict[str, Any]) -> None:
    number, _ = logging.emit(1)
    ours = {"chain_id": CHAIN_ID, "genesis_hash": logging.bench.genesis_hash, "final_depth": FINAL_DEPTH}
    chain = EvmLogs(logging.bench.rpc_url, **(ours | other))
    asks: list[Callable[[], object]] = [
        chain.last_final,
        lambda: chain.block(number),
        lambda: chain.logs(logging.address, first=number, last=number),
    ]
    for ask in asks:
        with pytest.raises(ChainUnavailable):
            ask()
