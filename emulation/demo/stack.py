"""The demo's own stack: a process that is started, described, and gone at the end."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulation import clock
from emulation.environment import isolated
from emulation.parents import ending_with_us
from emulation.state_dir import description_path

READY_SECONDS = 120.0
"""A stack takes eight seconds on an idle machine; a busy one gets time."""

STOP_SECONDS = 15.0
"""It stops within one second; after this long it never will."""

POLL_SECONDS = 0.05
"""Too short to be noticed."""


class StackFailed(Exception):
    """The stack did not start; the message is what it printed last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Who may call, and under which plan."""

    tenant_id: str
    name: str
    plan: str
    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What `stack.json` says."""

    edge_url: str
    base_url: str
    rpc_url: str
    registry: str
    tenants: dict[str, Tenant]
    environment: dict[str, str]


@dataclass(frozen=True, slots=True)
class Starting:
    """A stack on its way."""

    process: subprocess.Popen[bytes]
    state_dir: Path

    def ready(self) -> Stack:
        """Waits for `stack.json`; raises StackFailed if the stack ends before, or hangs."""
        path = description_path(self.state_dir)
        deadline = clock.monotonic() + READY_SECONDS
        while not path.exists():
            try:
                self.process.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if clock.monotonic() < deadline:
                    continue
            raise StackFailed(printed(self.state_dir).read_text().strip())
        return _described(json.loads(path.read_text()))


@contextmanager
def own_stack(project: Path, state_dir: Path) -> Iterator[Starting]:
    """A stack on a free port, with the folder for its logs; it is stopped at the end."""
    command = [sys.executable, "-m", "emulation", "up", "--port", "0"]
    with printed(state_dir).open("wb") as output:
        process = subprocess.Popen(
            [*command, "--state-dir", str(state_dir), "--project", str(project)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=ending_with_us(signal.SIGTERM),
        )
    try:
        yield Starting(process, state_dir)
    finally:
        _stop(process)


def printed(state_dir: Path) -> Path:
    """The file of what the stack prints."""
    return state_dir / "up.log"


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Undisturbed by further signals, for the stack must not be left behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _described(described: dict[str, Any]) -> Stack:
    names = Tenant.__dataclass_fields__
    tenants = [Tenant(**{name: each[name] for name in names}) for each in described["tenants"]]
    return Stack(
        edge_url=described["edge_url"],
        base_url=described["api"]["base_url"],
        rpc_url=described["chain"]["rpc_url"],
        registry=described["chain"]["registry"],
        tenants={tenant.name: tenant for tenant in tenants},
        environment=isolated(os.environ) | described["environment"],
    )
