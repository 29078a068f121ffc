"""The API in this process, as it is while it works: time passes, and jobs run and are confirmed."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.domain.job import JobRef, Status
from tests.api.conftest import INVOCATION_SECONDS, Api
from tests.gateway.conftest import Function

# Enough for the tenants' buckets to stay full, and so little that no token ends within a run.
SECONDS_A_REQUEST = 0.01
# Jobs are met in every state if some requests come before the worker, and some after it.
REQUESTS_A_JOB = 5
# A job that takes longer to compute is canceled.
MOST_UNITS = 1


@dataclass
class Working:
    """The API with a worker, and what it answered: how often each method of each path with each status."""

    api: Api
    handler: Function
    answered: Counter[tuple[str, str, int]] = field(default_factory=Counter)

    def __call__(self, event: dict[str, Any]) -> object:
        self.api.stack.clock.advance(SECONDS_A_REQUEST)
        if self.answered.total() % REQUESTS_A_JOB == 0:
            self._work()
        answer: Any = self.handler(event)
        self.answered[event["httpMethod"], event["resource"], answer["statusCode"]] += 1
        return answer

    def _work(self) -> None:
        queue, chain = self.api.adapters.queue, self.api.adapters.chain
        if queue.run:
            self._see_to(queue.run.pop(0))  # of the oldest job, so that its turn has come
        self.api.container.confirm_jobs([ref for refs in queue.confirm for ref in refs])
        queue.confirm.clear()
        chain.mine()

    def _see_to(self, ref: JobRef) -> None:
        job = self.api.adapters.jobs.get(ref)
        if job.status not in (Status.QUEUED, Status.RUNNING):
            return
        if job.cost_units <= MOST_UNITS:
            self.api.container.run_job(ref, seconds=INVOCATION_SECONDS)
        else:
            self.api.container.cancel_job(ref)


@pytest.fixture
def working(api: Api) -> Working:
    handler = api.stack.functions["api_handler"]
    made = Working(api, handler)
    api.stack.functions["api_handler"] = made
    return made
