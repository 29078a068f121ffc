"""A node a way of mining, shared by all tests; a registry and a signer of its own for each."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey

from chalicelib.adapters.evm import EvmChain
from chalicelib.domain.chain_call import Call, ConfirmBatch
from chalicelib.domain.confirmation import (
    Entry,
    Receipt,
    Sighting,
    SignedTransaction,
    Survey,
    commitment,
    job_key,
)
from chalicelib.domain.fees import GWEI, Fees
from chalicelib.domain.merkle import keccak256
from emulation.chain import CHAIN_ID, Mining, Node, checksummed, deploy_registry, start_node

CONTRACTS = Path(__file__).parent.parent.parent / "contracts"
ETHER = 10**18
HERE = Path(__file__).parent
MINING_MATTERS_TO = ("test_node", "test_sender_nonces", "test_sender_re")
PAUSE = "0x8456cb59"  # pause()
OFF = False
FINAL_DEPTH = 3
# Above any base fee of a chain whose blocks are nearly empty.
FEES = Fees(max_fee_wei=100 * GWEI, max_priority_fee_wei=GWEI)
HASHES_ONLY = False  # of a block's transactions

_numbers = count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """How a node mines matters to reorganisations, replacements, refusals and nonces; the rest is deep.

    It matters to both paths alike, so that both are shown under one way of mining, and one under the other.
    """
    for item in items:
        if item.path.parent != HERE or Mining.EVERY_SECOND.name.lower() not in item.name:
            continue
        if "compact" in item.name or not item.path.name.startswith(MINING_MATTERS_TO):
            item.add_marker(pytest.mark.deep)


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session", params=list(Mining), ids=lambda mining: mining.name.lower())
def node(
    request: pytest.FixtureRequest, runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Node]:
    yield from started_node(request.param, runner, tmp_path_factory)


def started_node(
    mining: Mining, runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Node]:
    """A node until it is no longer needed."""
    log = tmp_path_factory.mktemp("node") / "node.log"
    node = runner.run(start_node(CONTRACTS, log, mining=mining))
    yield node
    runner.run(node.stop())


def address_of(key: PrivateKey) -> str:
    """Who signs with it."""
    return checksummed(f"0x{keccak256(key.public_key.format(compressed=False)[1:])[-20:].hex()}")


@dataclass(frozen=True, slots=True)
class Bench:
    """The chain's adapter, its own registry and signer, and a hand on the node that both are on."""

    chain: EvmChain
    genesis_hash: str
    registry: str
    signer: str
    key: PrivateKey
    rpc_url: str
    rpc: Callable[..., Any]

    def at(self, rpc_url: str) -> EvmChain:
        """The adapter, asking there."""
        return EvmChain(rpc_url, chain_id=CHAIN_ID, genesis_hash=self.genesis_hash, registry=self.registry)

    def entries(self, number: int) -> list[Entry]:
        """New jobs of this registry."""
        ids = [f"job_{next(_numbers)}" for _ in range(number)]
        return [
            Entry(job_key(CHAIN_ID, self.registry, "ten_1", job_id), commitment(bytes(32), job_id.encode()))
            for job_id in ids
        ]

    def survey(self) -> Survey:
        """The chain as the signer finds it."""
        return self.chain.survey(self.signer, final_depth=FINAL_DEPTH)

    def sighting(self, transaction_hash: str) -> Sighting:
        """What the node knows of it."""
        (sighting,) = self.chain.sightings([transaction_hash])
        return sighting

    def receipt(self, transaction_hash: str) -> Receipt | None:
        """Where it is mined."""
        return self.sighting(transaction_hash).receipt

    def digest_signature(self, digest: bytes) -> bytes:
        """By the signer's key."""
        return self.key.sign_recoverable(digest, hasher=None)

    def sign(self, entries: Sequence[Entry], *, nonce: int = 0) -> SignedTransaction:
        """A batch with exactly the gas that it needs now."""
        return self.sign_call(ConfirmBatch(tuple(entries)), nonce=nonce)

    def sign_call(self, call: Call, *, nonce: int = 0) -> SignedTransaction:
        """A call with exactly the gas that it needs now."""
        gas = self.chain.estimate_gas(call, signer=self.signer)
        return self.chain.sign(
            call, signer=self.signer, nonce=nonce, gas=gas, fees=FEES, sign=self.digest_signature
        )

    def mine(self, signed: SignedTransaction) -> None:
        """Broadcasts, and mines at once whatever the pool holds."""
        self.chain.broadcast(signed.raw)
        self.rpc("evm_mine")

    def pause(self) -> None:
        """Pauses the registry."""
        pauser = self.rpc("eth_accounts")[1]
        self.rpc("eth_sendTransaction", {"from": pauser, "to": self.registry, "data": PAUSE})
        self.rpc("evm_mine")


@pytest.fixture
def bench(node: Node, runner: asyncio.Runner) -> Bench:
    def rpc(method: str, *params: object) -> Any:
        return runner.run(node.call(method, *params))

    key = PrivateKey((next(_numbers) + 2**128).to_bytes(32, "big"))
    signer = address_of(key)
    # Who deploys pays 100 ether to each confirmer, and has 10,000 to begin with.
    rpc("hardhat_setBalance", rpc("eth_accounts")[0], hex(1_000 * ETHER))
    registry = runner.run(deploy_registry(node, confirmer=signer))
    genesis_hash = rpc("eth_getBlockByNumber", "0x0", HASHES_ONLY)["hash"]
    return Bench(
        chain=EvmChain(node.rpc_url, chain_id=node.chain_id, genesis_hash=genesis_hash, registry=registry),
        genesis_hash=genesis_hash,
        registry=registry,
        signer=signer,
        key=key,
        rpc_url=node.rpc_url,
        rpc=rpc,
    )


@pytest.fixture
def held(bench: Bench) -> Iterator[Bench]:
    """A bench whose node mines only when told to."""
    is_automatic = bench.rpc("hardhat_getAutomine")
    bench.rpc("evm_setAutomine", OFF)
    bench.rpc("evm_setIntervalMining", 0)
    yield bench
    bench.rpc("evm_setAutomine", is_automatic)
    bench.rpc("evm_setIntervalMining", 0 if is_automatic else 1_000)
