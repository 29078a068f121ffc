"""What one process holds after thousands of forked runs, beside the same by `multiprocessing`."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engine_overhead import engine, forked, process_a_task

JOBS, PEER_JOBS = 10_000, 3_000
SAMPLE_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds at a moment."""

    rss_kib: int
    descriptors: int


def main() -> None:
    """The first sample is taken after the first thousand: caches are then as they stay."""
    way = engine(forked())
    name = f"{'held by one process':<44}"
    print(f"{name}{'jobs':>8}{'RSS first':>12}{'last':>12}{'most':>12}{'bytes a job':>13}{'fds':>10}")
    _row("the engine, run in a forked sandbox", _samples(lambda: way()(), JOBS))
    _row("multiprocessing.Process a task", _samples(process_a_task, PEER_JOBS))


def _samples(run_one: Callable[[], object], jobs: int) -> list[Held]:
    samples = []
    for number in range(1, jobs + 1):
        run_one()
        if number % SAMPLE_EVERY == 0:
            samples.append(_held())
    return samples


def _row(name: str, samples: list[Held]) -> None:
    first, last = samples[0], samples[-1]
    a_job = (last.rss_kib - first.rss_kib) * 1024 / max((len(samples) - 1) * SAMPLE_EVERY, 1)
    sizes = f"{first.rss_kib:>8,} KiB{last.rss_kib:>8,} KiB{max(each.rss_kib for each in samples):>8,} KiB"
    descriptors = f"{first.descriptors} → {last.descriptors}"
    print(f"{name:<44}{len(samples) * SAMPLE_EVERY:>8,}{sizes}{a_job:>13.1f}{descriptors:>10}")


def _held() -> Held:
    gc.collect()
    status = Path("/proc/self/status").read_text()
    (rss,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return Held(int(rss), len([*Path("/proc/self/fd").iterdir()]))
