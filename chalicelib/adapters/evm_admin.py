"""The `RegistryAdmin` port, through the node's own account of the registry's admin, as local nodes have it.

Invariant: no key of the admin's is ever here. Where the node has none either, as in production, `Refused`
tells what is to be signed elsewhere, and asking again afterwards finds it done.
"""

from dataclasses import dataclass

from pydantic import JsonValue

from chalicelib.adapters.evm_answers import ADDRESSES, MINED, QUANTITY, WEI, WORD, parsed
from chalicelib.adapters.evm_node import LATEST, EvmNode, hexed
from chalicelib.adapters.json_rpc import Ask, NodeRefused
from chalicelib.adapters.registry_calls import CONFIRMER_ROLE, encoded, materialize_calldata
from chalicelib.domain.abi import WORD_BYTES
from chalicelib.domain.chain_call import Inclusion
from chalicelib.domain.confirmation import Entry
from chalicelib.domain.errors import ChainUnavailable, Refused
from chalicelib.ports import Clock

# A local node mines at once or every second. Five blocks of the slowest chains that matter come in a minute.
POLL_SECONDS = 0.5
POLLS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class _Act:
    """What the admin is to send."""

    to: str
    data: bytes = b""
    wei: int = 0

    def __str__(self) -> str:
        return f"to {self.to}, value {self.wei} wei, data {hexed(self.data)}"


class EvmRegistryAdmin:
    """The `RegistryAdmin` port, of the registry at `registry`. Making one asks the node nothing."""

    def __init__(
        self, rpc_url: str, *, chain_id: int, genesis_hash: str, registry: str, clock: Clock
    ) -> None:
        self._node = EvmNode(rpc_url, chain_id=chain_id, genesis_hash=genesis_hash)
        self._registry = registry
        self._clock = clock

    def address(self) -> str:
        """See `ports.RegistryAdmin.address`."""
        return f"0x{self._word(encoded('defaultAdmin')):040x}"

    def grant(self, address: str) -> None:
        """See `ports.RegistryAdmin.grant`."""
        if not self.is_confirmer(address):
            self._send(_Act(to=self._registry, data=_of_role("grantRole", address)))

    def revoke(self, address: str) -> None:
        """See `ports.RegistryAdmin.revoke`."""
        if self.is_confirmer(address):
            self._send(_Act(to=self._registry, data=_of_role("revokeRole", address)))

    def is_confirmer(self, address: str, *, depth: int = 1) -> bool:
        """See `ports.RegistryAdmin.is_confirmer`."""
        (head,) = self._node.ask(Ask("eth_blockNumber"))
        block_number = max(0, parsed(QUANTITY, head) - depth + 1)
        answer = self._node.call(self._registry, _of_role("hasRole", address), at=hex(block_number))
        # No answer at all is of a block from before the registry was deployed.
        return int.from_bytes(answer, "big") == 1

    def fund(self, address: str, wei: int) -> None:
        """See `ports.RegistryAdmin.fund`."""
        self._send(_Act(to=address, wei=wei))

    def balance(self, address: str) -> int:
        """See `ports.RegistryAdmin.balance`."""
        (answer,) = self._node.ask(Ask("eth_getBalance", (address, LATEST)))
        return parsed(WEI, answer)

    def materialize(self, entry: Entry, inclusion: Inclusion) -> None:
        """See `ports.RegistryAdmin.materialize`."""
        act = _Act(to=self._registry, data=materialize_calldata(entry, inclusion))
        held = self._held()
        if not held:
            raise Refused(
                f"The node holds no account's key. Have this signed by any account on chain "
                f"{self._node.chain_id}: {act}."
            )
        self._send_from(held[0], act)

    def _send(self, act: _Act) -> None:
        """The act of the admin's, once it is mined."""
        admin = self.address()
        if admin not in self._held():
            raise Refused(
                f"The node does not hold the key of the registry's admin {admin}. Have this signed by it on "
                f"chain {self._node.chain_id}, then run the command again: {act}."
            )
        self._send_from(admin, act)

    def _send_from(self, sender: str, act: _Act) -> None:
        transaction: JsonValue = {
            "from": sender,
            "to": act.to,
            "data": hexed(act.data),
            "value": hex(act.wei),
        }
        try:
            (answer,) = self._node.ask(Ask("eth_sendTransaction", (transaction,)))
        except NodeRefused as error:
            raise Refused(f"The node does not send it: {error.said!r}") from None
        self._wait(parsed(WORD, answer))

    def _held(self) -> list[str]:
        """The addresses whose keys the node has; a public node may not even know the question."""
        try:
            (answer,) = self._node.ask(Ask("eth_accounts"))
        except NodeRefused:
            return []
        return parsed(ADDRESSES, answer)

    def _wait(self, transaction_hash: str) -> None:
        for _ in range(POLLS):
            (answer,) = self._node.ask(Ask("eth_getTransactionReceipt", (transaction_hash,)))
            if receipt := parsed(MINED, answer):
                if receipt.status != "0x1":
                    raise Refused(f"It was mined without effect, in transaction {transaction_hash}.")
                return
            self._clock.pause(POLL_SECONDS)
        raise ChainUnavailable(f"Transaction {transaction_hash} is not mined after a minute.")

    def _word(self, data: bytes) -> int:
        """What a function of the registry returns that returns one word."""
        answer = self._node.call(self._registry, data)
        if len(answer) != WORD_BYTES:
            raise ChainUnavailable("The registry answers in another form than it should.")
        return int.from_bytes(answer, "big")


def _of_role(function: str, address: str) -> bytes:
    return encoded(function, int.from_bytes(CONFIRMER_ROLE, "big"), int(address, 16))
