"""The `Chain` port on any EVM node that speaks JSON-RPC. Import it only where it is used: web3 takes 0.6 s.

Invariant: nothing of web3 passes this module's edge, neither a type nor an error. A node that does not
answer, answers nonsense or runs another chain is `ChainUnavailable`.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_typing import BlockNumber
from hexbytes import HexBytes
from requests import RequestException
from web3 import HTTPProvider, Web3
from web3.eth import Eth
from web3.exceptions import (
    BlockNotFound,
    ContractLogicError,
    TransactionNotFound,
    Web3Exception,
    Web3RPCError,
)
from web3.types import BlockIdentifier, TxReceipt

from chalicelib.domain import tracing
from chalicelib.domain.confirmation import Entry, Fees, Receipt, RecordedAt, SignedTransaction
from chalicelib.domain.errors import ChainUnavailable, ConfirmationRejected

ABI: list[dict[str, Any]] = json.loads(Path(__file__).with_name("registry_abi.json").read_text())
JOB_CONFIRMED = Web3.keccak(text="JobConfirmed(bytes32,bytes32)")
# The slowest call, a batch's estimate, takes 0.1 s; a node that is silent for this long hangs.
TIMEOUT_SECONDS = 5
# The most gas a transaction may ask for (EIP-7825). A node's estimate may exceed it; no block would take it.
TRANSACTION_GAS_CAP = 2**24
# A full block raises the base fee by an eighth, so twice the present one lasts for five full blocks.
BASE_FEE_MARGIN = 2

_log = logging.getLogger(__name__)


class _TracedProvider(HTTPProvider):
    """Tells the node whose call it is: of a batch, the first job's, for a header names one trace."""

    def get_request_headers(self) -> dict[str, str]:
        """The headers of one call, which web3 asks for at each."""
        headers: dict[str, str] = HTTPProvider.get_request_headers()
        if trace_ids := tracing.followed():
            headers["traceparent"] = tracing.traceparent(trace_ids[0], step="chain")
        return headers


class EvmChain:
    """The `Chain` port, on the registry at `registry`. Making one asks the node nothing."""

    def __init__(self, rpc_url: str, *, chain_id: int, registry: str) -> None:
        # Without web3's own retries: whoever waits has a time limit, and the sender comes back by itself.
        provider = _TracedProvider(
            rpc_url, request_kwargs={"timeout": TIMEOUT_SECONDS}, exception_retry_configuration=None
        )
        self._eth = Web3(provider).eth
        self._registry = self._eth.contract(Web3.to_checksum_address(registry), abi=ABI)
        self._chain_id = chain_id
        self._chain_is_ours = False

    def genesis_hash(self) -> str:
        """See `ports.Chain.genesis_hash`."""
        with self._asking() as eth:
            return eth.get_block(0)["hash"].to_0x_hex()

    def head(self) -> int:
        """See `ports.Chain.head`."""
        with self._asking() as eth:
            return eth.block_number

    def estimate_batch_gas(self, entries: Sequence[Entry], sender: str) -> int:
        """See `ports.Chain.estimate_batch_gas`. On the latest block, without what is pending."""
        call = self._registry.functions.confirmBatch(*_columns(entries))
        with self._asking():
            try:
                gas = call.estimate_gas({"from": Web3.to_checksum_address(sender)}, "latest")
            except ContractLogicError as error:
                raise ConfirmationRejected(_reason(error)) from error
        if gas > TRANSACTION_GAS_CAP:
            raise ConfirmationRejected(f"{len(entries)} entries need {gas} gas of {TRANSACTION_GAS_CAP}")
        return gas

    def fees(self) -> Fees:
        """See `ports.Chain.fees`."""
        with self._asking() as eth:
            tip = eth.max_priority_fee
            base = eth.get_block("latest")["baseFeePerGas"]
        return Fees(max_fee_wei=BASE_FEE_MARGIN * base + tip, max_priority_fee_wei=tip)

    def sign_batch(
        self, entries: Sequence[Entry], *, key: bytes, nonce: int, gas: int, fees: Fees
    ) -> SignedTransaction:
        """See `ports.Chain.sign_batch`."""
        signed = Account.sign_transaction(
            {
                "type": 2,
                "chainId": self._chain_id,
                "nonce": nonce,
                "to": self._registry.address,
                "value": 0,
                "data": self._registry.encode_abi("confirmBatch", args=_columns(entries)),
                "gas": gas,
                "maxFeePerGas": fees.max_fee_wei,
                "maxPriorityFeePerGas": fees.max_priority_fee_wei,
            },
            key,
        )
        return SignedTransaction(bytes(signed.raw_transaction), signed.hash.to_0x_hex())

    def broadcast(self, raw: bytes) -> None:
        """See `ports.Chain.broadcast`: a node may refuse what it has, and report as failed what it mined."""
        with self._asking() as eth:
            try:
                eth.send_raw_transaction(raw)
            except Web3RPCError as error:
                _log.info("the node says of a broadcast: %s", error)

    def receipt(self, transaction_hash: str) -> Receipt | None:
        """See `ports.Chain.receipt`."""
        with self._asking() as eth:
            try:
                found = eth.get_transaction_receipt(HexBytes(transaction_hash))
                canonical = eth.get_block(found["blockNumber"])
            except (TransactionNotFound, BlockNotFound):
                return None
        return self._receipt(found) if canonical["hash"] == found["blockHash"] else None

    def is_pending(self, transaction_hash: str) -> bool:
        """See `ports.Chain.is_pending`."""
        with self._asking() as eth:
            try:
                return eth.get_transaction(HexBytes(transaction_hash)).get("blockHash") is None
            except TransactionNotFound:
                return False

    def next_nonce(self, address: str, *, block: int | None = None) -> int:
        """See `ports.Chain.next_nonce`."""
        with self._asking() as eth:
            at: BlockIdentifier = "latest" if block is None else BlockNumber(block)
            return eth.get_transaction_count(Web3.to_checksum_address(address), at)

    def recorded_hashes(self, job_keys: Sequence[str]) -> list[str]:
        """See `ports.Chain.recorded_hashes`."""
        call = self._registry.functions.resultHashesOf([HexBytes(key) for key in job_keys])
        with self._asking():
            return [f"0x{recorded.hex()}" for recorded in call.call()]

    def recorded_at(self, job_key: str) -> RecordedAt | None:
        """See `ports.Chain.recorded_at`. The key is a topic, so there is one event to read at most."""
        with self._asking() as eth:
            logs = eth.get_logs(
                {
                    "address": self._registry.address,
                    "topics": [JOB_CONFIRMED, HexBytes(job_key)],
                    "fromBlock": 0,
                    "toBlock": "latest",
                }
            )
        return next(
            (RecordedAt(log["blockNumber"], log["transactionHash"].to_0x_hex()) for log in logs), None
        )

    @contextmanager
    def _asking(self) -> Iterator[Eth]:
        """The node, known to run our chain; whatever goes wrong with it is `ChainUnavailable`.

        The message names no URL, for there a provider's key may stand.
        """
        try:
            if not self._chain_is_ours:
                self._check_chain()
            yield self._eth
        except (RequestException, Web3Exception, ValueError) as error:
            raise ChainUnavailable(
                f"The node does not answer as it should: {type(error).__name__}."
            ) from error

    def _check_chain(self) -> None:
        found = self._eth.chain_id
        if found != self._chain_id:
            raise ChainUnavailable(
                f"The node runs chain {found}, and we are configured for {self._chain_id}."
            )
        self._chain_is_ours = True

    def _receipt(self, found: TxReceipt) -> Receipt:
        return Receipt(
            succeeded=found["status"] == 1,
            block_number=found["blockNumber"],
            block_hash=found["blockHash"].to_0x_hex(),
            gas_used=found["gasUsed"],
            gas_price_wei=found["effectiveGasPrice"],
            recorded=tuple(
                log["topics"][1].to_0x_hex()
                for log in found["logs"]
                if log["address"] == self._registry.address and log["topics"][0] == JOB_CONFIRMED
            ),
        )


def _columns(entries: Sequence[Entry]) -> tuple[list[HexBytes], list[HexBytes]]:
    """The two arguments of `confirmBatch`."""
    keys = [HexBytes(entry.job_key) for entry in entries]
    return keys, [HexBytes(entry.result_hash) for entry in entries]


def _reason(error: ContractLogicError) -> str:
    """The name of the registry's error that the node's answer begins with, such as `EnforcedPause`."""
    for item in ABI:
        if item["type"] == "error":
            arguments = ",".join(each["type"] for each in item["inputs"])
            selector = Web3.keccak(text=f"{item['name']}({arguments})")[:4]
            if str(error.data).startswith(f"0x{selector.hex()}"):
                return str(item["name"])
    return str(error)
