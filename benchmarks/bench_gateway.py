"""This gateway beside its peers: requests a second and latency on the same two routes, in one run.

    python -m benchmarks.bench_gateway [NAME]...

With names, only the gateways whose name contains one of them. All run at once, and each but the measured one
is idle; every cell is measured several times in turns, so that what else the machine does meets all alike,
and told as the median. The load comes from a process of its own (`load`), whose own limit is measured first,
against a server that does nothing.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.gateway_targets import PEERS, CannotRun, Peer, Route, Target, free_port, request
from benchmarks.load import Load
from tests.stack_process import REPOSITORY

CONNECTIONS = (1, 16, 64)
REPEATS = 5
SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of the table: who, which route, how many connections."""

    peer: str
    route: Route
    connections: int


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # everything is stopped then too
    wanted = sys.argv[1:]
    peers = [peer for peer in PEERS if not wanted or any(each in peer.name for each in wanted)]
    load_average = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load average at the start {load_average:.2f}")
    try:
        with TemporaryDirectory() as folder, ExitStack() as running:
            print(f"the load alone: {_told(_ceiling())}")
            targets = dict(_started(peers, Path(folder), running))
            measured = _measure(targets)
    except KeyboardInterrupt:
        raise SystemExit("interrupted: everything is stopped") from None
    _print(measured, [peer.name for peer in peers])


def _started(peers: Iterable[Peer], folder: Path, running: ExitStack) -> Iterator[tuple[str, Target]]:
    for peer in peers:
        try:
            target = running.enter_context(peer.start(folder / peer.name.replace(" ", "-")))
        except (CannotRun, AssertionError) as reason:
            print(f"{peer.name}: not run: {str(reason).splitlines()[0]}")
        else:
            print(f"{peer.name}: {peer.note}", flush=True)
            yield peer.name, target


def _measure(targets: Mapping[str, Target]) -> dict[Cell, list[Load]]:
    """Every cell as often as it is repeated; a gateway that fails once is told, and not asked again."""
    measured: dict[Cell, list[Load]] = {}
    failed: set[tuple[str, Route]] = set()
    for repeat, connections, route in product(range(REPEATS), CONNECTIONS, Route):
        _progress(f"run {repeat + 1} of {REPEATS}: {route}, {connections} connections")
        for name, target in targets.items():
            if route not in target.paths or (name, route) in failed:
                continue
            try:
                load = _load(target.port, request(target, route), connections)
            except CannotRun as reason:
                failed.add((name, route))
                _progress("")
                print(f"{name}, {route}, {connections} connections: failed: {reason}")
            else:
                measured.setdefault(Cell(name, route, connections), []).append(load)
    _progress("")
    return measured


def _load(port: int, sent: bytes, connections: int) -> Load:
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(connections), str(SECONDS)]
    done = subprocess.run(command, cwd=REPOSITORY, input=sent, capture_output=True)
    if done.returncode:
        raise CannotRun((done.stderr.decode().strip().splitlines() or ["the load said nothing"])[-1])
    return Load(**json.loads(done.stdout))


def _ceiling() -> Load:
    """What the load makes of a server that does nothing, at the most connections."""
    port = free_port()
    with _trivial_server(port):
        return _load(port, request(Target(port=port, paths={Route.MOCK: "/"}), Route.MOCK), CONNECTIONS[-1])


@contextmanager
def _trivial_server(port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "benchmarks.trivial_server", str(port)]
    server = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        server.stdout.readline()  # it says when it listens
        yield
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def _print(measured: Mapping[Cell, list[Load]], names: Iterable[str]) -> None:
    for route in Route:
        print(f"\n{route:<22}{'connections':>12}{'req/s':>10}{'from-to':>16}{'p50 ms':>9}{'p99 ms':>9}")
        for connections in CONNECTIONS:
            for name in names:
                loads = measured.get(Cell(name, route, connections))
                print(f"{name:<22}{connections:>12}{_row(loads)}")
            _print_ratio(measured, route, connections)


def _row(loads: list[Load] | None) -> str:
    if not loads:
        return f"{'-':>10}"
    rates = [load.requests_a_second for load in loads]
    spread = f"{min(rates):,.0f}-{max(rates):,.0f}"
    p50, p99 = median(load.p50_ms for load in loads), median(load.p99_ms for load in loads)
    return f"{median(rates):>10,.0f}{spread:>16}{p50:>9.2f}{p99:>9.2f}"


def _print_ratio(measured: Mapping[Cell, list[Load]], route: Route, connections: int) -> None:
    """This gateway's rate over the best peer's on that route."""
    rates = {
        cell.peer: median(load.requests_a_second for load in loads)
        for cell, loads in measured.items()
        if (cell.route, cell.connections) == (route, connections)
    }
    own = rates.pop(PEERS[0].name, None)
    if own is not None and rates:
        best = max(rates, key=rates.__getitem__)
        print(f"{'':<22}{'':>12}{own / rates[best]:>9.1f}x the best peer ({best})")


def _told(load: Load) -> str:
    return f"{load.requests_a_second:,.0f} requests a second, p50 {load.p50_ms:.2f} ms"


def _progress(line: str) -> None:
    """Rewrites one line of a terminal; nothing where there is none."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
