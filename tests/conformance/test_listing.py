"""Pages of jobs, the ids that they are ordered by, and the key of their cursors: in memory and for real."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.adapters.dynamodb import Tables, to_attributes
from chalicelib.adapters.dynamodb_items import JOBS, encode_job
from chalicelib.adapters.dynamodb_jobs import DynamoDbJobs
from chalicelib.adapters.dynamodb_listing import READS_AT_MOST, ROWS_A_READ
from chalicelib.adapters.memory import MemoryJobs, SequentialIds
from chalicelib.adapters.memory_access import MemoryKeys
from chalicelib.adapters.secrets import SecretsManagerKeys
from chalicelib.adapters.system import RandomIds
from chalicelib.admin.provisioning import make_cursor_key
from chalicelib.domain.job import Job, JobRef, Status
from chalicelib.domain.listing import JobFilter, Page
from chalicelib.ports import Ids, Jobs, Keys
from tests.conformance.real_ports import client, make_resources, tables
from tests.unit.world import GLOBEX, START, World

MILLISECOND = timedelta(milliseconds=1)
ALL = JobFilter()


@pytest.fixture
def endpoint(aws_endpoint: str) -> str:
    make_resources(aws_endpoint)
    return aws_endpoint


@pytest.fixture(params=["memory", "real"])
def jobs(request: pytest.FixtureRequest) -> Jobs:
    if request.param == "memory":
        return MemoryJobs()
    return DynamoDbJobs(tables(request.getfixturevalue("endpoint")))


@pytest.fixture
def world(jobs: Jobs) -> World:
    return world_on(jobs)


def world_on(jobs: Jobs) -> World:
    plan = replace(World().plan, jobs_per_month=100, active_jobs=100)
    return World(jobs=jobs, ids=RandomIds(), tenant=RandomIds().new_id("ten_"), plan=plan)


def submitted(world: World, count: int, *, every: timedelta = MILLISECOND) -> list[str]:
    """Ids of new jobs, the newest first."""
    ids = []
    for _ in range(count):
        world.clock.advance(every)
        ids.append(world.submit(RandomIds().new_id("key_")).job_ref.job_id)
    return ids[::-1]


def ids_of(page: Page) -> list[str]:
    return [job.ref.job_id for job in page.jobs]


def pages(world: World, wanted: JobFilter = ALL, *, limit: int = 2) -> Iterator[list[str]]:
    position: str | None = None
    while True:
        page = world.jobs.page(world.tenant, wanted, after=position, limit=limit)
        yield ids_of(page)
        if page.position is None:
            return
        position = page.position


def test_jobs_come_newest_first_when_listed_page_by_page(world: World) -> None:
    ids = submitted(world, 5)
    assert list(pages(world)) == [ids[:2], ids[2:4], ids[4:]]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_there_is_no_next_page_when_all_jobs_fit(world: World, count: int) -> None:
    ids = submitted(world, count)
    assert list(pages(world)) == [ids]


def test_jobs_are_as_last_committed_when_listed(world: World) -> None:
    ref = world.submit().job_ref
    world.run_job(ref)
    assert list(world.jobs.page(world.tenant, ALL, after=None, limit=2).jobs) == [world.job(ref)]


def test_another_tenants_jobs_are_not_there_when_listed(world: World) -> None:
    mine = submitted(world, 1)
    world.submit("other", tenant=GLOBEX)
    assert list(pages(world)) == [mine]


def test_only_what_the_filter_asks_for_is_there_when_listed(world: World) -> None:
    chains = submitted(world, 3)
    leaves = {"leaf_encoding": ["bool"], "leaves": [["true"]]}
    world.clock.advance(MILLISECOND)
    tree = world.submit("tree", job_type="merkle.root", job_input=leaves).job_ref.job_id
    for canceled in (chains[1], tree):
        world.cancel_job(JobRef(world.tenant, canceled))

    def found(**wanted: Any) -> list[str]:
        return [job_id for page in pages(world, JobFilter(**wanted)) for job_id in page]

    assert found(status=Status.CANCELED) == [tree, chains[1]]
    assert found(type="sha256.chain") == chains
    assert found(status=Status.CANCELED, type="sha256.chain") == [chains[1]]
    assert found(status=Status.FAILED) == []


@pytest.mark.parametrize(
    ("after", "before", "expected"),
    [  # in milliseconds, of jobs made at 1, 2.999 (shown as 2) and 3
        (None, None, [3, 2, 1]),
        (1, 3, [2, 1]),
        (2, None, [3, 2]),
        (1.001, None, [3, 2]),
        (2.001, None, [3]),
        (None, 2, [1]),
        (None, 2.001, [2, 1]),
        (None, 1, []),
        (3.001, None, []),
        (2, 2, []),
        (3, 1, []),
    ],
)
def test_a_span_holds_its_beginning_and_not_its_end_when_jobs_are_listed(
    world: World, after: float | None, before: float | None, expected: list[int]
) -> None:
    made = {}
    for shown, microseconds in ((1, 1000), (2, 1999), (3, 1)):
        world.clock.advance(timedelta(microseconds=microseconds))
        made[world.submit(f"k{shown}").job_ref.job_id] = shown

    def moment(milliseconds: float | None) -> datetime | None:
        return None if milliseconds is None else START + timedelta(microseconds=round(1000 * milliseconds))

    wanted = JobFilter(created_after=moment(after), created_before=moment(before))
    assert [made[job_id] for page in pages(world, wanted) for job_id in page] == expected


def test_a_span_goes_on_within_itself_when_it_has_pages(world: World) -> None:
    ids = submitted(world, 6)
    wanted = JobFilter(created_after=START + 2 * MILLISECOND, created_before=START + 6 * MILLISECOND)
    assert list(pages(world, wanted, limit=3)) == [ids[1:4], ids[4:5]]


@pytest.mark.parametrize("year", [1000, 1969, 9999])
def test_the_span_is_empty_or_whole_when_its_end_is_ages_away(world: World, year: int) -> None:
    ids = submitted(world, 1)
    wanted = JobFilter(created_before=datetime(year, 12, 31, tzinfo=UTC))
    assert list(pages(world, wanted)) == [ids if year == 9999 else []]


def test_no_job_is_missing_or_twice_when_jobs_come_and_move_between_pages(world: World) -> None:
    ids = submitted(world, 6)
    seen = []
    for page in pages(world):
        seen += page
        submitted(world, 1)
        world.cancel_job(JobRef(world.tenant, ids[len(seen) - 1]))
    assert seen == ids


def write_rows(endpoint: str, jobs: Sequence[Job]) -> None:
    """In batches of 25, the most that DynamoDB takes."""
    for start in range(0, len(jobs), 25):
        puts = [{"PutRequest": {"Item": to_attributes(encode_job(job))}} for job in jobs[start : start + 25]]
        client("dynamodb", endpoint=endpoint).batch_write_item(RequestItems={JOBS: puts})


def test_a_page_is_short_when_few_of_many_rows_are_asked_for(endpoint: str) -> None:
    world = world_on(DynamoDbJobs(tables(endpoint)))
    (oldest,) = submitted(world, 1)
    canceled = world.cancel_job(JobRef(world.tenant, oldest))
    rows = ROWS_A_READ * READS_AT_MOST
    later = [RandomIds().new_id("job_", at=START + timedelta(seconds=n)) for n in range(1, rows + 1)]
    running = [replace(canceled, ref=JobRef(world.tenant, job_id), status=Status.RUNNING) for job_id in later]
    write_rows(endpoint, running)
    assert list(pages(world, JobFilter(status=Status.CANCELED))) == [[], [oldest]]
    assert next(pages(world, limit=1)) == later[-1:]


class Counted(Tables):
    """The tables, with the number of rows that each read of a page asked for."""

    reads: tuple[int, ...] = ()

    def read_page(self, table: str, *, limit: int, **arguments: Any) -> Any:
        self.reads += (limit,)
        return super().read_page(table, limit=limit, **arguments)


@pytest.mark.parametrize(
    ("wanted", "reads"),
    [
        (ALL, (3,)),  # one more than the page, to know whether there is another
        (JobFilter(status=Status.QUEUED), (ROWS_A_READ,)),
        # The real service refuses a range that ends before it begins; the emulator does not.
        (JobFilter(created_after=START, created_before=START), ()),
    ],
)
def test_no_more_is_read_than_a_page_takes_when_jobs_are_listed(
    endpoint: str, wanted: JobFilter, reads: tuple[int, ...]
) -> None:
    counted = Counted(client("dynamodb", endpoint=endpoint), backoff=lambda _: None)
    world = world_on(DynamoDbJobs(counted))
    submitted(world, 5)
    world.jobs.page(world.tenant, wanted, after=None, limit=2)
    assert counted.reads == reads


@pytest.mark.parametrize("ids", [RandomIds, SequentialIds])
@given(microseconds=st.integers(0, 10**15))
@example(microseconds=1_001_000)  # in floating point it would be the millisecond before
def test_an_id_carries_the_moment_it_was_given_when_it_is_made(
    ids: Callable[[], Ids], microseconds: int
) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    shown = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    made = ids().new_id("job_", at=moment)
    span = JobFilter(created_after=shown, created_before=shown + MILLISECOND)
    assert span.first_id <= made < span.end_id


@pytest.mark.parametrize("ids", [RandomIds(), SequentialIds()])
def test_ids_sort_by_their_moments_when_many_are_of_the_same(ids: Ids) -> None:
    made = {ids.new_id("job_", at=START) for _ in range(50)}
    assert len(made) == 50
    assert max(made) < ids.new_id("job_", at=START + MILLISECOND)


@pytest.mark.parametrize("kind", ["memory", "real"])
def test_the_cursors_key_is_the_same_when_it_is_made_and_read_again(
    kind: str, request: pytest.FixtureRequest
) -> None:
    def keys() -> Keys:
        if kind == "memory":
            return MemoryKeys(cursor_key=b"\x07" * 32)
        secrets = client("secretsmanager", endpoint=request.getfixturevalue("aws_endpoint"))
        make_cursor_key(secrets)
        return SecretsManagerKeys(secrets)

    assert keys().cursor_key() == keys().cursor_key()
    assert len(keys().cursor_key()) == 32
