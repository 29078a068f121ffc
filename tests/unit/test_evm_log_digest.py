"""`evm.log_digest` whatever becomes of the chain, and against Ethereum's library for its encoding."""

from collections.abc import Sequence
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as some

from chalicelib.adapters.memory_logs import CHAIN_ID, Emitted, MemoryLogs
from chalicelib.domain.errors import ChainUnavailable
from chalicelib.job_types.chain_logs import Log
from chalicelib.job_types.contract import JobError
from chalicelib.job_types.evm_log_digest import FIRST_CHUNK_BLOCKS
from tests.unit.test_job_types import finished, started, stopped_everywhere

NAME = "evm.log_digest"
CONTRACT, OTHER = f"0x{'ab' * 20}", f"0x{'cd' * 20}"
# Of the first two chunks, the second being twice as long, and what is left.
BLOCKS = 4 * FIRST_CHUNK_BLOCKS

words = some.binary(min_size=32, max_size=32).map(lambda each: f"0x{each.hex()}")
emitted = some.builds(
    Emitted,
    address=some.sampled_from([CONTRACT, OTHER]),
    topics=some.lists(words, max_size=4).map(tuple),
    data=some.binary(max_size=70),
)


def job(first: int = 0, last: int = BLOCKS - 1, address: str = CONTRACT) -> dict[str, Any]:
    return {"address": address, "first_block": first, "last_block": last}


def a_chain(*, every: int = 7) -> MemoryLogs:
    """One on which every seventh block has logs, and as many blocks are final as a job here reads."""
    chain = MemoryLogs(1)
    for number in range(1, BLOCKS + 2):
        mine_with_logs(chain, 2 if number % every == 0 else 0)
    return chain


def mine_with_logs(chain: MemoryLogs, number: int) -> None:
    chain.emit(*(Emitted(CONTRACT, (f"0x{each:064x}",), b"logged") for each in range(number)))


def by_the_library(chain: MemoryLogs, logs: Sequence[Log], job_input: dict[str, Any]) -> dict[str, Any]:
    """What the input's description says, with `eth_abi`."""
    first, last = job_input["first_block"], job_input["last_block"]
    last_hash = chain.block(last).hash
    header = ["uint256", "address", "uint256", "uint256", "bytes32"]
    digest = keccak(
        encode(header, [CHAIN_ID, job_input["address"], first, last, bytes.fromhex(last_hash[2:])])
    )
    for log in logs:
        topics = [bytes.fromhex(topic[2:]) for topic in log.topics]
        transaction = bytes.fromhex(log.transaction_hash[2:])
        said = [log.block.number, transaction, log.log_index, topics, log.data]
        log_hash = keccak(encode(["uint256", "bytes32", "uint256", "bytes32[]", "bytes"], said))
        digest = keccak(encode(["bytes32", "bytes32"], [digest, log_hash]))
    return {
        "digest": f"0x{digest.hex()}",
        "logs": len(logs),
        "first_block": first,
        "last_block": last,
        "last_block_hash": last_hash,
    }


@settings(deadline=None)  # a busy machine is no failure
@given(some.lists(some.lists(emitted, max_size=3), max_size=6))
def test_the_digest_is_the_described_one_whatever_was_logged(blocks: list[list[Emitted]]) -> None:
    chain = MemoryLogs(1)
    for block in blocks:
        chain.emit(*block)
    chain.mine(2)
    wanted = job(first=1 if blocks else 0, last=len(blocks))
    logs = chain.logs(CONTRACT, first=wanted["first_block"], last=len(blocks))
    _, result = finished(started(NAME, wanted, chain=chain))
    assert result == by_the_library(chain, logs, wanted)


def test_the_digest_is_the_same_when_it_goes_on_from_any_checkpoint() -> None:
    chain = a_chain()
    steps, result = finished(started(NAME, job(), chain=chain))
    done = [step.progress.completed for step in steps]
    assert done == [FIRST_CHUNK_BLOCKS, 3 * FIRST_CHUNK_BLOCKS, BLOCKS]
    assert result == by_the_library(chain, chain.logs(CONTRACT, first=0, last=BLOCKS - 1), job())
    rests = [finished(rest)[1] for _, rest in stopped_everywhere(NAME, job(), chain=chain)]
    assert rests == [result] * len(done)


@pytest.mark.parametrize("most", [2, 3, 5, 11])
def test_the_digest_is_the_same_when_the_logs_of_fewer_blocks_are_read_at_once(most: int) -> None:
    chain = a_chain()
    steps, result = finished(started(NAME, job(), chain=chain))
    chain.most_logs = most
    more_steps, same = finished(started(NAME, job(), chain=chain))
    assert same == result
    assert len(more_steps) > len(steps)


def test_the_job_is_the_callers_error_when_one_block_has_too_many_logs() -> None:
    chain = a_chain()
    chain.most_logs = 1
    _, words_of_it = finished(started(NAME, job(), chain=chain))
    assert words_of_it == "Block 7 has more logs of the contract than can be read."


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (job(last=BLOCKS), rf"^Block {BLOCKS} is not final yet; the last that is has number {BLOCKS - 1}\.$"),
        (job(first=2, last=1), r"^The range has 0 blocks; it may have 1 to 100000\.$"),
        (job(first=9, last=1), "has -7 blocks"),
        (job(last=100_000), "has 100001 blocks"),
        (job(address=f"0x{'aB' * 20}"), "EIP-55"),
    ],
)
def test_the_job_is_the_callers_error_when_its_range_or_address_is_none(
    wanted: dict[str, Any], why: str
) -> None:
    with pytest.raises(JobError, match=why):
        next(started(NAME, wanted, chain=a_chain()))


def test_the_digest_is_the_same_when_the_address_has_the_capitals_of_its_checksum() -> None:
    checksummed = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
    chain = MemoryLogs()
    chain.emit(Emitted(checksummed.lower()))
    chain.mine(2)
    results = [
        finished(started(NAME, job(last=10, address=address), chain=chain))[1]
        for address in (checksummed, checksummed.lower())
    ]
    assert results[0] == results[1]
    assert isinstance(results[0], dict)
    assert results[0]["logs"] == 1


def test_no_digest_mixes_two_chains_when_final_blocks_are_replaced_between_two_reads() -> None:
    chain = a_chain()
    run = started(NAME, job(), chain=chain)
    checkpoint = next(run).checkpoint
    assert checkpoint is not None
    left = checkpoint()
    chain.reorganise(BLOCKS - 5)
    for _ in range(BLOCKS):
        mine_with_logs(chain, 1)
    with pytest.raises(ChainUnavailable, match="replaced"):
        next(run)
    _, result = finished(started(NAME, job(), chain=chain, checkpoint=left))
    assert result == by_the_library(chain, chain.logs(CONTRACT, first=0, last=BLOCKS - 1), job())


def test_no_digest_mixes_two_chains_when_blocks_are_replaced_during_the_last_read() -> None:
    chain = ReplacedWhileRead(1)
    chain.mine(12)
    with pytest.raises(ChainUnavailable, match="replaced"):
        finished(started(NAME, job(last=9), chain=chain))


class ReplacedWhileRead(MemoryLogs):
    """A chain whose newest blocks are replaced as soon as anyone reads logs."""

    def logs(self, address: str, *, first: int, last: int) -> Sequence[Log]:
        found = super().logs(address, first=first, last=last)
        self.reorganise(5)
        self.mine(5)
        return found


def test_it_is_not_the_callers_error_when_the_run_goes_on_with_a_node_that_lags() -> None:
    chain = a_chain()
    checkpoint = next(started(NAME, job(), chain=chain)).checkpoint
    assert checkpoint is not None
    chain.reorganise(2)
    with pytest.raises(ChainUnavailable, match="has come to block"):
        next(started(NAME, job(), chain=chain, checkpoint=checkpoint()))


def test_it_is_not_the_callers_error_when_the_node_is_down() -> None:
    chain = a_chain()
    run = started(NAME, job(), chain=chain)
    next(run)
    chain.is_down = True
    with pytest.raises(ChainUnavailable):
        next(run)
