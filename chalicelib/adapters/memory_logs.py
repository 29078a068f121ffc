"""The `ChainLogs` protocol in memory: blocks and logs in a test's hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from chalicelib.domain.errors import ChainUnavailable, NodeLags
from chalicelib.domain.merkle import keccak256
from chalicelib.job_types.chain_logs import Block, Log, TooManyLogs

CHAIN_ID = 31337


@dataclass(frozen=True, slots=True)
class Emitted:
    """What a contract, in lower case, logs in a block."""

    address: str
    topics: tuple[str, ...] = ()
    data: bytes = b""


class MemoryLogs:
    """Begins with `blocks` empty blocks; its public attributes make it fail as nodes do."""

    def __init__(self, blocks: int = 10, *, final_depth: int = 3) -> None:
        self._final_depth = final_depth
        self._salts = count()
        self._blocks: list[tuple[Block, list[tuple[str, Log]]]] = []
        self.is_down = False
        self.most_logs = 10_000
        self.mine(blocks)

    def mine(self, blocks: int = 1) -> None:
        """Adds empty blocks."""
        for _ in range(blocks):
            self.emit()

    def emit(self, *emitted: Emitted) -> Block:
        """Adds a block with these logs, each of a transaction of its own."""
        block = Block(len(self._blocks), self._hash("block"))
        logs = [
            (
                each.address,
                Log(
                    block=block,
                    transaction_hash=self._hash("transaction"),
                    log_index=index,
                    topics=each.topics,
                    data=each.data,
                ),
            )
            for index, each in enumerate(emitted)
        ]
        self._blocks.append((block, logs))
        return block

    def reorganise(self, blocks: int) -> None:
        """Drops the newest blocks with their logs; whatever comes in their place has other hashes."""
        del self._blocks[len(self._blocks) - blocks :]

    def chain_id(self) -> int:
        """See `ChainLogs.chain_id`."""
        return CHAIN_ID

    def last_final(self) -> Block:
        """See `ChainLogs.last_final`."""
        return self.block(max(0, len(self._blocks) - self._final_depth))

    def block(self, number: int) -> Block:
        """See `ChainLogs.block`."""
        if self.is_down:
            raise ChainUnavailable("The node is down.")
        if number >= len(self._blocks):
            raise NodeLags(f"The node does not have block {number}.")
        return self._blocks[number][0]

    def logs(self, address: str, *, first: int, last: int) -> Sequence[Log]:
        """See `ChainLogs.logs`."""
        self.block(last)
        found = [
            log for _, logs in self._blocks[first : last + 1] for by, log in logs if by == address.lower()
        ]
        if len(found) > self.most_logs:
            raise TooManyLogs(f"Blocks {first} to {last}.")
        return found

    def _hash(self, kind: str) -> str:
        return f"0x{keccak256(f'{kind} {next(self._salts)}'.encode()).hex()}"
