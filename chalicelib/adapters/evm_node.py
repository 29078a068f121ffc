"""The node of one chain.

Invariant: nothing is read from another chain, for each request asks for the chain's id and first block too. A
chain that is started anew has the id of the one before it, and another first block.
"""

from pydantic import JsonValue

from chalicelib.adapters.evm_answers import BLOCK, DATA, QUANTITY, parsed
from chalicelib.adapters.json_rpc import Ask, JsonRpc, NodeRefused
from chalicelib.domain.errors import ChainUnavailable

LATEST = "latest"
HASHES_ONLY = False  # of a block's transactions


class EvmNode:
    """Answers of the configured chain alone. Making one asks the node nothing."""

    def __init__(self, url: str, *, chain_id: int, genesis_hash: str) -> None:
        self._rpc = JsonRpc(url)
        self.chain_id = chain_id
        self._genesis_hash = genesis_hash.lower()

    def ask(self, *asks: Ask) -> list[JsonValue]:
        """What the node says to each call; raises `NodeRefused` for the first that it refuses."""
        chain_id, genesis, *answers = self._rpc.ask([Ask("eth_chainId"), block(0), *asks])
        self._check(parsed(QUANTITY, _accepted(chain_id)), parsed(BLOCK, _accepted(genesis)).hash)
        return [_accepted(answer) for answer in answers]

    def call(self, to: str, data: bytes, *, at: str = LATEST) -> bytes:
        """What the contract returns now, or as of another block."""
        request: JsonValue = {"to": to, "data": hexed(data)}
        (answer,) = self.ask(Ask("eth_call", (request, at)))
        return parsed(DATA, answer)

    def _check(self, chain_id: int, genesis_hash: str) -> None:
        if chain_id != self.chain_id:
            raise ChainUnavailable(
                f"The node runs chain {chain_id}, and we are configured for {self.chain_id}."
            )
        if genesis_hash != self._genesis_hash:
            raise ChainUnavailable(f"The node's chain {chain_id} is not ours: it began with another block.")


def block(number: int) -> Ask:
    """Asks for the canonical block of this number; null if there is none."""
    return Ask("eth_getBlockByNumber", (hex(number), HASHES_ONLY))


def hexed(data: bytes) -> str:
    """EIP-1474's data."""
    return f"0x{data.hex()}"


def _accepted(answer: JsonValue | NodeRefused) -> JsonValue:
    if isinstance(answer, NodeRefused):
        raise answer
    return answer
