"""The `Signers` and `SignerKeyStore` ports in memory, with a roster that a registry may change."""

from collections.abc import Mapping, Sequence

from coincurve import PrivateKey

from chalicelib.adapters.system import RandomIds
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.merkle import keccak256
from chalicelib.domain.roster import Duty, Roster, Signer
from chalicelib.ports import Ids

ADDRESS_BYTES = 20


class MemorySigners:
    """Both ports; the addresses given are on duty, the last of them active."""

    def __init__(self, keys: Mapping[str, bytes] | None = None, ids: Ids | None = None) -> None:
        self._keys = dict(keys or {})
        self._ids = ids or RandomIds()
        signers = tuple(Signer(address, Duty.DRAINING) for address in self._keys)
        self.current = Roster(signers).moved(next(reversed(self._keys), ""), Duty.ACTIVE)

    def roster(self) -> Roster:
        """See `ports.Signers.roster`."""
        return self.current

    def sign(self, address: str, digest: bytes) -> bytes:
        """See `ports.Signers.sign`."""
        if address not in self._keys:
            raise Unavailable("There is no such key.")
        return PrivateKey(self._keys[address]).sign_recoverable(digest, hasher=None)

    def make(self) -> str:
        """See `ports.SignerKeyStore.make`; the address has no capitals."""
        private_key = self._ids.new_private_key()
        public_key = PrivateKey(private_key).public_key.format(compressed=False)[1:]
        address = f"0x{keccak256(public_key)[-ADDRESS_BYTES:].hex()}"
        self._keys[address] = private_key
        return address

    def kept(self) -> Sequence[str]:
        """See `ports.SignerKeyStore.kept`."""
        return list(self._keys)

    def drop(self, address: str) -> None:
        """See `ports.SignerKeyStore.drop`."""
        self._keys.pop(address, None)
