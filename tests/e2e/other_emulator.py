"""MiniStack: another emulator of the AWS services, for a second opinion on what we ask of them."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx

from tests.waiting import until

PROGRAM = Path(__file__).parents[2] / ".venv-ministack" / "bin" / "ministack"
START_SECONDS = 30


@contextmanager
def ministack(log: Path) -> Iterator[str]:
    """The endpoint of a MiniStack of its own, on this machine's loopback only."""
    assert PROGRAM.exists(), "run `make test`: it installs MiniStack into .venv-ministack"
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    with log.open("wb") as output:
        server = subprocess.Popen([PROGRAM], env=environment, stdout=output, stderr=subprocess.STDOUT)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(endpoint, server, log), within_seconds=START_SECONDS, what="MiniStack")
        yield endpoint
    finally:
        server.terminate()
        server.wait()


def _answers(endpoint: str, server: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert server.poll() is None, f"MiniStack ended:\n{log.read_text()}"
    try:
        return httpx.get(f"{endpoint}/_ministack/health").status_code < 500
    except httpx.TransportError:
        return False
