"""The `Chain` port in memory: blocks, a pool, nonces and a first-write-wins registry, in a test's hand."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from chalicelib.domain.confirmation import ZERO_HASH, Entry, Fees, Receipt, RecordedAt, SignedTransaction
from chalicelib.domain.errors import ChainUnavailable, ConfirmationRejected

GAS_A_TRANSACTION = 30_000
GAS_AN_ENTRY = 25_000


@dataclass(frozen=True, slots=True)
class _Transaction:
    hash: str
    sender: str
    nonce: int
    entries: tuple[Entry, ...]
    gas: int
    succeeded: bool = True


@dataclass(slots=True)
class _Block:
    transactions: list[_Transaction] = field(default_factory=list)


class MemoryChain:
    """Mines only when told to. `is_down`, `is_paused` and `reverts_next` make it fail as chains do."""

    def __init__(self, *, senders: dict[bytes, str]) -> None:
        self._senders = senders
        self._blocks = [_Block()]
        self._pool: dict[str, _Transaction] = {}
        self.is_down = False
        self.is_paused = False
        self.reverts_next = False
        self.broadcasts: list[bytes] = []

    def mine(self, blocks: int = 1) -> None:
        """Adds blocks, the first with all that can be mined from the pool."""
        for _ in range(blocks):
            block = _Block()
            self._blocks.append(block)
            for transaction in sorted(self._pool.values(), key=lambda t: t.nonce):
                if transaction.nonce == self.next_nonce(transaction.sender):
                    block.transactions.append(replace(transaction, succeeded=not self.reverts_next))
                    self.reverts_next = False
                    del self._pool[transaction.hash]

    def reorganise(self, blocks: int) -> None:
        """Drops the newest blocks with their transactions, which no pool holds afterwards."""
        del self._blocks[len(self._blocks) - blocks :]

    def drop_pool(self) -> None:
        """Forgets every pending transaction."""
        self._pool.clear()

    def genesis_hash(self) -> str:
        """See `ports.Chain.genesis_hash`."""
        self._check()
        return "0x" + "67" * 32

    def head(self) -> int:
        """See `ports.Chain.head`."""
        self._check()
        return len(self._blocks) - 1

    def estimate_batch_gas(self, entries: Sequence[Entry], sender: str) -> int:
        """See `ports.Chain.estimate_batch_gas`."""
        self._check()
        if self.is_paused:
            raise ConfirmationRejected("EnforcedPause")
        return GAS_A_TRANSACTION + GAS_AN_ENTRY * len(entries)

    def fees(self) -> Fees:
        """See `ports.Chain.fees`."""
        return Fees(max_fee_wei=2, max_priority_fee_wei=1)

    def sign_batch(
        self, entries: Sequence[Entry], *, key: bytes, nonce: int, gas: int, fees: Fees
    ) -> SignedTransaction:
        """See `ports.Chain.sign_batch`."""
        pairs = [[entry.job_key, entry.result_hash] for entry in entries]
        raw = json.dumps([self._senders[key], nonce, gas, fees.max_fee_wei, pairs]).encode()
        return SignedTransaction(raw=raw, hash=f"0x{hashlib.sha256(raw).hexdigest()}")

    def broadcast(self, raw: bytes) -> None:
        """See `ports.Chain.broadcast`."""
        self._check()
        self.broadcasts.append(raw)
        sender, nonce, gas, _, pairs = json.loads(raw)
        name = f"0x{hashlib.sha256(raw).hexdigest()}"
        if nonce >= self.next_nonce(sender) and name not in self._pool:
            entries = tuple(Entry(job_key, result_hash) for job_key, result_hash in pairs)
            self._pool[name] = _Transaction(name, sender, nonce, entries, gas)

    def receipt(self, transaction_hash: str) -> Receipt | None:
        """See `ports.Chain.receipt`."""
        self._check()
        for number, block in enumerate(self._blocks):
            for transaction in block.transactions:
                if transaction.hash == transaction_hash:
                    firsts = self._firsts()
                    keys = [entry.job_key for entry in transaction.entries]
                    recorded = [key for key in keys if key in firsts and firsts[key][1] is transaction]
                    return Receipt(
                        succeeded=transaction.succeeded,
                        block_number=number,
                        block_hash=f"0x{number:064x}",
                        gas_used=transaction.gas,
                        gas_price_wei=2,
                        recorded=tuple(recorded),
                    )
        return None

    def is_pending(self, transaction_hash: str) -> bool:
        """See `ports.Chain.is_pending`."""
        self._check()
        return transaction_hash in self._pool

    def next_nonce(self, address: str, *, block: int | None = None) -> int:
        """See `ports.Chain.next_nonce`."""
        blocks = self._blocks if block is None else self._blocks[: block + 1]
        mined = (t.nonce for block in blocks for t in block.transactions if t.sender == address)
        return max(mined, default=-1) + 1

    def recorded_hashes(self, job_keys: Sequence[str]) -> Sequence[str]:
        """See `ports.Chain.recorded_hashes`."""
        self._check()
        firsts = self._firsts()
        return [firsts[key][2].result_hash if key in firsts else ZERO_HASH for key in job_keys]

    def recorded_at(self, job_key: str) -> RecordedAt | None:
        """See `ports.Chain.recorded_at`."""
        self._check()
        found = self._firsts().get(job_key)
        return RecordedAt(found[0], found[1].hash) if found else None

    def _firsts(self) -> dict[str, tuple[int, _Transaction, Entry]]:
        """The first write of each key, which wins: its block, its transaction, its entry."""
        firsts: dict[str, tuple[int, _Transaction, Entry]] = {}
        for number, block in enumerate(self._blocks):
            for transaction in block.transactions:
                for entry in transaction.entries if transaction.succeeded else ():
                    firsts.setdefault(entry.job_key, (number, transaction, entry))
        return firsts

    def _check(self) -> None:
        if self.is_down:
            raise ChainUnavailable("The node is down.")
