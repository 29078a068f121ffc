"""The `Chain` port on any EVM node that speaks JSON-RPC.

Checked: that the chain is ours, by its id and first block, at each request; that an answer has its form and
is about the hash or number that was asked for; that a receipt's block is the canonical one of its number, and
an event our registry's. Believed, for want of a light client: that this chain is the world's, and what its
receipts, events, nonces and storage hold. A node that lies there can keep us waiting, or have us show what is
not so; whoever asks another node finds out, as each tenant can.
"""

import logging
from collections.abc import Callable, Iterator, Sequence

from pydantic import JsonValue

from chalicelib.adapters.eip1559 import Transaction, signed
from chalicelib.adapters.evm_answers import (
    HEAD,
    KNOWN,
    LOGS,
    MAYBE_BLOCK,
    MINED,
    QUANTITY,
    WEI,
    WORD,
    Log,
    Mined,
    agree,
    parsed,
)
from chalicelib.adapters.evm_node import HASHES_ONLY, LATEST, EvmNode, block, hexed
from chalicelib.adapters.evm_reverts import why_not
from chalicelib.adapters.json_rpc import Ask, NodeRefused
from chalicelib.adapters.registry_calls import (
    JOB_CONFIRMED,
    calldata,
    encoded,
    recorded_calldata,
    words_of_array,
)
from chalicelib.domain.chain_call import Call, ConfirmBatch, ConfirmCompact, Fill, Transfer
from chalicelib.domain.confirmation import Receipt, RecordedAt, Sighting, SignedTransaction, Survey
from chalicelib.domain.errors import ChainUnavailable, NodeLags, TooMuchGas
from chalicelib.domain.fees import Fees
from chalicelib.domain.merkle import keccak256

# The most gas a transaction may have (EIP-7825), if a block has so much; a node's estimate may exceed both.
TRANSACTION_GAS_CAP = 2**24
# What the large providers allow in one query for events.
LOG_RANGE_BLOCKS = 10_000
# As many queries take 5 s of a local node; their million blocks are 12 days of the fastest chains.
LOG_RANGES = 100
# Receipts in one answer, which has a limit: one of 98 jobs has 60 kB.
SIGHTINGS_A_REQUEST = 16

_log = logging.getLogger(__name__)


class EvmChain:
    """The `Chain` port, on the registry at `registry`. Making one asks the node nothing."""

    def __init__(self, rpc_url: str, *, chain_id: int, genesis_hash: str, registry: str) -> None:
        self._node = EvmNode(rpc_url, chain_id=chain_id, genesis_hash=genesis_hash)
        self._registry = registry

    def survey(self, signer: str, *, final_depth: int) -> Survey:
        """See `ports.Chain.survey`."""
        latest, tip, next_nonce, balance = self._node.ask(
            Ask("eth_getBlockByNumber", (LATEST, HASHES_ONLY)),
            Ask("eth_maxPriorityFeePerGas"),
            Ask("eth_getTransactionCount", (signer, LATEST)),
            Ask("eth_getBalance", (signer, LATEST)),
        )
        head = parsed(HEAD, latest)
        final_block = max(0, head.number - final_depth + 1)
        (final_nonce,) = self._node.ask(Ask("eth_getTransactionCount", (signer, hex(final_block))))
        found = Survey(
            head=head.number,
            next_nonce=parsed(QUANTITY, next_nonce),
            final_nonce=parsed(QUANTITY, final_nonce),
            balance_wei=parsed(WEI, balance),
            base_fee_wei=head.base_fee_per_gas,
            tip_wei=parsed(QUANTITY, tip),
        )
        if found.final_nonce > found.next_nonce:
            raise ChainUnavailable("The node contradicts itself: a final nonce is not yet mined.")
        return found

    def estimate_gas(self, call: Call, *, signer: str) -> int:
        """See `ports.Chain.estimate_gas`. On the latest block, without what is pending."""
        to, wei = self._target(call, signer)
        transaction: JsonValue = {
            "from": signer,
            "to": to,
            "value": hex(wei),
            "data": hexed(calldata(call)),
        }
        try:
            answer, latest = self._node.ask(
                Ask("eth_estimateGas", (transaction, LATEST)),
                Ask("eth_getBlockByNumber", (LATEST, HASHES_ONLY)),
            )
        except NodeRefused as error:
            raise why_not(error) from None
        gas, most = parsed(QUANTITY, answer), min(TRANSACTION_GAS_CAP, parsed(HEAD, latest).gas_limit)
        if gas > most:
            raise TooMuchGas(f"The call needs {gas} gas, and a transaction has {most} at most.")
        return gas

    def sign(
        self, call: Call, *, signer: str, nonce: int, gas: int, fees: Fees, sign: Callable[[bytes], bytes]
    ) -> SignedTransaction:
        """See `ports.Chain.sign`."""
        to, wei = self._target(call, signer)
        transaction = Transaction(
            chain_id=self._node.chain_id,
            nonce=nonce,
            fees=fees,
            gas=gas,
            to=to,
            data=calldata(call),
            wei=wei,
        )
        return signed(transaction, sign)

    def _target(self, call: Call, signer: str) -> tuple[str, int]:
        """Whom the call goes to, and with how much."""
        match call:
            case Fill():
                return signer, 0
            case Transfer():
                return call.to, call.wei
            case ConfirmBatch() | ConfirmCompact():
                return self._registry, 0

    def broadcast(self, raw: bytes) -> None:
        """See `ports.Chain.broadcast`: a node may refuse what it has, and report as failed what it mined."""
        self._node.ask()  # nothing: only to know the chain before anything is sent
        try:
            (answer,) = self._node.ask(Ask("eth_sendRawTransaction", (hexed(raw),)))
        except NodeRefused as error:
            _log.info("the node says of a broadcast: %r", error.said)
            return
        if parsed(WORD, answer) != hexed(keccak256(raw)):
            raise ChainUnavailable("The node has taken another transaction than it was sent.")

    def sightings(self, hashes: Sequence[str], *, head: int = 0) -> Sequence[Sighting]:
        """See `ports.Chain.sightings`."""
        starts = range(0, len(hashes), SIGHTINGS_A_REQUEST)
        pages = (hashes[start : start + SIGHTINGS_A_REQUEST] for start in starts)
        return [sighting for page in pages for sighting in self._sightings(page, head)]

    def recorded_hashes(self, job_keys: Sequence[str]) -> Sequence[str]:
        """See `ports.Chain.recorded_hashes`."""
        answer = self._node.call(self._registry, recorded_calldata(job_keys))
        return _formed(words_of_array(answer, len(job_keys)))

    def recorded_at(self, job_key: str) -> RecordedAt | None:
        """See `ports.Chain.recorded_at`; the newest blocks first, for most is asked of late."""
        (answer,) = self._node.ask(Ask("eth_blockNumber"))
        for last in range(parsed(QUANTITY, answer), -1, -LOG_RANGE_BLOCKS)[:LOG_RANGES]:
            first = max(0, last - LOG_RANGE_BLOCKS + 1)
            if found := self._recorded_between(first, last, job_key):
                return found
        return None

    def compact_hash(self, word: int) -> str:
        """See `ports.Chain.compact_hash`."""
        return parsed(WORD, hexed(self._node.call(self._registry, encoded("compactHashOf", word))))

    def _sightings(self, hashes: Sequence[str], head: int) -> Iterator[Sighting]:
        """Of each, its receipt; then the receipt's block by its number, or else whether the pool has it."""
        asked = self._ask_from(head, *(Ask("eth_getTransactionReceipt", (each,)) for each in hashes))
        receipts = [parsed(MINED, answer) for answer in asked]
        then = [
            block(receipt.block_number) if receipt else Ask("eth_getTransactionByHash", (each,))
            for each, receipt in zip(hashes, receipts, strict=True)
        ]
        for each, receipt, answer in zip(hashes, receipts, self._ask_from(head, *then), strict=True):
            yield self._mined(each, receipt, answer) if receipt else _pending(each, answer)

    def _ask_from(self, head: int, *asks: Ask) -> list[JsonValue]:
        """What a node says that has come as far as this block; behind one address there may be many nodes."""
        latest, *answers = self._node.ask(Ask("eth_blockNumber"), *asks)
        if parsed(QUANTITY, latest) < head:
            raise NodeLags("The node lags behind itself.")
        return answers

    def _mined(self, transaction_hash: str, receipt: Mined, answer: JsonValue) -> Sighting:
        canonical = parsed(MAYBE_BLOCK, answer)
        agree(receipt.transaction_hash, transaction_hash)
        if canonical is None or canonical.hash != receipt.block_hash:
            return Sighting()
        agree(canonical.number, receipt.block_number)
        return Sighting(
            Receipt(
                succeeded=receipt.status == "0x1",
                transaction_hash=transaction_hash,
                block_number=receipt.block_number,
                block_hash=receipt.block_hash,
                gas_used=receipt.gas_used,
                gas_price_wei=receipt.effective_gas_price,
                recorded=tuple(log.topics[1] for log in receipt.logs if self._is_ours(log)),
            )
        )

    def _recorded_between(self, first: int, last: int, job_key: str) -> RecordedAt | None:
        """The key is a topic, so there is one event at most."""
        wanted: JsonValue = {
            "address": self._registry,
            "topics": [JOB_CONFIRMED, job_key],
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        (answer,) = self._node.ask(Ask("eth_getLogs", (wanted,)))
        for log in parsed(LOGS, answer):
            if self._is_ours(log) and log.topics[1] == job_key:
                return RecordedAt(log.block_number, log.transaction_hash)
        return None

    def _is_ours(self, log: Log) -> bool:
        is_confirmation = len(log.topics) == 2 and log.topics[0] == JOB_CONFIRMED
        return is_confirmation and log.address == self._registry.lower()


def _pending(transaction_hash: str, answer: JsonValue) -> Sighting:
    known = parsed(KNOWN, answer)
    if known is None:
        return Sighting()
    agree(known.hash, transaction_hash)
    return Sighting(is_pending=known.block_hash is None)


def _formed(found: list[str] | None) -> list[str]:
    if found is None:
        raise ChainUnavailable("The registry answers in another form than it should.")
    return found
