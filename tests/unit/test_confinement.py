"""A run has nothing of the function that started it, and does not outlive it."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chalicelib.adapters.bounded_http import BoundedHttp
from chalicelib.adapters.confinement import KEPT_ENVIRONMENT
from chalicelib.ports.sandbox import Broke, Ended
from tests.unit.forked import (
    BRIEF,
    SANDBOX,
    doing,
    is_gone,
    last_of,
    pid_of,
    wait,
)


def test_the_run_sees_no_descriptor_of_the_function_when_it_is_forked() -> None:
    reads, writes = os.pipe()
    os.write(writes, b"planted")

    def look() -> list[object]:
        kinds = {int(each.name): each.resolve() for each in Path("/proc/self/fd").iterdir()}
        return [os.read(reads, 7).decode(), [str(kinds[each]) for each in (reads, writes)]]

    assert last_of(SANDBOX.start(doing(look))) == Ended(b'["", ["/dev/null", "/dev/null"]]')
    os.close(reads)
    os.close(writes)


def test_the_other_side_sees_the_function_hang_up_when_a_run_still_goes_on() -> None:
    reads, writes = os.pipe()
    running = SANDBOX.start(doing(wait))
    pid = pid_of(running)
    os.close(writes)
    assert os.read(reads, 1) == b""
    assert not is_gone(pid)
    running.kill()
    os.close(reads)


def test_the_run_sees_no_variable_of_the_function_when_it_is_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    monkeypatch.setenv("JOBS_ANYTHING", "planted")

    def look() -> list[object]:
        getenv = ctypes.CDLL(None).getenv
        return [*(os.environ.keys() - KEPT_ENVIRONMENT), getenv(b"AWS_SECRET_ACCESS_KEY")]

    assert last_of(SANDBOX.start(doing(look))) == Ended(b"[0]")


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    connections: list[object]


@pytest.fixture
def server() -> Iterator[Server]:
    connections: list[object] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            connections.append(self.client_address)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield Server(f"http://127.0.0.1:{serving.server_port}/", connections)
        serving.shutdown()
        thread.join()


def test_a_run_opens_its_own_connection_when_the_function_has_one_that_is_kept_alive(server: Server) -> None:
    http = BoundedHttp(server.url, timeout_seconds=5, answer_bytes=10)
    assert http.post(b"", {}) == b"ok"
    assert last_of(SANDBOX.start(doing(lambda: http.post(b"", {}).decode()))) == Ended(b'"ok"')
    assert http.post(b"", {}) == b"ok"
    functions, runs, functions_again = server.connections
    assert functions == functions_again != runs


def test_a_signal_meets_no_handler_of_the_function_when_it_is_the_runs() -> None:
    def handler(*_: object) -> None:
        raise AssertionError("the function's")

    before = signal.signal(signal.SIGTERM, handler)
    try:
        running = SANDBOX.start(doing(wait))
        os.kill(pid_of(running), signal.SIGTERM)
        assert last_of(running) == Broke("signal 15")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


def test_the_kernel_takes_the_run_and_leaves_the_function_when_the_machine_has_no_memory_left() -> None:
    score = Path("/proc/self/oom_score_adj")
    before = score.read_text()
    assert last_of(SANDBOX.start(doing(lambda: int(score.read_text())))) == Ended(b"1000")
    assert score.read_text() == before


def test_a_run_is_bound_as_its_function_is_when_that_is_less() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    look = doing(lambda: [resource.getrlimit(each) for each in (resource.RLIMIT_CPU, resource.RLIMIT_CORE)])
    assert last_of(BRIEF.start(look)) == Ended(b"[[1, 2], [0, 0]]")
    assert resource.getrlimit(resource.RLIMIT_CORE) == (soft, hard)


def test_no_process_and_no_descriptor_is_left_when_runs_come_and_go() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for ending in (os.abort, dict, wait) * 30:
        running = SANDBOX.start(doing(ending))
        pid = pid_of(running)
        if ending is wait:
            running.kill()
        else:
            last_of(running)
        assert is_gone(pid)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


PARENT = """
import os, sys
from tests.unit.forked import SANDBOX, doing, spin_in_c, wait

def act():
    print("begun", flush=True)
    {spin}()

running = SANDBOX.start(doing(act))
running.next(timeout_seconds=20)
wait()
"""


@pytest.mark.parametrize("spin", ["spin_in_c", "wait"])
def test_the_run_ends_when_the_function_is_killed(spin: str) -> None:
    """The end of file comes only once the last process that may write is gone, so the run's too."""
    with subprocess.Popen([sys.executable, "-c", PARENT.format(spin=spin)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"begun\n"
        parent.kill()
        assert parent.communicate(timeout=20) == (b"", None)


def test_what_a_run_prints_is_in_the_functions_log_once_when_it_ends() -> None:
    printing = """
from tests.unit.forked import SANDBOX, doing, last_of
print("before")
print(last_of(SANDBOX.start(doing(lambda: print("within")))))
"""
    told = subprocess.run(
        [sys.executable, "-c", printing],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": ""},  # so that there is a buffer, which a fork copies
        check=True,
        timeout=20,
    )
    assert told.stdout.decode().splitlines() == ["before", "within", "Ended(content=b'null')"]


def test_no_run_begins_when_there_can_be_no_more_processes() -> None:
    """As nobody, for the limit does not hold root."""
    refused = """
import os, resource
from chalicelib.domain.errors import Unavailable
from pathlib import Path
from tests.unit.forked import SANDBOX, doing

if os.getuid() == 0:
    os.setuid(65534)
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
before = len(list(Path("/proc/self/fd").iterdir()))
try:
    SANDBOX.start(doing(dict))
except Unavailable:
    print(len(list(Path("/proc/self/fd").iterdir())) - before)
"""
    told = subprocess.run([sys.executable, "-c", refused], stdout=subprocess.PIPE, check=True, timeout=20)
    assert told.stdout == b"0\n"
