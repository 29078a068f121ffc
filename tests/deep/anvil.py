"""A second node, which shares nothing with the stack's: anvil, started and stopped as the stack's is."""

import asyncio
import os
import re
import signal
from enum import Enum
from pathlib import Path

from emulation import clock
from emulation.chain import CHAIN_ID, Node
from emulation.parents import end_session, ending_with_us
from tests.deep.analysed import CONTRACTS, FOUNDRY

START_SECONDS = 30.0
POLL_SECONDS = 0.02

GAS_LIMIT = 30_000_000
"""Of a block. A random bit more, so that no two chains share a genesis hash, as in `hardhat.config.js`."""

BALANCE_ETHER = 1_000_000
"""Of each of the node's accounts: enough for many tests on one node, at 100 for each registry's signer."""

_READY = re.compile(rb"Listening on (127\.0\.0\.1:\d+)")


class AnvilMining(Enum):
    """When the node makes blocks. The value is its option."""

    AUTOMATIC = ()  # one for each transaction, at once
    EVERY_SECOND = ("--block-time", "1")
    WHEN_TOLD = ("--no-mining",)


async def start_anvil(log: Path, *, mining: AnvilMining) -> Node:
    """A node that answers, on a free port of 127.0.0.1; it ends with `Node.stop`, or with this thread."""
    binary = next(FOUNDRY.glob("node_modules/@foundry-rs/anvil-*/bin/anvil"))
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            str(binary),
            *("--host", "127.0.0.1", "--port", "0", "--chain-id", str(CHAIN_ID), "--hardfork", "prague"),
            *("--balance", str(BALANCE_ETHER), "--gas-limit", str(GAS_LIMIT + int.from_bytes(os.urandom(2)))),
            *mining.value,
            env={**os.environ, "NO_COLOR": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=ending_with_us(signal.SIGKILL),
        )
    try:
        return Node(await _url(process, log), CHAIN_ID, CONTRACTS, process)
    except BaseException:
        await end_session(process)
        raise


async def _url(process: asyncio.subprocess.Process, log: Path) -> str:
    deadline = clock.monotonic() + START_SECONDS
    while not (found := _printed(log)):
        assert process.returncode is None, f"anvil exited with {process.returncode}; see {log}"
        assert clock.monotonic() < deadline, f"anvil was not ready in {START_SECONDS:.0f} seconds; see {log}"
        await clock.pause(POLL_SECONDS)
    return found


def _printed(log: Path) -> str:
    found = _READY.search(log.read_bytes())
    return f"http://{found[1].decode()}" if found else ""
