"""Each figure of gas that we publish is what a node uses, and is below what others use."""

import asyncio

import pytest

from chalicelib.admin.gas_table import Gas, floor, gas_table, load_gas
from emulation.chain import Node
from tests.chain.gas import measure

PUBLISHED = load_gas()

# Gas a job of others, as they were measured.
PER_CALL = 45_690  # the cheapest of the public designs for this problem, which confirm one job a transaction
ATTESTATION = 168_659  # the Ethereum Attestation Service 1.9.0, `multiAttest` of 75
BITMAP = {10: 7_996, 100: 3_716, 250: 3_431}  # a bit and an event for each job, of one word of 256
SIGNED_ROOT = {250: 247}  # a root that one of seven has signed

UNPUBLISHED = (
    "if it is meant: `python -m tests.chain.gas`, then `python -m chalicelib.admin gas` into DESIGN.md"
)


@pytest.fixture(scope="module")
def measured(node: Node, runner: asyncio.Runner) -> Gas:
    return runner.run(measure(node))


def test_gas_is_the_published_when_measured(measured: Gas) -> None:
    assert measured == PUBLISHED, UNPUBLISHED


@pytest.mark.parametrize("jobs", [100, 250])
def test_direct_batch_is_within_3_percent_of_the_floor_when_it_is_large(jobs: int) -> None:
    assert _a_job("confirmBatch", jobs) < 1.03 * floor("confirmBatch", jobs)


@pytest.mark.parametrize("jobs", [10, 98, 100, 250])
def test_direct_job_takes_less_than_others_when_its_batch_is_not_small(jobs: int) -> None:
    assert _a_job("confirmBatch", jobs) < PER_CALL
    assert _a_job("confirmBatch", jobs) < ATTESTATION / 6


@pytest.mark.parametrize("jobs", [98, 100])
def test_compact_job_takes_about_500_gas_when_its_transaction_is_full(jobs: int) -> None:
    assert round(_a_job("confirmCompact", jobs)) <= 520


def test_compact_job_takes_less_than_others_when_their_batches_are_as_large() -> None:
    for others in (BITMAP, SIGNED_ROOT):
        for jobs, theirs in others.items():
            assert _a_job("confirmCompact", jobs) < theirs


def test_the_table_shows_each_figure_when_it_is_printed() -> None:
    table = gas_table(
        {"confirmBatch": {2: 70_010}, "confirmCompact": {2: 48_049}, "materialize": {2: 50_055}}
    )
    assert table.splitlines()[2:5] == [
        "| `confirmBatch` | 2 | 70,010 | 35,005 | 35,005 | 0.0% |",
        "| `confirmCompact` | 2 | 48,049 | 24,024 | 22,880 | 5.0% |",
        "| `materialize` | 1 of 2 | 50,055 | 50,055 | 45,505 | 10.0% |",
    ]


def _a_job(function: str, jobs: int) -> float:
    return PUBLISHED[function][jobs] / jobs
