"""When to ask again, what the client has already, and how long it would wait: as tables."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.adapters.memory import ManualClock, MemoryQueue
from chalicelib.adapters.memory_backlogs import MemoryBacklogs
from chalicelib.domain import job as domain
from chalicelib.domain import lease
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.job import Job, JobRef, Progress, Status
from chalicelib.domain.polling import WORKERS, Backlog, retry_after_seconds, run_rate
from chalicelib.use_cases.estimate_wait import REMEMBERED_SECONDS, EstimateWait
from chalicelib.web.conditional import entity_tags, is_known
from chalicelib.web.preferences import wait_seconds
from tests.unit.world import ACME, START

QUEUED = domain.new_job(
    JobRef(ACME, "job_1"), job_type="t", plan="test", now=START, trace_id="t", request_id="r"
)
RUNNING = lease.lease(QUEUED, now=START)
RESULT = domain.Result(storage_key="k", sha256="ab", salt="0x01", commitment="0x02")
CONFIRMING = domain.finish(RUNNING, now=START, result=RESULT)


def run_to(completed: int, total: int, *, told: int) -> Job:
    """A job whose worker told of its progress this many seconds after it began."""
    now = START + timedelta(seconds=told)
    return lease.renew(replace(RUNNING, progress=Progress(completed, total)), now=now)


@pytest.mark.parametrize(
    ("job", "waiting", "per_second", "age", "expected"),
    [
        (QUEUED, 0, 4.0, 0, 1),  # never less than a second
        (QUEUED, 8, 4.0, 0, 2),
        (QUEUED, 9, 4.0, 0, 3),  # rounded up: earlier would be too early
        (QUEUED, 9, 4.0, 60, 3),  # others may have been put in front of it; the queue is what counts
        (QUEUED, 9, 0.5, 0, 18),  # as many, drained slower
        (QUEUED, 10**9, 4.0, 0, 30),  # never more than half a minute
        (RUNNING, 10**9, 4.0, 0, 1),  # it waits in no queue
        (run_to(0, 10, told=9), 0, 4.0, 9, 1),
        (run_to(1, 4, told=2), 0, 4.0, 2, 3),  # half of the three quarters that are left
        (run_to(1, 4, told=2), 0, 4.0, 5, 2),  # it has gone on since it told
        (run_to(1, 1000, told=0), 0, 4.0, 5, 1),  # a first step that took no time says nothing
        (run_to(4, 4, told=60), 0, 4.0, 60, 1),
        (run_to(1, 10**9, told=1), 0, 4.0, 1, 30),
        (CONFIRMING, 0, 250.0, 0, 4),  # a block to be batched for, and three
        (CONFIRMING, 0, 250.0, 3, 1),
        (CONFIRMING, 0, 250.0, 600, 1),
        (CONFIRMING, 1000, 250.0, 0, 8),
    ],
)
def test_retry_after_is_when_the_job_may_move_when_its_backlog_is_known(
    job: Job, waiting: int, per_second: float, age: int, expected: int
) -> None:
    now = START + timedelta(seconds=age)
    assert retry_after_seconds(job, Backlog(waiting, per_second), now=now) == expected


@pytest.mark.parametrize(("job", "floor"), [(QUEUED, 1), (RUNNING, 1), (CONFIRMING, 4)])
def test_retry_after_is_the_states_own_least_when_the_backlog_is_unknown(job: Job, floor: int) -> None:
    assert retry_after_seconds(job, None, now=START) == floor


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.CANCELED])
def test_there_is_no_retry_after_when_the_job_has_ended(status: Status) -> None:
    ended = replace(QUEUED, status=status, entered={**QUEUED.entered, status: START})
    assert retry_after_seconds(ended, Backlog(9, 1.0), now=START) is None


@pytest.mark.parametrize(
    ("runs", "run_seconds", "expected"), [(0, 0.0, WORKERS), (1, 0.5, 8.0), (100, 50.0, 8.0), (3, 12.0, 1.0)]
)
def test_the_rate_follows_the_mean_run_when_few_or_many_were_counted(
    runs: int, run_seconds: float, expected: float
) -> None:
    assert run_rate(runs=runs, run_seconds=run_seconds) == expected


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


def test_the_queue_is_read_once_when_many_polls_come_within_two_seconds(clock: ManualClock) -> None:
    queue = MemoryQueue()
    estimate_wait = EstimateWait(backlogs=MemoryBacklogs(queue, clock), clock=clock)
    assert estimate_wait(QUEUED) == 1
    queue.run += [QUEUED.ref] * 40
    clock.advance(timedelta(seconds=REMEMBERED_SECONDS - 0.1))
    assert estimate_wait(QUEUED) == 1
    clock.advance(timedelta(seconds=0.1))
    assert estimate_wait(QUEUED) == 10


def test_the_estimate_is_the_floor_when_the_queue_cannot_be_read(clock: ManualClock) -> None:
    broken = Broken(MemoryQueue(), clock)
    estimate_wait = EstimateWait(backlogs=broken, clock=clock)
    polled = [
        estimate_wait(QUEUED),
        estimate_wait(QUEUED),
        estimate_wait.until_one_starts(QUEUED.ref.tenant_id),
    ]
    assert (polled, estimate_wait.until_one_ends(QUEUED.ref.tenant_id), broken.asked) == ([1, 1, 1], 4, 1)


class Broken(MemoryBacklogs):
    """A queue whose service is down."""

    asked = 0

    def of_runs(self, tenant_id: str) -> Backlog:
        self.asked += 1
        raise Unavailable("down")


@pytest.mark.parametrize(
    ("if_none_match", "known"),
    [
        ([], False),
        (['"a"'], True),
        (['W/"a"'], True),  # weak comparison
        (['w/"a"'], False),  # `W` is in upper case (RFC 9110 §8.8.3)
        (['"b"'], False),
        (['"b", "a"'], True),
        (['"b" ,\tW/"a"'], True),
        (['"b"', '"a"'], True),  # two lines are one list
        ([', ,"a",,'], True),  # empty elements are ignored
        (['"x,a", "a"'], True),  # a comma may stand in a tag
        (['"x,a"'], False),
        (["*"], True),
        ([" * "], True),
        (['*, "a"'], False),  # `*` stands alone
        (["a"], False),
        (['"a'], False),
        (['"a" "b"'], False),
        (['"b", a, "a"'], False),  # one that is malformed spoils the list
        ([""], False),
        (['""'], False),
        ([","], False),
        (['"a b"'], False),
        (['"a"x'], False),
        (['"é", "a"'], True),  # obs-text
        (['"a",' * 2000 + "x"], False),
    ],
)
def test_the_client_has_the_answer_when_its_list_names_it(if_none_match: list[str], known: object) -> None:
    assert is_known('"a"', entity_tags(if_none_match)) is known


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ([], None),
        (["wait=5"], 5),
        (["Wait=5"], 5),
        (["wait = 5"], 5),
        (['wait="5"'], 5),
        (["wait=0"], 0),
        (["wait=005"], 5),
        (["wait=20"], 20),
        (["wait=21"], 20),
        ([f"wait={'9' * 5000}"], 20),
        ([f"wait={'0' * 5000}7"], 7),
        (["wait=5; foo"], 5),
        (['wait=5;foo="a,b"'], 5),
        (["respond-async, wait=5, handling=lenient"], 5),
        (["respond-async", "wait=5"], 5),
        (["wait=5, wait=9"], 5),  # the first instance counts (RFC 7240 §2)
        (["wait=x, wait=9"], None),
        (['foo="wait=9", bar'], None),
        (['foo="a,wait=9"'], None),
        (['foo="\\",wait=9", wait=3'], 3),
        (['foo="unfinished, wait=9'], None),
        (['foo="\\'], None),
        (["foo; wait=9"], None),  # a parameter of another preference
        (["wait"], None),
        (["wait="], None),
        (['wait=""'], None),
        (["wait=-1"], None),
        (["wait=+1"], None),
        (["wait=1.5"], None),
        (["wait=5 6"], None),
        (["wait=\N{ARABIC-INDIC DIGIT FIVE}"], None),
        (["waiting=5"], None),
        (["=5"], None),
        (["", ",,", " , wait=2"], 2),
        (['"' * 5000 + "wait=9"], None),
        (['"\\"' * 5000], None),
    ],
)
def test_the_wait_is_what_the_client_prefers_when_it_is_written_as_the_rfc_says(
    prefer: list[str], seconds: int | None
) -> None:
    assert wait_seconds(prefer) == seconds
