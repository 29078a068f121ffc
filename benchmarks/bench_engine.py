"""The engine: what a job costs beside its run, what a stack takes, memory over thousands, whose turn it is.

    python -m benchmarks.bench_engine

Each table has its peers in the same run. First the engine alone in this process, over ports in memory; then a
stack, its load from the same machine. Takes some three minutes on two cores.
"""

import signal
import sys

from benchmarks import engine_memory, engine_overhead, engine_stack, engine_turns


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # what it has started ends too
    # The memory first, while no other measurement has left any behind.
    for part in (engine_memory, engine_overhead, engine_turns, engine_stack):
        part.main()
        print(flush=True)


if __name__ == "__main__":
    main()
