"""Jobs in memory that check each write as it commits, for a reader could come too late to see it."""

from collections.abc import Sequence

from chalicelib.adapters.memory import MemoryJobs
from chalicelib.domain.job import TERMINAL, TRANSITIONS, Job, JobRef, Status
from chalicelib.domain.metering import CONFIRMED, METERED, ending_of
from chalicelib.domain.prices import Meter
from chalicelib.ports import Change


class AuditedJobs(MemoryJobs):
    """The `Jobs` port; `histories` has every state of each job that was ever committed."""

    def __init__(self) -> None:
        super().__init__()
        self.histories: dict[JobRef, list[Job]] = {}

    def save(self, changes: Sequence[Change]) -> None:
        """See `ports.Jobs.save`."""
        before = [self.get(change.before.ref) for change in changes]
        super().save(changes)
        for was, change in zip(before, changes, strict=True):
            now = self.get(change.before.ref)
            assert was is not None
            assert now is not None
            assert change.before.lease_epoch == was.lease_epoch, "a holder of an older lease has written"
            self._check(was, now)
            self.histories.setdefault(now.ref, [was]).append(now)

    def _check(self, was: Job, now: Job) -> None:
        assert was.status not in TERMINAL, "what has ended has changed"
        if was.status is not now.status:
            assert now.status in TRANSITIONS[was.status]
            assert now.version == was.version + 1
        else:
            assert now.version == was.version
        assert now.lease_epoch - was.lease_epoch in (0, 1)
        assert was.result is None or now.result == was.result
        assert now.is_terminal == (now.due_at is None), "what is open is looked after"

    def charged(self, ref: JobRef) -> dict[Meter, int]:
        """The quantities of the job's events, of which there is one a meter."""
        return {each.meter: each.quantity for each in self.events().values() if each.ref == ref}

    def check_all(self) -> None:
        """What holds between any two acts."""
        open_jobs = 0
        for ref, job in self._jobs.items():
            assert self.charged(ref) == _due(job)
            open_jobs += not job.is_terminal
        assert self._ready == sorted((r.tenant_id, r.job_id) for r, job in self._jobs.items() if job.is_ready)
        active = {ref.tenant_id for ref in self._jobs}
        assert sum(self.count(tenant, "active") for tenant in active) == open_jobs


def _due(job: Job) -> dict[Meter, int]:
    """By the published table, with what the row says of the work."""
    ending = ending_of(job)
    if ending is None:
        return {Meter.JOB_ACCEPTED: 1}
    quantities = dict.fromkeys(METERED[ending], 1) | {Meter.COMPUTE_USED: job.used_units}
    not_yet = (
        CONFIRMED.values()
        if job.status is Status.CONFIRMING
        else {*CONFIRMED.values()} - {CONFIRMED[job.path]}
    )
    return {meter: count for meter, count in quantities.items() if count and meter not in not_yet}
