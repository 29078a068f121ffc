"""A stack that serves ends when a process that it needs does, and says which."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from emulation.chain import Node
from emulation.clock import ManualClock
from emulation.progress import Progress
from emulation.settings import ClockKind, Options, read_project
from emulation.stack import ProcessEnded, Ready, _Run
from emulation.worker import Declared

DESCRIPTION: dict[str, Any] = {
    "edge_url": "http://127.0.0.1:9",
    "clock_url": "",
    "api": None,
    "docs_url": None,
    "chain": None,
}


@dataclass(frozen=True, slots=True)
class Host:
    """As much of a function host as serving needs."""

    process: asyncio.subprocess.Process

    async def ended(self) -> int:
        return await self.process.wait()


async def process_that_waits() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE)


@pytest.mark.parametrize("name", ["functions", "chain"])
def test_serving_ends_when_a_process_ends_by_itself(tmp_path: Path, name: str) -> None:
    options = Options(port=0, state_dir=tmp_path, clock=ClockKind.SYSTEM, aws_endpoint=None, functions=())

    async def scenario() -> None:
        processes = {each: await process_that_waits() for each in ("functions", "chain")}
        host: Any = Host(processes["functions"])
        node = Node("", 1, tmp_path, processes["chain"])
        run = _Run(
            options, read_project(tmp_path), Progress(Console(quiet=True)), ManualClock(0.0), AsyncExitStack()
        )
        serving = asyncio.create_task(run.serve(Ready(DESCRIPTION, Declared((), (), ()), host, node)))
        processes[name].kill()
        with pytest.raises(ProcessEnded, match=f"the {name} ended by itself with -9; its log: .*/{name}.log"):
            await asyncio.wait_for(serving, timeout=20)
        for process in processes.values():
            if process.returncode is None:
                process.kill()
            await process.wait()

    asyncio.run(scenario())
    assert list(tmp_path.iterdir()) == []
