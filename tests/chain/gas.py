"""What each way of confirming costs, measured: `python -m tests.chain.gas` writes `contracts/gas.json`.

Run it when the contract or the compiler's settings have changed, and let the review see what that costs.
Keys, hashes and roots have no zero byte, which would be cheaper, so that each figure is exact and the
dearest; what is zero in a mask is so in every batch of its size, and a number has two bytes, as a nonce of a
long life.
"""

import asyncio
import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from web3 import Web3

from chalicelib.adapters.registry_calls import ABI
from chalicelib.admin.gas_table import GAS_FILE, Gas
from chalicelib.domain.merkle import keccak256
from emulation.chain import Mining, Node, deploy_registry, start_node

BATCHES = (1, 10, 98, 100, 250)

SIBLINGS = 7
"""Of a leaf among 98, the most jobs that the service puts into one transaction: 64 < 98 <= 128."""

_REGISTRY = Web3().eth.contract(abi=ABI)


@dataclass(frozen=True, slots=True)
class _Meter:
    """A registry of its own, and its confirmer: an account that the node signs for."""

    node: Node
    registry: str
    confirmer: str

    async def gas(self, function: str, *arguments: object) -> int:
        """What a transaction with this call uses; it must succeed."""
        data = _REGISTRY.encode_abi(function, args=arguments)
        sent = await self.node.call(
            "eth_sendTransaction", {"from": self.confirmer, "to": self.registry, "data": data}
        )
        await self.node.call("evm_mine")  # rather than wait for the interval
        receipt = await self.node.call("eth_getTransactionReceipt", sent)
        assert receipt["status"] == "0x1", f"{function} reverted"
        return int(receipt["gasUsed"], 16)


async def measure(node: Node) -> Gas:
    """The gas of each function, by the number of jobs in the batch."""
    confirmer = (await node.call("eth_accounts"))[2]
    meter = _Meter(node, await deploy_registry(node, confirmer=confirmer), confirmer)
    words = map(word, count())
    numbers = count(0x1111)
    return {
        "confirm": {1: await meter.gas("confirm", next(words), next(words))},
        "confirmBatch": {
            jobs: await meter.gas("confirmBatch", _take(words, jobs), _take(words, jobs)) for jobs in BATCHES
        },
        "confirmCompact": {
            jobs: await meter.gas("confirmCompact", next(numbers), 2**jobs - 1, next(words))
            for jobs in BATCHES
        },
        "materialize": {98: await _materialize(meter, next(numbers))},
    }


async def _materialize(meter: _Meter, number: int) -> int:
    """Of the last of 98 jobs. A tree is as good as the path from one leaf, so only that is made."""
    batch, bit, mask = int(meter.confirmer, 16) << 64 | number, 97, 2**98 - 1
    key, result, *proof = map(word, range(-1, -3 - SIBLINGS, -1))
    types = ("uint256", "uint8", "bytes32", "bytes32")
    node = keccak256(keccak256(Web3().codec.encode(types, (batch, bit, key, result))))
    for sibling in proof:
        node = keccak256(min(node, sibling) + max(node, sibling))
    await meter.gas("confirmCompact", number, mask, node)
    return await meter.gas("materialize", key, result, (batch, bit, mask, node, proof))


def word(number: int) -> bytes:
    """A word of its own for each number, without a zero byte."""
    return bytes(16 + int(digit, 16) for digit in f"{number % 2**128:032x}")


def _take(words: Iterable[bytes], number: int) -> list[bytes]:
    return [each for each, _ in zip(words, range(number), strict=False)]


async def _measure_here() -> Gas:
    with tempfile.TemporaryDirectory() as folder:
        node = await start_node(GAS_FILE.parent, Path(folder) / "node.log", mining=Mining.AUTOMATIC)
        try:
            return await measure(node)
        finally:
            await node.stop()


if __name__ == "__main__":
    GAS_FILE.write_text(json.dumps(asyncio.run(_measure_here()), indent=2) + "\n")
