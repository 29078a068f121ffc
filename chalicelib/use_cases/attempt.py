"""One invocation's part of a run: watched from outside, so that nothing the run does can stop the watching.

Invariant: as long as the run lasts its lease is renewed, by conditional writes; the first one that loses, to
a cancel or to another worker, ends the run. It ends in exactly one way, and its process with it.
"""

from dataclasses import dataclass, replace

from chalicelib.domain import lease
from chalicelib.domain.job import Checkpoint, Job
from chalicelib.ports import Change, Checkpoints, Clock, Jobs, Running
from chalicelib.ports.sandbox import (
    Began,
    Bound,
    Broke,
    Ended,
    Exceeded,
    Hindered,
    Refused,
    Stepped,
    Stopped,
)
from chalicelib.use_cases.turns import Turns

# Progress that a person watches, and how soon a cancel is noticed; fifty of them would do for safety.
HEARTBEAT_SECONDS = 0.5
# How long a run goes on while another tenant waits.
SLICE_SECONDS = 10.0
# How often to look whether one does, after that.
LOOK_SECONDS = 1.0
# Before the function's time is up: to end a run that does not stop, and to store what it did.
STOPPING_SECONDS = 5.0
STORING_SECONDS = 8.0
# Half of an invocation. A run that had less of it was kept from running by us, and can prove nothing.
FAIR_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class TooLate:
    """The job's deadline has come while it ran."""


End = Stopped | Ended | Refused | Exceeded | Broke | Hindered | TooLate


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptPorts:
    """What an attempt works with."""

    jobs: Jobs
    checkpoints: Checkpoints
    turns: Turns
    clock: Clock


class Attempt:
    """Follows a run to its end. What it has learned of the job is in `job`; `saved` is what it last wrote."""

    def __init__(self, ports: AttemptPorts, saved: Job, *, until: float) -> None:
        self.job = self.saved = saved
        self._ports = ports
        began = ports.clock.monotonic()
        self._renews_at = began + HEARTBEAT_SECONDS
        self._looks_at = began + SLICE_SECONDS
        self._ends_at = until - STORING_SECONDS
        self._stops_at = self._ends_at - STOPPING_SECONDS
        self._is_stopping = False
        self._got_on = self._is_fair = False

    def follow(self, running: Running) -> End:
        """How it ended. Raises `Superseded` when the job was canceled or taken over."""
        self._is_fair = self._ends_at - self._ports.clock.monotonic() >= FAIR_SECONDS
        try:
            while True:
                event = running.next(timeout_seconds=HEARTBEAT_SECONDS)
                if not isinstance(event, Began | Stepped | None):
                    return event
                self._note(event)
                if end := self._watch(running, self._ports.clock.monotonic()):
                    return end
        finally:
            running.kill()

    def _note(self, event: Began | Stepped | None) -> None:
        match event:
            case Began(cost_units):
                # Once known it stays: a dearer version of the type would cost more than was reserved.
                self.job = replace(self.job, cost_units=self.job.cost_units or cost_units)
            case Stepped(progress, checkpoint):
                self.job = replace(self.job, progress=progress)
                if checkpoint is not None:
                    key = self._ports.checkpoints.put(self.job.ref, checkpoint)
                    self.job = lease.got_on(self.job, Checkpoint(storage_key=key, progress=progress))
                    self._got_on = True

    def _watch(self, running: Running, now: float) -> End | None:
        if now >= self._renews_at:
            self._renews_at = now + HEARTBEAT_SECONDS
            if self._renew():
                return TooLate()
        if now >= self._ends_at:
            return self._cut_off()
        if not self._is_stopping and self._must_stop(now):
            self._is_stopping = True
            running.stop()
        return None

    def _cut_off(self) -> End:
        """It did not stop, and goes on from where it was; one that has got nowhere never will."""
        if self._got_on:
            return Stopped()
        return Exceeded(Bound.TIME) if self._is_fair else Hindered("Too little time was left for the run.")

    def _renew(self) -> bool:
        """Whether it is too late; else the lease is renewed."""
        now = self._ports.clock.now()
        if lease.is_past_deadline(self.job, now=now):
            return True
        renewed = lease.renew(self.job, now=now)
        self._ports.jobs.save([Change(self.saved, renewed)])
        self.job = self.saved = renewed
        return False

    def _must_stop(self, now: float) -> bool:
        if now < self._looks_at:
            return now >= self._stops_at
        self._looks_at = now + LOOK_SECONDS
        return now >= self._stops_at or self._ports.turns.another_waits(self.job.ref.tenant_id)
