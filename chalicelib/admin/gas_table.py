"""The gas of confirming as a table of Markdown, which DESIGN.md shows between `<!-- gas -->` and its end.

What is used is measured, in `contracts/gas.json`; the floor beside it is arithmetic.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

GAS_FILE = Path(__file__).parents[2] / "contracts" / "gas.json"

Gas = Mapping[str, Mapping[int, int]]

TRANSACTION = 21_000
"""What any transaction costs (Yellow Paper, appendix G: Gtransaction)."""

SLOT = 22_100
"""A first write to a slot: 20,000 for setting it and 2,100 for its being cold (EIP-2929)."""

TWO_WORDS = 2 * 32 * 16
"""Calldata of a key and a hash, or of a mask and a root, 16 a byte that is not zero (EIP-2028)."""

JOB_LOG = 375 * (1 + 2) + 8 * 32
"""`JobConfirmed`: an event with two topics and one word of data."""

COMPACT_LOG = 375 * (1 + 2) + 8 * 64
"""`CompactConfirmed`: an event with two topics and two words of data."""

COMPACT = "confirmCompact"

JOBS_SHOWN = 100
"""About what a transaction takes; larger batches are measured too."""


def load_gas() -> Gas:
    """What was measured last: the gas by function and number of jobs."""
    measured = json.loads(GAS_FILE.read_text())
    return {name: {int(jobs): gas for jobs, gas in row.items()} for name, row in measured.items()}


def floor(function: str, jobs: int) -> float:
    """Gas a job if nothing were done but to store and log one word: of each job, or of a compact batch."""
    if function == COMPACT:
        return (TRANSACTION + SLOT + TWO_WORDS + COMPACT_LOG) / jobs
    return TRANSACTION / jobs + SLOT + TWO_WORDS + JOB_LOG


def gas_table(gas: Gas) -> str:
    """A row a function and batch, and below it what the floor is made of."""
    header = "| call | jobs | gas | gas a job | floor a job | above it |"
    return "\n".join((header, "|---|---|---|---|---|---|", *_rows(gas), "", _arithmetic()))


def _rows(gas: Gas) -> Iterator[str]:
    for function, measures in gas.items():
        for jobs, total in measures.items():
            if jobs > JOBS_SHOWN:
                continue
            # Of a batch, one job is materialized.
            recorded, shown = (1, f"1 of {jobs}") if function == "materialize" else (jobs, str(jobs))
            least = floor(function, recorded)
            above = f"{total / recorded / least - 1:.1%}"
            yield (
                f"| `{function}` | {shown} | {total:,} | {total / recorded:,.0f} | {least:,.0f} | {above} |"
            )


def _arithmetic() -> str:
    job, batch = SLOT + TWO_WORDS + JOB_LOG, TRANSACTION + SLOT + TWO_WORDS + COMPACT_LOG
    return (
        f"Floor of N jobs: {TRANSACTION:,}/N + {SLOT:,} (storage) + {TWO_WORDS:,} (calldata) + {JOB_LOG:,} "
        f"(log) = {job:,} + {TRANSACTION:,}/N a job; of N compact ones: ({TRANSACTION:,} + {SLOT:,} + "
        f"{TWO_WORDS:,} + {COMPACT_LOG:,})/N = {batch:,}/N."
    )
