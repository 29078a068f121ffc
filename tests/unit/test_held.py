"""What could not be recorded, or not be paid for, is not signed: no nonce is used, and no job is lost."""

from collections.abc import Callable

import pytest

from chalicelib.adapters.memory_chain import MemoryChain
from chalicelib.adapters.memory_signers import MemorySigners
from chalicelib.domain.errors import ConfirmationRejected
from chalicelib.domain.fees import CEILING_WEI, GWEI
from chalicelib.domain.job import UNSEEN_AT_MOST, Status
from chalicelib.domain.roster import Duty
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.use_cases.chain_work import Alarm
from chalicelib.use_cases.sending import LOW_AT_TRANSACTIONS
from tests.unit.confirming import compact, finish, look, rows
from tests.unit.world import SIGNER, World

Act = Callable[[MemoryChain], None]


def pause(chain: MemoryChain) -> None:
    chain.refuses_with = "EnforcedPause"


def dismiss(chain: MemoryChain) -> None:
    chain.refuses_with = "AccessControlUnauthorizedAccount"


def resume(chain: MemoryChain) -> None:
    chain.refuses_with = None


def raise_the_base_fee(chain: MemoryChain) -> None:
    chain.base_fee_wei = CEILING_WEI


def lower_the_base_fee(chain: MemoryChain) -> None:
    chain.base_fee_wei = GWEI


def spend_all(chain: MemoryChain) -> None:
    chain.balance_wei = 10**12


def fund(chain: MemoryChain) -> None:
    chain.balance_wei = 10**20


# what happens, what ends it → the alarm
TROUBLES: dict[str, tuple[Act, Act, Alarm]] = {
    "the registry is paused": (pause, resume, Alarm.REFUSED),
    "the signer has no role": (dismiss, resume, Alarm.REFUSED),
    "the next block is too dear": (raise_the_base_fee, lower_the_base_fee, Alarm.FEES_ABOVE_CEILING),
    "the balance is too small": (spend_all, fund, Alarm.FUNDS_SPENT),
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("path", ConfirmationPath)
def test_jobs_wait_without_a_nonce_until_the_sweep_brings_them_when_there_is(
    world: World, trouble: str, path: ConfirmationPath
) -> None:
    begin, end, alarm = TROUBLES[trouble]
    refs = [world.confirming(f"k{n}", path=path) for n in range(2)]
    begin(world.chain)
    world.queue.confirm.clear()
    report = world.confirm_jobs(refs)
    assert (list(report.alarms), report.open_transactions) == ([alarm], 0)
    assert (rows(world), world.chain.broadcasts, world.queue.confirm) == ([], [], [])
    assert {world.job(ref).status for ref in refs} == {Status.CONFIRMING}
    end(world.chain)
    world.clock.advance(UNSEEN_AT_MOST)
    world.sweep()
    assert look(world).alarms == {}
    assert [each.nonce for each in rows(world)] == [0]
    finish(world, *refs)


def test_the_reason_is_told_when_the_registry_refuses(world: World) -> None:
    dismiss(world.chain)
    report = world.confirm_jobs([world.confirming()])
    assert report.alarms[Alarm.REFUSED] == "AccessControlUnauthorizedAccount"


def test_what_is_open_counts_when_the_balance_is_small(world: World) -> None:
    first, second = world.confirming("k0"), world.confirming("k1")
    cost = (30_000 + 25_000) * 3 * GWEI
    world.chain.balance_wei = 2 * cost - 1
    assert Alarm.FUNDS_SPENT not in world.confirm_jobs([first]).alarms
    assert Alarm.FUNDS_SPENT in world.confirm_jobs([second]).alarms
    assert len(rows(world)) == 1
    world.chain.balance_wei = 2 * cost
    assert Alarm.FUNDS_SPENT not in world.confirm_jobs([second]).alarms
    assert len(rows(world)) == 2


def test_a_person_is_told_in_time_when_funds_get_low(world: World) -> None:
    cost = (30_000 + 25_000) * 3 * GWEI
    world.chain.balance_wei = LOW_AT_TRANSACTIONS * cost
    assert world.confirm_jobs([world.confirming("k0")]).alarms == {}
    report = world.confirm_jobs([world.confirming("k1")])
    assert list(report.alarms) == [Alarm.FUNDS_LOW]
    assert SIGNER in report.alarms[Alarm.FUNDS_LOW]
    assert len(rows(world)) == 2  # it is sent nevertheless


def test_jobs_wait_when_nobody_may_sign(world: World) -> None:
    ref = compact(world)
    signers = MemorySigners({SIGNER: b"\x51" * 32})
    signers.current = signers.current.moved(SIGNER, Duty.RETIRED)
    world.signers = signers
    assert list(world.confirm_jobs([ref]).alarms) == [Alarm.NO_SIGNER]
    assert (rows(world), world.job(ref).status) == ([], Status.CONFIRMING)
    signers.current = signers.current.moved(SIGNER, Duty.ACTIVE)
    finish(world, ref)


class PausedForCompact(MemoryChain):
    """Refuses calls of one path."""

    def estimate_gas(self, call: object, *, signer: str) -> int:
        """See `ports.Chain.estimate_gas`."""
        if type(call).__name__ == "ConfirmCompact":
            raise ConfirmationRejected("EnforcedPause")
        return super().estimate_gas(call, signer=signer)


def test_one_path_is_sent_when_the_other_is_refused(world: World) -> None:
    world.chain = PausedForCompact()
    direct, proven = world.confirming("k0"), compact(world, "k1")
    assert list(world.confirm_jobs([proven, direct]).alarms) == [Alarm.REFUSED]
    assert [[listed.ref for listed in each.jobs] for each in rows(world)] == [[direct]]
