"""Whatever happens to the chain and the senders, in any order: once it stops, each job is confirmed once."""

from collections.abc import Callable
from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.domain.chain_transaction import FINAL_DEPTH, SENDER_LEASE
from chalicelib.domain.confirmation import ZERO_HASH
from chalicelib.domain.errors import Superseded, Unavailable
from chalicelib.domain.fees import GWEI
from chalicelib.domain.job import Job, JobRef, Status
from chalicelib.domain.metering import CONFIRMED
from chalicelib.domain.transaction_id import ConfirmationPath
from tests.unit.confirming import (
    CALLS,
    COMPACT,
    MANY,
    NEXT,
    Crash,
    TroubledChain,
    before_rotation,
    crash,
    entry,
    finish,
    proofs_on_chain,
    rotate,
    rows,
)
from tests.unit.world import SIGNER, World

moments = st.tuples(st.sampled_from(["before", "after"]), st.sampled_from(CALLS))


class AnythingHappens(RuleBasedStateMachine):
    """Two signers, of which one takes over from the other, and a second sender that overtakes the first."""

    def __init__(self) -> None:
        super().__init__()
        self.chain = TroubledChain()
        self.world = World(chain=self.chain, plan=MANY)
        before_rotation(self.world)
        self.refs: list[JobRef] = []
        self.highest = 0
        self.trouble: dict[tuple[str, str], Callable[[], None]] = {}

    @rule(path=st.sampled_from(ConfirmationPath), count=st.integers(1, 3))
    def jobs_come(self, path: ConfirmationPath, count: int) -> None:
        for _ in range(count):
            ref = self.world.submit(f"k{len(self.refs)}", path=path).job_ref
            self.world.run_job(ref)
            self.refs.append(ref)

    @rule()
    def the_sender_looks(self) -> None:
        """At all messages; if it fails or dies, they come again."""
        messages = list(self.world.queue.confirm)
        self.world.queue.confirm.clear()
        self.chain.trouble, self.trouble = self.trouble, {}
        try:
            self.world.confirm_jobs([ref for message in messages for ref in message])
        except (Unavailable, Superseded, Crash):
            self.world.queue.confirm += messages
        self.chain.trouble = {}

    @rule()
    def all_jobs_are_named_again(self) -> None:
        self.world.queue.confirm.append(tuple(self.refs))

    @rule()
    def messages_are_lost(self) -> None:
        self.world.queue.confirm.clear()

    @rule(blocks=st.integers(1, FINAL_DEPTH))
    def blocks_are_mined(self, blocks: int) -> None:
        self.chain.mine(blocks)
        self.highest = max(self.highest, self._head())

    @rule(blocks=st.integers(1, FINAL_DEPTH - 1))
    def the_chain_is_reorganised(self, blocks: int) -> None:
        """Never as deep as what was final when the chain was at its highest."""
        self.chain.reorganise(min(blocks, self._head() - max(0, self.highest - FINAL_DEPTH + 1)))

    @rule()
    def the_pool_is_dropped(self) -> None:
        self.chain.drop_pool()

    @rule(gwei=st.sampled_from([1, 4, 30, 101]))
    def the_base_fee_changes(self, gwei: int) -> None:
        self.chain.base_fee_wei = gwei * GWEI

    @rule(is_paused=st.booleans())
    def the_registry_is_paused_or_not(self, *, is_paused: bool) -> None:
        self.chain.refuses_with = "EnforcedPause" if is_paused else None

    @rule(is_full=st.booleans())
    def blocks_are_full_or_not(self, *, is_full: bool) -> None:
        self.chain.is_full = is_full

    @rule()
    def the_next_transaction_will_revert(self) -> None:
        self.chain.reverts_next = True

    @rule(signer=st.sampled_from([SIGNER, NEXT]))
    def somebody_else_uses_a_nonce(self, signer: str) -> None:
        self.chain.take_nonce(signer)
        self.highest = max(self.highest, self._head())

    @precondition(lambda self: self.world.signers.current.active == SIGNER)
    @rule()
    def the_next_signer_takes_over(self) -> None:
        rotate(self.world)

    @rule(moment=moments)
    def the_sender_will_die(self, moment: tuple[str, str]) -> None:
        self.trouble[moment] = crash

    @rule(moment=moments)
    def the_sender_will_be_overtaken(self, moment: tuple[str, str]) -> None:
        self.trouble[moment] = self._overtake

    @rule()
    def a_lease_runs_out(self) -> None:
        self.world.clock.advance(SENDER_LEASE)

    @invariant()
    def what_has_succeeded_is_on_the_chain(self) -> None:
        for job in self._jobs():
            if job.status is Status.SUCCEEDED:
                [seen] = self.chain.sightings([job.confirmation.transaction_hash])
                assert seen.receipt is not None
                assert seen.receipt.succeeded

    def teardown(self) -> None:
        """The trouble stops, and what must hold is looked at."""
        self.chain.is_full = self.chain.reverts_next = False
        self.chain.refuses_with, self.chain.base_fee_wei = None, GWEI
        finish(self.world, *self.refs)
        self._each_job_is_confirmed_once()
        self._every_nonce_is_used()
        self._the_gas_is_shared_out()

    def _each_job_is_confirmed_once(self) -> None:
        for job in self._jobs():
            assert job.status is Status.SUCCEEDED
            [recorded] = self.chain.recorded_hashes([entry(job).job_key])
            is_compact = job.path is COMPACT
            assert recorded == (ZERO_HASH if is_compact else job.result.commitment)
            assert proofs_on_chain(self.world, job.ref) == int(is_compact)
        events = self.world.jobs.events()
        confirmed = [name for name in events if ":job.confirmed" in name]
        assert sorted(confirmed) == sorted(f"{job.ref.job_id}:{CONFIRMED[job.path]}" for job in self._jobs())

    def _every_nonce_is_used(self) -> None:
        for signer in (SIGNER, NEXT):
            stored = rows(self.world, signer)
            assert all(each.settlement for each in stored)
            assert all(each.nonce < self.chain.next_nonce(signer) for each in stored)

    def _the_gas_is_shared_out(self) -> None:
        jobs = self._jobs()
        hashes = list({job.confirmation.transaction_hash for job in jobs})
        receipts = [seen.receipt for seen in self.chain.sightings(hashes)]
        assert sum(job.confirmation.gas_used for job in jobs) == sum(each.gas_used for each in receipts)

    def _overtake(self) -> None:
        self.world.clock.advance(SENDER_LEASE)
        with suppress(Unavailable, Superseded):
            self.world.confirm_jobs(self.refs)

    def _head(self) -> int:
        return self.chain.survey(SIGNER, final_depth=FINAL_DEPTH).head

    def _jobs(self) -> list[Job]:
        return [self.world.job(ref) for ref in self.refs]


TestAnythingHappens: Callable[[], None] = AnythingHappens.TestCase
TestAnythingHappens.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
