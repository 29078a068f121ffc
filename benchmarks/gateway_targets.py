"""What `bench_gateway` measures: this gateway and its peers, each started with the same two routes.

The same where the peer has it: a MOCK route and a Lambda-proxy route that require an API key, whose usage
plan has a throttle and a quota too high to refuse anything. What a peer lacks, its note says.
"""

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TypeAlias

import httpx

from benchmarks.gateway_api import API_KEY, aws_client, deploy_api
from tests.e2e.other_emulator import PROGRAM as MINISTACK
from tests.e2e.other_emulator import ministack
from tests.stack_process import start_stack
from tests.waiting import until

HERE = Path(__file__).parent
TOOLS = Path(sys.executable).parent
SERVERLESS = HERE / "serverless"
OUR_FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"
READY_SECONDS = 60
STOP_SECONDS = 5.0


class Route(StrEnum):
    MOCK = "MOCK"
    PROXY = "Lambda proxy"


class CannotRun(Exception):
    """The peer does not run here; the message is one line that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A gateway that runs: where, and the path of each route that it has."""

    port: int
    paths: Mapping[Route, str]


Running: TypeAlias = AbstractContextManager[Target]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A gateway that can be started with a folder of its own, and what is to be known of the comparison."""

    name: str
    note: str
    start: Callable[[Path], Running]


def request(target: Target, route: Route) -> bytes:
    """The bytes of a request to the route, as the load sends them."""
    lines = (
        f"GET {target.paths[route]} HTTP/1.1",
        f"host: 127.0.0.1:{target.port}",
        "user-agent: benchmark",
        "accept: */*",
        f"x-api-key: {API_KEY}",
    )
    return "\r\n".join([*lines, "", ""]).encode()


@contextmanager
def ours(folder: Path) -> Iterator[Target]:
    project = folder / "project"
    project.mkdir(parents=True)
    function = ("--function", "hello=benchmarks.hello:handler")
    with start_stack(folder / "state", *function, project=project) as stack:
        yield _deployed(str(stack.ready()["edge_url"]), OUR_FUNCTION_ARN)


@contextmanager
def ministack_peer(folder: Path) -> Iterator[Target]:
    if not MINISTACK.exists():
        raise CannotRun("it is not installed: make test installs it into .venv-ministack")
    folder.mkdir(parents=True)
    with ministack(folder / "ministack.log") as endpoint:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as written:
            written.write(HERE / "hello.py", "hello.py")
        function = aws_client("lambda", endpoint).create_function(
            FunctionName="hello",
            Runtime="python3.11",
            Handler="hello.handler",
            Role="arn:aws:iam::123456789012:role/bench",
            Code={"ZipFile": archive.getvalue()},
        )
        yield _deployed(endpoint, function["FunctionArn"])


@contextmanager
def serverless_offline(folder: Path, *, path: str) -> Iterator[Target]:
    service = _serverless_service(folder / "service")
    port, lambda_port = free_port(), free_port()
    command = [
        *(TOOLS / "node", "node_modules/serverless/bin/serverless.js", "offline", "start"),
        *("--host", "127.0.0.1", "--httpPort", str(port), "--lambdaPort", str(lambda_port)),
        *("--noPrependStageInUrl", "--noSponsor"),
    ]
    environment = {"PATH": f"{TOOLS}:{os.environ['PATH']}", "HOME": str(folder), "API_KEY": API_KEY}
    target = Target(port=port, paths={Route.PROXY: path})
    with _process(command, service, environment, folder) as process:
        _await_answer(target, process, folder)
        yield target


@contextmanager
def chalice_local(folder: Path) -> Iterator[Target]:
    port = free_port()
    command = [TOOLS / "chalice", "local", "--host", "127.0.0.1", "--port", str(port), "--no-autoreload"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "AWS_DEFAULT_REGION": "us-east-1"}
    target = Target(port=port, paths={Route.PROXY: "/hello"})
    with _process(command, HERE / "chalice", environment, folder) as process:
        _await_answer(target, process, folder)
        yield target


PEERS = (
    Peer(name="this gateway", note="Python function in a process of its own", start=ours),
    Peer(
        name="MiniStack",
        note="key, throttle and quota; Python function in a process of its own",
        start=ministack_peer,
    ),
    Peer(
        name="serverless-offline",
        note="key, but no throttle, quota or MOCK; Python function in a process of its own",
        start=partial(serverless_offline, path="/hello"),
    ),
    Peer(
        name="serverless-offline JS",
        note="the same, but the function is JavaScript and in a thread of the gateway's process",
        start=partial(serverless_offline, path="/hello-js"),
    ),
    Peer(
        name="chalice local",
        note="no key, throttle, quota or MOCK; Python function within its process",
        start=chalice_local,
    ),
)


def _deployed(endpoint: str, function_arn: str) -> Target:
    base = deploy_api(endpoint, mock="/mock", proxy="/hello", function_arn=function_arn)
    port = int(endpoint.rpartition(":")[2])
    return Target(port=port, paths={Route.MOCK: f"{base}/mock", Route.PROXY: f"{base}/hello"})


def _serverless_service(folder: Path) -> Path:
    """The service in a folder where its functions are, for it takes none from elsewhere."""
    _install_serverless()
    folder.mkdir(parents=True)
    for file in (SERVERLESS / "serverless.yml", SERVERLESS / "hello.js", HERE / "hello.py"):
        shutil.copy(file, folder)
    (folder / "node_modules").symlink_to(SERVERLESS / "node_modules")
    return folder


def _install_serverless() -> None:
    if (SERVERLESS / "node_modules" / ".package-lock.json").exists():
        return
    command = [TOOLS / "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    environment = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=SERVERLESS, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise CannotRun(f"npm ci in {SERVERLESS.name}/ failed: {_last_line(done.stderr)}")


@contextmanager
def _process(
    command: list[str | Path], folder: Path, environment: dict[str, str], logs: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process group of its own, ended whole; what it prints goes to `printed.txt` in `logs`."""
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / "printed.txt").open("wb") as printed:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _await_answer(target: Target, process: "subprocess.Popen[bytes]", logs: Path) -> None:
    """Returns once the proxy route answers 200; raises CannotRun if the process ends first."""

    def answers() -> bool:
        if process.poll() is not None:
            raise CannotRun(f"it ended: {_last_line((logs / 'printed.txt').read_text())}")
        url = f"http://127.0.0.1:{target.port}{target.paths[Route.PROXY]}"
        with suppress(httpx.TransportError):
            return httpx.get(url, headers={"x-api-key": API_KEY}, trust_env=False).status_code == 200
        return False

    until(answers, within_seconds=READY_SECONDS, what="an answer")


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def free_port() -> int:
    """A port that was free a moment ago, for programs that cannot take one and tell which."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port: int = taken.getsockname()[1]
    return port
