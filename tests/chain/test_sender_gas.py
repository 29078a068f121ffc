"""Batches are as large as the gas that they are estimated to take allows, and no larger."""

import pytest

from chalicelib.domain.chain_transaction import JOBS_A_TRANSACTION
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.use_cases.chain_work import Alarm
from tests.chain.conftest import Bench
from tests.chain.sender import (
    BOTH_PATHS,
    block_gas_limit,
    heard,
    mine,
    rows,
    waiting,
)
from tests.chain.sender_audit import go_on

JOBS = 40
# Of which a direct job takes some 25,000, after the first.
BLOCK_GAS = 400_000
# Less than a transaction that records anything.
NO_ROOM = 40_000


@pytest.mark.parametrize(
    ("path", "is_split"), [(ConfirmationPath.DIRECT, True), (ConfirmationPath.COMPACT, False)]
)
def test_batches_shrink_when_a_block_has_less_gas(
    bench: Bench, path: ConfirmationPath, *, is_split: bool
) -> None:
    world, refs = waiting(bench, path, JOBS)
    with block_gas_limit(bench, BLOCK_GAS):
        go_on(world, bench, refs)
    assert all(row.gas <= BLOCK_GAS for row in rows(world))
    assert (len(rows(world)) > 1) is is_split


def test_one_transaction_takes_all_when_they_are_as_many_as_it_may_have(bench: Bench) -> None:
    world, refs = waiting(bench, ConfirmationPath.DIRECT, JOBS_A_TRANSACTION)
    go_on(world, bench, refs)
    assert len(rows(world)) == 1


@BOTH_PATHS
def test_job_waits_with_an_alarm_when_no_block_has_gas_for_it(bench: Bench, path: ConfirmationPath) -> None:
    world, refs = waiting(bench, path, 1)
    with block_gas_limit(bench, NO_ROOM):
        assert set(world.confirm_jobs(refs).alarms) == {Alarm.REFUSED}
        mine(bench)
    assert (rows(world), heard(world)) == ([], [])
    go_on(world, bench, refs)
