"""One suite for what runs read of the chain, in memory and on a node."""

import pytest

from chalicelib.domain.errors import ChainUnavailable, NodeLags
from emulation.chain import CHAIN_ID, Mining
from tests.chain.conftest import FINAL_DEPTH, Bench
from tests.chain.log_benches import LogBench, MemoryBench, NodeBench, logs_at

# The block of each log is the same however the node mines.
pytestmark = pytest.mark.parametrize("node", [Mining.AUTOMATIC], indirect=True)


@pytest.fixture(params=["memory", "real"])
def logging(request: pytest.FixtureRequest, held: Bench) -> LogBench:
    return MemoryBench() if request.param == "memory" else NodeBench(held, logs_at(held))


def test_logs_are_all_of_the_range_in_their_order_when_blocks_have_many(logging: LogBench) -> None:
    logging.emit(1)
    first, first_hash = logging.emit(3)
    logging.mine(2)
    last, last_hash = logging.emit(2)
    logging.emit(1)
    found = logging.chain.logs(logging.address, first=first, last=last)
    places = [(log.block.number, log.block.hash) for log in found]
    assert places == [(first, first_hash)] * 3 + [(last, last_hash)] * 2
    assert [log.log_index for log in found] == [0, 1, 2, 0, 1]
    assert len({log.topics[1] for log in found}) == 5
    assert {(len(log.topics), len(log.data), len(log.transaction_hash)) for log in found} == {(2, 32, 66)}


def test_logs_are_the_same_when_the_address_is_in_another_case(logging: LogBench) -> None:
    number, _ = logging.emit(1)
    found = logging.chain.logs(logging.address.lower(), first=number, last=number)
    assert found == logging.chain.logs(logging.address, first=number, last=number)
    assert len(found) == 1


def test_there_are_no_logs_when_the_contract_or_the_blocks_are_others(logging: LogBench) -> None:
    number, _ = logging.emit(2)
    logging.mine(1)
    assert logging.chain.logs(f"0x{'12' * 20}", first=0, last=number) == []
    assert logging.chain.logs(logging.address, first=number + 1, last=number + 1) == []


def test_a_block_is_final_when_it_is_as_deep_as_it_must_be(logging: LogBench) -> None:
    logging.mine(FINAL_DEPTH)
    assert logging.chain.last_final().number == logging.head() - FINAL_DEPTH + 1
    number, block_hash = logging.emit(1)
    assert logging.chain.last_final().number == number - FINAL_DEPTH + 1
    logging.mine(FINAL_DEPTH - 1)
    assert logging.chain.last_final() == logging.chain.block(number)
    assert logging.chain.block(number).hash == block_hash


def test_the_chain_is_known_by_its_id(logging: LogBench) -> None:
    assert logging.chain.chain_id() == CHAIN_ID


def test_a_block_has_another_hash_and_its_own_logs_when_it_was_replaced(logging: LogBench) -> None:
    logging.remember()
    number, before = logging.emit(1)
    (log,) = logging.chain.logs(logging.address, first=number, last=number)
    logging.go_back()
    assert logging.head() == number - 1
    again, after = logging.emit(2)
    assert (again, logging.chain.block(number).hash) == (number, after)
    found = logging.chain.logs(logging.address, first=number, last=number)
    assert (len(found), after == before, log in found) == (2, False, False)


def test_the_chain_is_unavailable_when_the_node_has_not_come_so_far(logging: LogBench) -> None:
    beyond = logging.head() + 1
    with pytest.raises(NodeLags):
        logging.chain.block(beyond)
    with pytest.raises(ChainUnavailable):
        logging.chain.logs(logging.address, first=0, last=beyond)
