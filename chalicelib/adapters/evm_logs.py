"""The `ChainLogs` protocol on any EVM node that speaks JSON-RPC.

Checked: what `evm_node` checks at each request; that logs are of the contract and range that were asked for,
in their order, each once, and each in the canonical block of its number; that the node has come as far as the
range's last block. Believed, for want of a light client: that no log is missing. Whoever asks another node
finds out, as each tenant can.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from pydantic import JsonValue

from chalicelib.adapters.evm_answers import MAYBE_BLOCK, QUANTITY, WHOLE_LOGS, WholeLog, agree, parsed
from chalicelib.adapters.evm_node import EvmNode, block
from chalicelib.adapters.json_rpc import AnswerTooLarge, Ask, NodeRefused
from chalicelib.domain.errors import ChainUnavailable, NodeLags
from chalicelib.job_types.chain_logs import Block, Log, TooManyLogs

# Of blocks in one answer, which has a limit: one of 60 M gas has 2,857 transactions at most, and their hashes
# 200 kB.
BLOCKS_A_REQUEST = 16


class EvmLogs:
    """Final blocks, and the logs in them. Making one asks the node nothing and opens nothing."""

    def __init__(self, rpc_url: str, *, chain_id: int, genesis_hash: str, final_depth: int) -> None:
        self._node = EvmNode(rpc_url, chain_id=chain_id, genesis_hash=genesis_hash)
        self._final_depth = final_depth

    def chain_id(self) -> int:
        """See `ChainLogs.chain_id`; each request checks that it is the node's."""
        return self._node.chain_id

    def last_final(self) -> Block:
        """See `ChainLogs.last_final`."""
        (latest,) = self._node.ask(Ask("eth_blockNumber"))
        return self.block(max(0, parsed(QUANTITY, latest) - self._final_depth + 1))

    def block(self, number: int) -> Block:
        """See `ChainLogs.block`."""
        (answer,) = self._node.ask(block(number))
        return _found(answer, number)

    def logs(self, address: str, *, first: int, last: int) -> Sequence[Log]:
        """See `ChainLogs.logs`. What a node refuses for a range may be what it gives for a shorter one."""
        wanted: JsonValue = {"address": address, "fromBlock": hex(first), "toBlock": hex(last)}
        try:
            answer, at_last = self._node.ask(Ask("eth_getLogs", (wanted,)), block(last))
        except (AnswerTooLarge, NodeRefused) as error:
            if first == last and isinstance(error, NodeRefused):
                raise
            raise TooManyLogs(f"Blocks {first} to {last}.") from None
        _found(at_last, last)
        found = parsed(WHOLE_LOGS, answer)
        _check_asked(found, address, first, last)
        self._check_canonical({Block(log.block_number, log.block_hash) for log in found})
        return [_log(each) for each in found]

    def _check_canonical(self, blocks: Iterable[Block]) -> None:
        wanted = sorted(blocks, key=lambda each: each.number)
        for start in range(0, len(wanted), BLOCKS_A_REQUEST):
            some = wanted[start : start + BLOCKS_A_REQUEST]
            answers = self._node.ask(*(block(each.number) for each in some))
            if [_found(answer, each.number) for answer, each in zip(answers, some, strict=True)] != some:
                raise ChainUnavailable("The node answers with a log of a block that is not canonical.")


def _check_asked(found: Sequence[WholeLog], address: str, first: int, last: int) -> None:
    for log in found:
        agree(log.address, address.lower())
    places = [(log.block_number, log.log_index) for log in found]
    if places and not first <= places[0][0] <= places[-1][0] <= last:
        raise ChainUnavailable("The node answers with logs of other blocks than it was asked for.")
    if any(one >= next_one for one, next_one in pairwise(places)):
        raise ChainUnavailable("The node answers with logs out of their order.")


def _found(answer: JsonValue, number: int) -> Block:
    found = parsed(MAYBE_BLOCK, answer)
    if found is None:
        raise NodeLags(f"The node does not have block {number}.")
    agree(found.number, number)
    return Block(found.number, found.hash)


def _log(found: WholeLog) -> Log:
    return Log(
        block=Block(found.block_number, found.block_hash),
        transaction_hash=found.transaction_hash,
        log_index=found.log_index,
        topics=tuple(found.topics),
        data=found.data,
    )
