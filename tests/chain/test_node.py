"""The stack's node: it starts ready, mines as told, and never outlives the one who started it."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from emulation.chain import ChainFailed, Mining, Node, checksummed, deploy_registry, start_node
from tests.chain.conftest import CONTRACTS, HASHES_ONLY, Bench
from tests.waiting import until

CONFIRMER = "0x1111111111111111111111111111111111111111"
PATIENCE_SECONDS = 20.0

STARTS_A_NODE = """
import asyncio, sys
from pathlib import Path
from emulation.chain import start_node

async def main():
    node = await start_node(Path(sys.argv[1]), Path(sys.argv[2]))
    print(node.process.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_confirmer_is_funded_when_the_registry_is_deployed(node: Node, runner: asyncio.Runner) -> None:
    before = int(runner.run(node.call("eth_getBalance", CONFIRMER, "latest")), 16)
    registry = runner.run(deploy_registry(node, confirmer=CONFIRMER))
    after = int(runner.run(node.call("eth_getBalance", CONFIRMER, "latest")), 16)
    assert after - before == 100 * 10**18
    assert registry == checksummed(registry)
    assert runner.run(node.call("eth_getCode", registry, "latest")) != "0x"


def test_deployments_differ_when_there_are_two(bench: Bench, node: Node, runner: asyncio.Runner) -> None:
    assert runner.run(deploy_registry(node, confirmer=CONFIRMER)) != bench.registry


def test_node_says_what_is_wrong_when_it_refuses_a_call(node: Node, runner: asyncio.Runner) -> None:
    with pytest.raises(ChainFailed, match="no_such_method"):
        runner.run(node.call("no_such_method"))


def test_blocks_appear_when_seconds_pass(runner: asyncio.Runner, tmp_path: Path) -> None:
    node = runner.run(start_node(CONTRACTS, tmp_path / "node.log", mining=Mining.EVERY_SECOND))
    try:
        until(
            lambda: int(runner.run(node.call("eth_blockNumber")), 16) >= 2,
            within_seconds=PATIENCE_SECONDS,
            what="a second block",
        )
    finally:
        runner.run(node.stop())


def test_node_survives_when_it_is_told_to_mine_nothing_around_the_intervals_block(
    runner: asyncio.Runner, tmp_path: Path
) -> None:
    async def mine_around() -> None:
        account = (await node.call("eth_accounts"))[3]
        await node.call("evm_setIntervalMining", 0)
        await node.call("evm_mine")
        await node.call("eth_sendTransaction", {"from": account, "to": account})
        await node.call("evm_setIntervalMining", 100)

    node = runner.run(start_node(CONTRACTS, tmp_path / "node.log", mining=Mining.EVERY_SECOND))
    try:
        runner.run(mine_around())
        until(
            lambda: int(runner.run(node.call("eth_blockNumber")), 16) >= 2,
            within_seconds=PATIENCE_SECONDS,
            what="the interval's block",
        )
        runner.run(node.call("evm_mine"))
    finally:
        runner.run(node.stop())


def test_genesis_differs_when_two_nodes_start_in_the_same_second(
    runner: asyncio.Runner, tmp_path: Path
) -> None:
    async def genesis(name: str) -> str:
        node = await start_node(CONTRACTS, tmp_path / name)
        try:
            block = await node.call("eth_getBlockByNumber", "0x0", HASHES_ONLY)
            return str(block["hash"])
        finally:
            await node.stop()

    async def both() -> tuple[str, str]:
        return await asyncio.gather(genesis("one.log"), genesis("other.log"))

    one, other = runner.run(both())
    assert one != other


def test_node_is_gone_when_stopped_twice(runner: asyncio.Runner, tmp_path: Path) -> None:
    node = runner.run(start_node(CONTRACTS, tmp_path / "node.log"))
    runner.run(node.stop())
    runner.run(node.stop())
    assert not _lives(node.process.pid)
    with pytest.raises(ChainFailed, match="exited with -9"):
        runner.run(node.call("eth_chainId"))


def test_node_is_gone_when_its_parent_is_killed(runner: asyncio.Runner, tmp_path: Path) -> None:
    command = (sys.executable, "-c", STARTS_A_NODE, CONTRACTS, tmp_path / "node.log")
    with subprocess.Popen(command, cwd=CONTRACTS.parent, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert _lives(pid)
        parent.send_signal(signal.SIGKILL)
    until(lambda: not _lives(pid), within_seconds=PATIENCE_SECONDS, what="the node's end")


def test_start_says_what_to_run_when_nothing_is_installed(runner: asyncio.Runner, tmp_path: Path) -> None:
    with pytest.raises(ChainFailed, match=r"no node_modules: run `make setup`$"):
        runner.run(start_node(tmp_path, tmp_path / "node.log"))


def test_start_says_what_to_run_when_nothing_is_built(runner: asyncio.Runner, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(CONTRACTS / "node_modules")
    with pytest.raises(ChainFailed, match=r"is not built: run `make setup`$"):
        runner.run(start_node(tmp_path, tmp_path / "node.log"))


def test_start_fails_when_the_node_exits(runner: asyncio.Runner, tmp_path: Path) -> None:
    for folder in ("node_modules", "artifacts"):
        (tmp_path / folder).symlink_to(CONTRACTS / folder)
    with pytest.raises(ChainFailed, match=r"exited with 1; see .*node\.log"):
        runner.run(start_node(tmp_path, tmp_path / "node.log"))


def _lives(pid: int) -> bool:
    """Whether the process runs: a zombie, which nobody has waited for yet, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
