"""The `RegistryAdmin` port in memory."""

from collections import Counter

from chalicelib.adapters.memory_chain import MemoryChain
from chalicelib.domain.chain_call import Inclusion
from chalicelib.domain.confirmation import Entry
from chalicelib.domain.errors import Refused

ADMIN = "0x" + "ad" * 20


class MemoryRegistryAdmin:
    """The `RegistryAdmin` port, of a registry on `chain`; `holds_key` says whether it may act."""

    def __init__(self, chain: MemoryChain | None = None) -> None:
        self._chain = chain or MemoryChain()
        self._confirmers: set[str] = set()
        self._balances = Counter[str]()
        self.holds_key = True

    def address(self) -> str:
        """See `ports.RegistryAdmin.address`."""
        return ADMIN

    def grant(self, address: str) -> None:
        """See `ports.RegistryAdmin.grant`."""
        if not self.is_confirmer(address):
            self._act(f"appoint {address}")
            self._confirmers.add(address)
            self._chain.dismissed.discard(address)

    def revoke(self, address: str) -> None:
        """See `ports.RegistryAdmin.revoke`."""
        if self.is_confirmer(address):
            self._act(f"dismiss {address}")
            self._confirmers.remove(address)
            self._chain.dismissed.add(address)

    def is_confirmer(self, address: str, *, depth: int = 1) -> bool:
        """See `ports.RegistryAdmin.is_confirmer`."""
        return address in self._confirmers

    def fund(self, address: str, wei: int) -> None:
        """See `ports.RegistryAdmin.fund`."""
        self._act(f"send {wei} wei to {address}")
        self._balances[address] += wei

    def balance(self, address: str) -> int:
        """See `ports.RegistryAdmin.balance`."""
        return self._balances[address]

    def materialize(self, entry: Entry, inclusion: Inclusion) -> None:
        """See `ports.RegistryAdmin.materialize`."""
        self._act(f"record {entry.job_key} by its place in {inclusion.word}")
        self._chain.take_nonce(ADMIN, entry)

    def _act(self, act: str) -> None:
        if not self.holds_key:
            raise Refused(f"The admin's key is elsewhere; have it {act}.")
