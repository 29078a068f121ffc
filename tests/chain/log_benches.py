"""Chains with a contract that logs when told to: one in memory, and one on a node."""

from dataclasses import dataclass
from itertools import count
from typing import Protocol

from chalicelib.adapters.evm_logs import EvmLogs
from chalicelib.adapters.memory_logs import Emitted, MemoryLogs
from chalicelib.adapters.registry_calls import JOB_CONFIRMED
from chalicelib.job_types.chain_logs import ChainLogs
from emulation.chain import CHAIN_ID
from tests.chain.conftest import FINAL_DEPTH, Bench


def logs_at(bench: Bench, rpc_url: str = "") -> EvmLogs:
    """The adapter, asking the bench's node or there."""
    return EvmLogs(
        rpc_url or bench.rpc_url,
        chain_id=CHAIN_ID,
        genesis_hash=bench.genesis_hash,
        final_depth=FINAL_DEPTH,
    )


class LogBench(Protocol):
    """The contract at `address` logs, in a new block; what is mined can be taken back."""

    chain: ChainLogs
    address: str

    def emit(self, number: int) -> tuple[int, str]:
        """Mines a block with so many logs of one topic and one word; its number and hash."""

    def mine(self, blocks: int) -> None:
        """Mines empty blocks."""

    def head(self) -> int:
        """The newest block's number."""

    def remember(self) -> None:
        """Marks the newest block."""

    def go_back(self) -> None:
        """Takes back whatever was mined after the mark."""


class MemoryBench:
    """On `MemoryLogs`."""

    address = f"0x{'5f' * 20}"

    def __init__(self) -> None:
        self.chain = MemoryLogs(final_depth=FINAL_DEPTH)
        self._head = 9
        self._mark = 0
        self._words = (f"0x{number:064x}" for number in count())

    def emit(self, number: int) -> tuple[int, str]:
        topics = [(JOB_CONFIRMED, next(self._words)) for _ in range(number)]
        block = self.chain.emit(*(Emitted(self.address, each, bytes(32)) for each in topics))
        self._head += 1
        return block.number, block.hash

    def mine(self, blocks: int) -> None:
        self.chain.mine(blocks)
        self._head += blocks

    def head(self) -> int:
        return self._head

    def remember(self) -> None:
        self._mark = self._head

    def go_back(self) -> None:
        self.chain.reorganise(self._head - self._mark)
        self._head = self._mark


@dataclass(slots=True)
class NodeBench:
    """On `EvmLogs`: its logs are those of jobs that are confirmed, which mines one block each time."""

    bench: Bench
    chain: EvmLogs
    nonce: int = 0
    mark: str = ""
    mark_nonce: int = 0

    @property
    def address(self) -> str:
        return self.bench.registry

    def emit(self, number: int) -> tuple[int, str]:
        signed = self.bench.sign(self.bench.entries(number), nonce=self.nonce)
        self.nonce += 1
        self.bench.mine(signed)
        receipt = self.bench.receipt(signed.hash)
        assert receipt is not None
        return receipt.block_number, receipt.block_hash

    def mine(self, blocks: int) -> None:
        self.bench.rpc("hardhat_mine", hex(blocks))

    def head(self) -> int:
        return int(self.bench.rpc("eth_blockNumber"), 16)

    def remember(self) -> None:
        self.mark, self.mark_nonce = self.bench.rpc("evm_snapshot"), self.nonce

    def go_back(self) -> None:
        self.bench.rpc("evm_revert", self.mark)
        self.nonce = self.mark_nonce
