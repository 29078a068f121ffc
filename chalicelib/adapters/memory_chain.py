"""The `Chain` port in memory: blocks, a pool, nonces, fees and a registry, all in a test's hand."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from chalicelib.adapters.memory_calls import read, written
from chalicelib.domain.chain_call import (
    Call,
    ConfirmBatch,
    ConfirmCompact,
    Transfer,
    compact_hash,
    word_of,
)
from chalicelib.domain.confirmation import (
    ZERO_HASH,
    Entry,
    Receipt,
    RecordedAt,
    Sighting,
    SignedTransaction,
    Survey,
)
from chalicelib.domain.errors import ChainUnavailable, ConfirmationRejected, NodeLags, TooMuchGas
from chalicelib.domain.fees import GWEI, Fees

GENESIS_HASH = "0x" + "67" * 32
GAS_A_TRANSACTION = 30_000
GAS_AN_ENTRY = 25_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Transaction:
    hash: str
    signer: str
    nonce: int
    call: Call
    gas: int
    fees: Fees
    succeeded: bool = True

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.call.entries if isinstance(self.call, ConfirmBatch) else ()


@dataclass(slots=True)
class _Block:
    transactions: list[_Transaction] = field(default_factory=list)


class MemoryChain:
    """Mines only when told to; its public attributes make it fail, refuse and charge as chains do."""

    def __init__(self, genesis_hash: str = GENESIS_HASH) -> None:
        self._blocks = [_Block()]
        self._pool: dict[str, _Transaction] = {}
        self._configured = self.genesis_hash = genesis_hash
        self.base_fee_wei = GWEI
        self.tip_wei = GWEI
        self.balance_wei = 100 * 10**18
        self.most_gas = 2**24
        self.is_down = False
        self.refuses_with: str | None = None
        self.reverts_next = False
        self.dismissed: set[str] = set()
        self.penniless: set[str] = set()
        self.broadcasts: list[bytes] = []

    def mine(self, blocks: int = 1) -> None:
        """Adds blocks, the first with all of the pool that pays for it and has its turn."""
        for _ in range(blocks):
            block = _Block()
            self._blocks.append(block)
            for transaction in sorted(self._pool.values(), key=lambda each: each.nonce):
                is_next = transaction.nonce == self.next_nonce(transaction.signer)
                pays = transaction.signer not in self.penniless
                if is_next and pays and transaction.fees.max_fee_wei >= self.base_fee_wei:
                    is_refused = self.reverts_next or transaction.signer in self.dismissed
                    block.transactions.append(replace(transaction, succeeded=not is_refused))
                    self.reverts_next = False
                    del self._pool[transaction.hash]

    def reorganise(self, blocks: int) -> None:
        """Drops the newest blocks with their transactions, which no pool holds afterwards."""
        del self._blocks[len(self._blocks) - blocks :]

    def drop_pool(self) -> None:
        """Forgets every pending transaction."""
        self._pool.clear()

    def take_nonce(self, signer: str, *entries: Entry) -> None:
        """Someone else's transaction with the signer's next nonce is mined."""
        nonce = self.next_nonce(signer)
        name = f"0x{hashlib.sha256(f'{signer}{nonce}'.encode()).hexdigest()}"
        call = ConfirmBatch(entries)
        fees = Fees(max_fee_wei=1, max_priority_fee_wei=1)
        taken = _Transaction(hash=name, signer=signer, nonce=nonce, call=call, gas=1, fees=fees)
        self._blocks.append(_Block([taken]))

    def survey(self, signer: str, *, final_depth: int) -> Survey:
        """See `ports.Chain.survey`."""
        self._check()
        head = len(self._blocks) - 1
        return Survey(
            head=head,
            next_nonce=self.next_nonce(signer),
            final_nonce=self.next_nonce(signer, block=max(0, head - final_depth + 1)),
            balance_wei=self.balance_wei - self._sent_away(signer),
            base_fee_wei=self.base_fee_wei,
            tip_wei=self.tip_wei,
        )

    def _sent_away(self, signer: str) -> int:
        mined = (each for block in self._blocks for each in block.transactions if each.signer == signer)
        return sum(each.call.wei for each in mined if isinstance(each.call, Transfer))

    def estimate_gas(self, call: Call, *, signer: str) -> int:
        """See `ports.Chain.estimate_gas`."""
        self._check()
        if self.refuses_with:
            raise ConfirmationRejected(self.refuses_with)
        if signer in self.dismissed:
            raise ConfirmationRejected("AccessControlUnauthorizedAccount")
        gas = GAS_A_TRANSACTION
        if isinstance(call, ConfirmBatch):
            gas += GAS_AN_ENTRY * len(call.entries)
        if gas > self.most_gas:
            raise TooMuchGas(f"{gas} of {self.most_gas}")
        return gas

    def sign(
        self, call: Call, *, signer: str, nonce: int, gas: int, fees: Fees, sign: Callable[[bytes], bytes]
    ) -> SignedTransaction:
        """See `ports.Chain.sign`."""
        unsigned = json.dumps(
            [signer, nonce, gas, fees.max_fee_wei, fees.max_priority_fee_wei, written(call)]
        )
        digest = hashlib.sha256(unsigned.encode()).digest()
        raw = json.dumps([unsigned, sign(digest).hex()]).encode()
        return SignedTransaction(raw=raw, hash=f"0x{hashlib.sha256(raw).hexdigest()}")

    def broadcast(self, raw: bytes) -> None:
        """See `ports.Chain.broadcast`."""
        self._check()
        self.broadcasts.append(raw)
        signer, nonce, gas, max_fee_wei, max_priority_fee_wei, call = json.loads(json.loads(raw)[0])
        offered = _Transaction(
            hash=f"0x{hashlib.sha256(raw).hexdigest()}",
            signer=signer,
            nonce=nonce,
            call=read(call),
            gas=gas,
            fees=Fees(max_fee_wei=max_fee_wei, max_priority_fee_wei=max_priority_fee_wei),
        )
        rivals = [each for each in self._pool.values() if (each.signer, each.nonce) == (signer, nonce)]
        if nonce >= self.next_nonce(signer) and all(_outbids(offered, rival) for rival in rivals):
            for rival in rivals:
                del self._pool[rival.hash]
            self._pool[offered.hash] = offered

    def sightings(self, hashes: Sequence[str], *, head: int = 0) -> Sequence[Sighting]:
        """See `ports.Chain.sightings`."""
        self._check()
        if len(self._blocks) - 1 < head:
            raise NodeLags("The node lags behind itself.")
        return [Sighting(self._receipt(each), each in self._pool) for each in hashes]

    def _receipt(self, transaction_hash: str) -> Receipt | None:
        for number, block in enumerate(self._blocks):
            for transaction in block.transactions:
                if transaction.hash == transaction_hash:
                    firsts = self._firsts()
                    keys = [entry.job_key for entry in transaction.entries]
                    recorded = [key for key in keys if key in firsts and firsts[key][1] is transaction]
                    return Receipt(
                        transaction_hash=transaction_hash,
                        succeeded=transaction.succeeded,
                        block_number=number,
                        block_hash=f"0x{number:064x}",
                        gas_used=transaction.gas,
                        gas_price_wei=self.base_fee_wei + self.tip_wei,
                        recorded=tuple(recorded),
                    )
        return None

    def next_nonce(self, signer: str, *, block: int | None = None) -> int:
        """The first nonce that no mined transaction of the signer has, up to this block or the latest."""
        blocks = self._blocks if block is None else self._blocks[: block + 1]
        mined = (each.nonce for block in blocks for each in block.transactions if each.signer == signer)
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

    def compact_hash(self, word: int) -> str:
        """See `ports.Chain.compact_hash`."""
        self._check()
        calls = [
            (each.signer, each.call)
            for block in self._blocks
            for each in block.transactions
            if each.succeeded
        ]
        found = (
            compact_hash(call.mask, call.root)
            for signer, call in calls
            if isinstance(call, ConfirmCompact) and word_of(signer, call.number) == word
        )
        return next(found, ZERO_HASH)

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
        if self.genesis_hash != self._configured:
            raise ChainUnavailable("The node runs another chain.")


def _outbids(offered: _Transaction, rival: _Transaction) -> bool:
    """As nodes do: the same again is known, and a replacement offers a tenth more of both fees."""
    more, less = offered.fees, rival.fees
    return (
        10 * more.max_fee_wei >= 11 * less.max_fee_wei
        and 10 * more.max_priority_fee_wei >= 11 * less.max_priority_fee_wei
    )
