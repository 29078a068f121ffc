"""Confirmed jobs a second: the sender beside plain web3, and beside what the node itself can take.

    python -m benchmarks.bench_confirmations

Each way confirms new jobs on a new Hardhat node, and ends when all are FINAL_DEPTH deep.
Under automatic mining each transaction is a block of its own; every second, a block's 60 million gas are the
node's limit. The sender is timed over tables in memory, and over DynamoDB on the emulator in another process.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import perf_counter

from coincurve import PrivateKey as SigningKey
from eth_account import Account
from eth_keys.datatypes import PrivateKey
from web3 import HTTPProvider, Web3

from chalicelib.adapters.dynamodb_chain import DynamoDbChainTransactions
from chalicelib.adapters.dynamodb_jobs import DynamoDbJobs
from chalicelib.adapters.evm import EvmChain
from chalicelib.adapters.memory_signers import MemorySigners
from chalicelib.adapters.system import RandomIds
from chalicelib.domain.chain_call import ConfirmBatch
from chalicelib.domain.chain_transaction import FINAL_DEPTH, JOBS_A_TRANSACTION
from chalicelib.domain.confirmation import Entry, SignedTransaction, commitment, job_key
from chalicelib.domain.fees import offered
from chalicelib.domain.job import JobRef, Status
from chalicelib.use_cases.chain_work import chunks
from emulation.chain import Mining, Node, deploy_registry, start_node
from tests.conformance.real_ports import tables
from tests.stack_process import start_stack
from tests.unit.world import World

CONTRACTS = Path(__file__).parent.parent / "contracts"
CONFIRM_ABI = [
    {
        "type": "function",
        "name": "confirm",
        "stateMutability": "nonpayable",
        "inputs": [{"name": "jobKey", "type": "bytes32"}, {"name": "resultHash", "type": "bytes32"}],
        "outputs": [],
    }
]
# Each way gets as many as it takes some seconds for.
PLAIN_JOBS, EMULATOR_JOBS, SENDER_JOBS = 200, 4 * JOBS_A_TRANSACTION, 100 * JOBS_A_TRANSACTION
# A look at the chain costs the node time too; a block lasts a second.
LOOK_EVERY_SECONDS = 0.05

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Bench:
    """A registry and its signer on a running node."""

    runner: asyncio.Runner
    node: Node
    registry: str
    key: PrivateKey
    chain: EvmChain
    genesis_hash: str

    @property
    def signer(self) -> str:
        return self.key.public_key.to_checksum_address()

    def mine_to_depth(self, mining: Mining) -> None:
        """Under automatic mining nobody else makes the blocks that lie on top."""
        if mining is Mining.AUTOMATIC:
            for _ in range(FINAL_DEPTH - 1):
                self.runner.run(self.node.call("evm_mine"))

    def is_final(self, transaction_hash: str) -> bool:
        (seen,) = self.chain.sightings([transaction_hash])
        head = self.chain.survey(self.signer, final_depth=FINAL_DEPTH).head
        return seen.receipt is not None and head - seen.receipt.block_number + 1 >= FINAL_DEPTH


def main() -> None:
    print(f"{'confirmed jobs a second':<44}{'automatic':>12}{'every second':>14}")
    rows: dict[str, list[float]] = {}
    for mining in (Mining.AUTOMATIC, Mining.EVERY_SECOND):
        for name, way, jobs in WAYS:
            with _bench(mining) as bench:
                rows.setdefault(name, []).append(jobs / way(bench, mining, jobs))
    for name, rates in rows.items():
        print(f"{name:<44}" + "".join(f"{rate:>12,.0f}  " for rate in rates))


def _plain(bench: Bench, mining: Mining, jobs: int) -> float:
    """One transaction a job, each signed and sent as a script with web3 would, the nonce counted locally."""
    eth = Web3(HTTPProvider(bench.node.rpc_url)).eth
    contract = eth.contract(Web3.to_checksum_address(bench.registry), abi=CONFIRM_ABI)
    sent = b""
    start = perf_counter()
    for nonce, entry in enumerate(_entries(bench, jobs)):
        call = contract.functions.confirm(entry.job_key, entry.result_hash)
        transaction = call.build_transaction({"from": bench.signer, "nonce": nonce})
        sent = eth.send_raw_transaction(Account.sign_transaction(transaction, bench.key).raw_transaction)
    bench.mine_to_depth(mining)
    _until(lambda: bench.is_final("0x" + sent.hex()))
    return perf_counter() - start


def _node_alone(bench: Bench, mining: Mining, jobs: int) -> float:
    """The same batches as the sender's, signed beforehand and only handed over."""
    survey = bench.chain.survey(bench.signer, final_depth=FINAL_DEPTH)
    fees = offered(base_fee_wei=10 * survey.base_fee_wei, tip_wei=survey.tip_wei)
    assert fees is not None, "a new node is cheap"
    signed: list[SignedTransaction] = []
    for nonce, batch in enumerate(chunks(_entries(bench, jobs), JOBS_A_TRANSACTION)):
        call = ConfirmBatch(tuple(batch))
        gas = bench.chain.estimate_gas(call, signer=bench.signer)
        signed.append(
            bench.chain.sign(
                call, signer=bench.signer, nonce=nonce, gas=gas, fees=fees, sign=_signature(bench.key)
            )
        )
    start = perf_counter()
    for each in signed:
        bench.chain.broadcast(each.raw)
    bench.mine_to_depth(mining)
    _until(lambda: bench.is_final(signed[-1].hash))
    return perf_counter() - start


def _sender(bench: Bench, mining: Mining, jobs: int) -> float:
    """The sender over tables in memory."""
    return _confirm(World(**_ports(bench)), bench, mining, jobs)


def _through_emulator(bench: Bench, mining: Mining, jobs: int) -> float:
    """The sender over DynamoDB, as a stack's edge serves it."""
    with TemporaryDirectory() as folder, start_stack(Path(folder) / "state") as started:
        store = tables(started.ready()["edge_url"])
        ports = {"jobs": DynamoDbJobs(store), "transactions": DynamoDbChainTransactions(store)}
        return _confirm(World(**_ports(bench), **ports, ids=RandomIds()), bench, mining, jobs)


def _confirm(world: World, bench: Bench, mining: Mining, jobs: int) -> float:
    world.plan = replace(world.plan, active_jobs=jobs, jobs_per_month=jobs)
    refs = [world.confirming(f"k{number}") for number in range(jobs)]
    final = 0
    waiting: list[JobRef] = refs
    start = perf_counter()
    while final < jobs:
        sent = len(world.queue.confirm)
        report = world.confirm_jobs(waiting)
        final += len(report.final)
        waiting = [ref for message in world.queue.confirm[sent:] for ref in message]
        if not waiting and report.open_transactions:
            bench.mine_to_depth(mining)
            _pause()
    taken = perf_counter() - start
    assert all(world.job(ref).status is Status.SUCCEEDED for ref in (refs[0], refs[-1]))
    return taken


def _ports(bench: Bench) -> dict[str, object]:
    return {
        "chain": bench.chain,
        "signers": MemorySigners({bench.signer: bench.key.to_bytes()}),
        "registry": bench.registry,
        "genesis_hash": bench.genesis_hash,
    }


WAYS: tuple[tuple[str, Callable[[Bench, Mining, int], float], int], ...] = (
    ("plain web3, a transaction a job", _plain, PLAIN_JOBS),
    ("the node alone, batches signed beforehand", _node_alone, SENDER_JOBS),
    ("the sender, tables in memory", _sender, SENDER_JOBS),
    ("the sender, tables on the emulator", _through_emulator, EMULATOR_JOBS),
)


@contextmanager
def _bench(mining: Mining) -> Iterator[Bench]:
    key = PrivateKey((next(_numbers) + 2**128).to_bytes(32, "big"))
    signer = key.public_key.to_checksum_address()
    with asyncio.Runner() as runner, TemporaryDirectory() as folder:
        node = runner.run(start_node(CONTRACTS, Path(folder) / "node.log", mining=mining))
        try:
            registry = runner.run(deploy_registry(node, confirmer=signer))
            genesis_hash = runner.run(node.genesis_hash())
            chain = EvmChain(
                node.rpc_url, chain_id=node.chain_id, genesis_hash=genesis_hash, registry=registry
            )
            yield Bench(runner, node, registry, key, chain, genesis_hash)
        finally:
            runner.run(node.stop())


def _entries(bench: Bench, number: int) -> list[Entry]:
    ids = [f"job_{each}" for each in range(number)]
    return [
        Entry(
            job_key(bench.node.chain_id, bench.registry, "ten_1", each), commitment(bytes(32), each.encode())
        )
        for each in ids
    ]


def _signature(key: PrivateKey) -> Callable[[bytes], bytes]:
    signing = SigningKey(key.to_bytes())
    return lambda digest: signing.sign_recoverable(digest, hasher=None)


def _until(is_done: Callable[[], bool]) -> None:
    while not is_done():
        _pause()


def _pause() -> None:
    Event().wait(LOOK_EVERY_SECONDS)


if __name__ == "__main__":
    main()
