"""What the registry refuses or nobody pays for waits with an alarm, uses no nonce, and goes on by itself."""

from chalicelib.domain.chain_transaction import FINAL_DEPTH, Settlement
from chalicelib.domain.job import Status
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.use_cases.chain_work import Alarm
from tests.chain.conftest import Bench
from tests.chain.sender import (
    BOTH_PATHS,
    GRANT,
    REVOKE,
    appoint,
    finish,
    heard,
    mine,
    rows,
    statuses,
    sweep_and_look,
    unpause,
    waiting,
)
from tests.chain.sender_audit import go_on, go_on_after

ENOUGH_WEI = 10**18
# Pays for no transaction at 1 gwei.
NEXT_TO_NOTHING_WEI = 10**12


@BOTH_PATHS
def test_jobs_wait_with_an_alarm_until_the_registry_is_unpaused_when_it_is_paused(
    bench: Bench, path: ConfirmationPath
) -> None:
    world, refs = waiting(bench, path)
    bench.pause()
    for _ in range(2):
        assert sweep_and_look(world).alarms == {Alarm.REFUSED: "EnforcedPause"}
    assert (rows(world), heard(world)) == ([], [])
    unpause(bench)
    go_on(world, bench, refs)


@BOTH_PATHS
def test_jobs_get_another_transaction_when_the_pause_reverts_theirs(
    held: Bench, path: ConfirmationPath
) -> None:
    world, refs = waiting(held, path)
    paused_first(held)
    world.confirm_jobs(refs)
    mine(held, FINAL_DEPTH)
    sweep_and_look(world)
    assert [row.settlement for row in rows(world)] == [Settlement.REVERTED]
    assert statuses(world, refs) == {Status.CONFIRMING}
    unpause(held)
    go_on(world, held, refs)
    assert [row.settlement for row in rows(world)] == [Settlement.REVERTED, Settlement.FINAL]


@BOTH_PATHS
def test_jobs_are_confirmed_once_when_a_reorganisation_undoes_the_pause_that_reverted_them(
    held: Bench, path: ConfirmationPath
) -> None:
    world, refs = waiting(held, path)
    before = held.rpc("evm_snapshot")
    paused_first(held)
    world.confirm_jobs(refs)
    mine(held, FINAL_DEPTH)
    sweep_and_look(world)
    unpause(held)
    finish(world, held, refs)
    go_on_after(world, held, before, refs, path)


@BOTH_PATHS
def test_jobs_wait_with_an_alarm_until_the_role_is_granted_again_when_it_is_revoked(
    bench: Bench, path: ConfirmationPath
) -> None:
    world, refs = waiting(bench, path)
    appoint(bench, by=REVOKE)
    assert world.confirm_jobs(refs).alarms == {Alarm.REFUSED: "AccessControlUnauthorizedAccount"}
    assert (rows(world), heard(world)) == ([], [])
    appoint(bench, by=GRANT)
    go_on(world, bench, refs)


@BOTH_PATHS
def test_jobs_wait_with_an_alarm_until_the_account_is_filled_when_it_cannot_pay(
    bench: Bench, path: ConfirmationPath
) -> None:
    world, refs = waiting(bench, path)
    bench.rpc("hardhat_setBalance", bench.signer, hex(NEXT_TO_NOTHING_WEI))
    mine(bench)
    assert set(world.confirm_jobs(refs).alarms) == {Alarm.FUNDS_SPENT}
    assert (rows(world), heard(world)) == ([], [])
    bench.rpc("hardhat_setBalance", bench.signer, hex(ENOUGH_WEI))
    mine(bench)
    go_on(world, bench, refs)


@BOTH_PATHS
def test_alarm_is_raised_and_work_goes_on_when_the_account_runs_low(
    bench: Bench, path: ConfirmationPath
) -> None:
    world, refs = waiting(bench, path)
    # Ten transactions of such a batch at what is offered when the base fee is below 1 gwei.
    bench.rpc("hardhat_setBalance", bench.signer, hex(10 * 100_000 * 3 * 10**9))
    mine(bench)
    assert set(world.confirm_jobs(refs).alarms) == {Alarm.FUNDS_LOW}
    go_on(world, bench, refs)


def paused_first(bench: Bench) -> None:
    """A pause waits in the pool, and will be mined before anything that comes later: it tips more."""
    pauser = bench.rpc("eth_accounts")[1]
    fees = {"maxFeePerGas": hex(50 * 10**9), "maxPriorityFeePerGas": hex(10 * 10**9)}
    pause = {"from": pauser, "to": bench.registry, "data": "0x8456cb59", "gas": hex(100_000)}
    bench.rpc("eth_sendTransaction", pause | fees)
