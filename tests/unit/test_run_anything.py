"""Whatever happens to workers, messages and services, in any order: each job ends and is charged once."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.confirmation import ZERO_HASH, job_key
from chalicelib.domain.entitlements import Plan
from chalicelib.domain.errors import JobNotCancelable, Unavailable
from chalicelib.domain.job import USUAL_DEADLINE, JobRef, Status
from chalicelib.domain.lease import LEASE
from chalicelib.domain.metering import METERED, ending_of
from chalicelib.job_types.contract import JobError
from tests.unit.audited import AuditedJobs
from tests.unit.runs import Dies, steps_of, submit_steps
from tests.unit.world import ACME, GLOBEX, INVOCATION_SECONDS, World

PLAN = Plan(name="test", jobs_per_month=1000, active_jobs=1000, spend_cap_micros=10**12, currency="USD")
PORTS = ("jobs", "checkpoints", "payloads", "queue")
# Past the calls of a run of some minutes, each second of which is one heartbeat.
CALLS = st.none() | st.integers(1, 60)
SECONDS = st.sampled_from([0.5, 5.0, LEASE.total_seconds(), 120.0])


class Trouble:
    """A port of one worker's; the act happens at the count's last call, of whichever port."""

    def __init__(self, port: Any, calls: list[int], act: Callable[[], None], *, after: object) -> None:
        self._port, self._calls, self._act, self._after = port, calls, act, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._calls[0] -= 1
            hit = self._calls[0] == 0
            if hit and not self._after:
                self._act()
            answer = method(*args, **kwargs)
            if hit and self._after:
                self._act()
            return answer

        return call


def die() -> None:
    raise Dies


def be_down() -> None:
    raise Unavailable("down")


class AnythingHappens(RuleBasedStateMachine):
    """Two tenants' jobs of up to three invocations, and two workers of which any may die at any call."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs = AuditedJobs()
        self.world = World(jobs=self.jobs, plan=PLAN)
        self.steps = steps_of(self.world, on_step=self.on_step)
        self.faults: dict[int, BaseException] = {}
        self.refs: list[JobRef] = []
        self.canceled: set[JobRef] = set()
        self.too_late: set[JobRef] = set()
        self.messages: list[JobRef] = []

    def on_step(self, done: int) -> None:
        if fault := self.faults.pop(done, None):
            raise fault

    @rule(
        count=st.integers(1, 120),
        tenant=st.sampled_from([ACME, GLOBEX]),
        deadline=st.just(USUAL_DEADLINE) | st.builds(timedelta, seconds=st.integers(1, 300)),
    )
    def a_job_comes(self, count: int, tenant: str, deadline: timedelta) -> None:
        key = f"k{len(self.refs)}"
        self.refs.append(submit_steps(self.world, count, key, tenant=tenant, deadline=deadline))

    @rule(done=st.integers(1, 120), kind=st.sampled_from([JobError("x"), RuntimeError(), MemoryError()]))
    def a_run_will_fail(self, done: int, kind: BaseException) -> None:
        self.faults[done] = kind

    @precondition(lambda self: self.world.queue.run)
    @rule(
        which=st.integers(0, 10**6),
        calls=CALLS,
        act=st.sampled_from([die, be_down]),
        after=st.booleans(),
        overtaken_after=st.none() | st.integers(1, 100),
        again=st.booleans(),
    )
    def a_message_is_delivered(
        self,
        which: int,
        calls: int | None,
        act: Callable[[], None],
        after: object,
        overtaken_after: int | None,
        again: object,
    ) -> None:
        """Any of them, and perhaps it comes again; meanwhile another may be delivered to another worker."""
        queue = self.world.queue.run
        named = queue[which % len(queue)]
        left = [calls or 0]
        worker = replace(self.world)
        worker.sandbox, worker.backlogs = self.world.sandbox, self.world.backlogs
        for port in PORTS:
            setattr(worker, port, Trouble(getattr(self.world, port), left, act, after=after))
        self._overtake(overtaken_after)
        try:
            worker.worker()(named, seconds=INVOCATION_SECONDS)
            if not again:
                queue.remove(named)
        except (Dies, Unavailable):
            pass  # it comes again
        finally:
            self.world.clock.meanwhile = lambda: None

    def _overtake(self, after: int | None) -> None:
        """At a step of the run another worker stalls this one past its lease, and takes what it can."""
        countdown = [after or 0]

        def step() -> None:
            countdown[0] -= 1
            if countdown[0] == 0 and self.world.queue.run:
                self.world.clock.advance(LEASE)
                with suppress(Unavailable):
                    self.world.worker()(self.world.queue.run[0], seconds=INVOCATION_SECONDS)

        self.world.clock.meanwhile = step

    @precondition(lambda self: self.refs)
    @rule(which=st.integers(0, 10**6))
    def a_job_is_canceled(self, which: int) -> None:
        ref = self.refs[which % len(self.refs)]
        try:
            assert self.world.cancel_job(ref).status is Status.CANCELED
            self.canceled.add(ref)
        except JobNotCancelable:
            self.too_late.add(ref)

    @rule(seconds=SECONDS)
    def time_goes_by(self, seconds: float) -> None:
        self.world.clock.advance(timedelta(seconds=seconds))

    @rule()
    def the_sweep_looks(self) -> None:
        self.world.sweep()

    @rule()
    def the_queue_loses_everything(self) -> None:
        self.world.queue.run.clear()

    @rule()
    def the_chain_goes_on(self) -> None:
        refs = [ref for refs in self.world.queue.confirm for ref in refs]
        self.world.queue.confirm.clear()
        self.world.confirm_jobs(refs)
        self.world.chain.mine(FINAL_DEPTH)
        self.world.confirm_jobs([])

    @invariant()
    def what_must_hold_holds(self) -> None:
        self.jobs.check_all()
        for ref in self.refs:
            job = self.world.job(ref)
            assert ref not in self.canceled or job.status is Status.CANCELED
            assert ref not in self.too_late or job.status not in (Status.QUEUED, Status.RUNNING)
            assert ref not in self.too_late - self.canceled or job.status is not Status.CANCELED

    def teardown(self) -> None:
        """Once nothing fails any more, every job ends, and soon; what did not succeed is not on the chain."""
        self.faults.clear()
        for _ in range(30 + 3 * len(self.refs)):
            messages, self.world.queue.run[:] = [*self.world.queue.run], []
            for named in messages:
                self.world.worker()(named, seconds=INVOCATION_SECONDS)
            self.world.clock.advance(timedelta(minutes=1))
            self.world.sweep()
            self.the_chain_goes_on()
        self.what_must_hold_holds()
        for ref in self.refs:
            job = self.world.job(ref)
            assert job.is_terminal, f"{ref} is still {job.status}"
            key = job_key(31337, self.world.registry, ref.tenant_id, ref.job_id)
            [recorded] = self.world.chain.recorded_hashes([key])
            assert (recorded != ZERO_HASH) == (job.status is Status.SUCCEEDED)
            assert {*self.jobs.charged(ref)} <= {*METERED[ending_of(job)]}


TestAnythingHappens: Callable[[], None] = AnythingHappens.TestCase
TestAnythingHappens.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
