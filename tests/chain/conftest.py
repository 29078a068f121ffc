"""A node a way of mining, shared by all tests; a registry and a signer of its own for each."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from eth_keys.datatypes import PrivateKey

from chalicelib.adapters.evm import EvmChain
from chalicelib.domain.confirmation import Entry, SignedTransaction, commitment, job_key
from emulation.chain import Mining, Node, deploy_registry, start_node

CONTRACTS = Path(__file__).parent.parent.parent / "contracts"
PAUSE = "0x8456cb59"  # pause()
OFF = False
HASHES_ONLY = False  # of a block's transactions

_numbers = count(1)


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session", params=list(Mining), ids=lambda mining: mining.name.lower())
def node(
    request: pytest.FixtureRequest, runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Node]:
    log = tmp_path_factory.mktemp("node") / "node.log"
    node = runner.run(start_node(CONTRACTS, log, mining=request.param))
    yield node
    runner.run(node.stop())


@dataclass(frozen=True, slots=True)
class Bench:
    """The chain's adapter, its own registry and signer, and a hand on the node that both are on."""

    chain: EvmChain
    registry: str
    signer: str
    key: bytes
    rpc_url: str
    rpc: Callable[..., Any]

    def entries(self, number: int) -> list[Entry]:
        """New jobs of this registry."""
        ids = [f"job_{next(_numbers)}" for _ in range(number)]
        return [
            Entry(job_key(31337, self.registry, "ten_1", job_id), commitment(bytes(32), job_id.encode()))
            for job_id in ids
        ]

    def sign(self, entries: Sequence[Entry], *, nonce: int = 0) -> SignedTransaction:
        """A batch with exactly the gas that it needs now."""
        gas = self.chain.estimate_batch_gas(entries, self.signer)
        fees = self.chain.fees()
        return self.chain.sign_batch(entries, key=self.key, nonce=nonce, gas=gas, fees=fees)

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
    key = PrivateKey((next(_numbers) + 2**128).to_bytes(32, "big"))
    signer = key.public_key.to_checksum_address()
    registry = runner.run(deploy_registry(node, confirmer=signer))
    return Bench(
        chain=EvmChain(node.rpc_url, chain_id=node.chain_id, registry=registry),
        registry=registry,
        signer=signer,
        key=key.to_bytes(),
        rpc_url=node.rpc_url,
        rpc=lambda method, *params: runner.run(node.call(method, *params)),
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
