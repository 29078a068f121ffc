"""A list of jobs as its tenant asks for it: parameters, pages, cursors, and each way to be refused."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.adapters.memory_access import MemoryKeys
from chalicelib.domain.errors import InvalidCursor, InvalidRequest
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.listing import MILLISECOND, JobFilter
from chalicelib.job_types import JOB_TYPES
from chalicelib.use_cases.list_jobs import DEFAULT_LIMIT, LARGEST_LIMIT
from chalicelib.web.handlers.listing import list_jobs
from chalicelib.web.http import Caller
from chalicelib.web.pagination import Cursors
from tests.unit.test_handlers import request
from tests.unit.world import ACME, BASE_URL, GLOBEX, World

CURSORS = Cursors(MemoryKeys(cursor_key=b"\x01" * 32))
ALL = JobFilter()
ELSEWHERE = Cursors(MemoryKeys(cursor_key=b"\x02" * 32))


@pytest.fixture
def world() -> World:
    return roomy()


def roomy() -> World:
    """A world whose plan takes more jobs than a page does."""
    return World(plan=replace(World().plan, jobs_per_month=200, active_jobs=200))


def asked(world: World, cursors: Cursors = CURSORS, *, tenant: str = ACME, **query: str) -> Any:
    """The list that is the answer to these parameters."""
    caller = Caller(tenant_id=tenant, client_id="cli_1", scopes=frozenset({"jobs:read"}))
    parameters = {name: (value,) for name, value in query.items()}
    answer = list_jobs(world.list_jobs, cursors, request(query=parameters, caller=caller))
    assert answer.status == 200
    return json.loads(answer.body)


def submitted(world: World, count: int) -> list[str]:
    """Ids of new jobs, the newest first."""
    before = len(world.list_jobs.jobs.page(ACME, ALL, after=None, limit=1000).jobs)
    return [world.submit(f"k{before + n}").job_ref.job_id for n in range(count)][::-1]


def ids(page: Any) -> list[str]:
    return [job["id"] for job in page["data"]]


def test_a_list_is_one_document_when_all_jobs_fit(world: World) -> None:
    job_id = world.submit().job_ref.job_id
    page = asked(world)
    assert {name: value for name, value in page.items() if name != "data"} == {
        "object": "list",
        "has_more": False,
        "next_cursor": None,
        "url": f"{BASE_URL}/v1/jobs",
    }
    assert ids(page) == [job_id]
    assert page["data"][0]["url"] == f"{BASE_URL}/v1/jobs/{job_id}"


@pytest.mark.parametrize(
    ("limit", "size"),
    [
        ({}, DEFAULT_LIMIT),
        ({"limit": "0"}, DEFAULT_LIMIT),
        ({"limit": "1"}, 1),
        ({"limit": "100"}, LARGEST_LIMIT),
        ({"limit": "101"}, LARGEST_LIMIT),
        ({"limit": "2147483647"}, LARGEST_LIMIT),
    ],
)
def test_a_page_has_the_size_that_its_limit_means_when_there_are_more_jobs(
    world: World, limit: dict[str, str], size: int
) -> None:
    made = submitted(world, LARGEST_LIMIT + 1)
    page = asked(world, **limit)
    assert (ids(page), page["has_more"]) == (made[:size], True)


TYPES = " or ".join(f"'{name}'" for name in JOB_TYPES)
NUMBER, INSTANT = "Input should be a whole number", "Input should be an instant of RFC 3339"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("limit", "-1", "Input should be greater than or equal to 0"),
        ("limit", "9007199254740992", "Input should be less than or equal to 9007199254740991"),
        *[
            ("limit", value, NUMBER)
            for value in ("", " ", "x", "1.0", "1e2", "+1", "-0", "01", "1_0", " 1", "1\n", "٣", "9" * 5000)
        ],
        ("status", "done", "Input should be 'queued', 'running', "),
        ("status", "", "Input should be 'queued', "),
        ("status", "QUEUED", "Input should be 'queued', "),
        ("type", "sha256", f"Input should be {TYPES}"),
        ("type", "", f"Input should be {TYPES}"),
        *[
            (name, value, INSTANT)
            for name in ("created_after", "created_before")
            for value in (
                "",
                "now",
                "2026-11-23",
                "1795413600",
                "2026-11-23T05:00:00",
                "2026-11-23 05:00:00Z",
                "2026-11-23T05:00Z",
                "2026-11-23T05:00:00z",
                "2026-11-23T05:00:00 01:00",  # what a + becomes that is not escaped
                "2026-11-23T05:00:00+0100",
                "2026-11-23T05:00:00+24:00",
                "2026-11-23T05:00:00+01:60",
                "2026-02-30T05:00:00Z",
                "2026-11-23T24:00:00Z",
                "2026-11-23T05:00:60Z",
                "2026-11-23T05:00:00.Z",
                "2026-11-23T05:00:00.1234567Z",
                "0999-11-23T05:00:00Z",
                "12026-11-23T05:00:00Z",
                "\uff12026-11-23T05:00:00Z",
                "2026-11-23T05:00:00Z\n",
            )
        ],
    ],
)
def test_a_parameter_is_refused_when_it_is_not_what_it_must_be(
    world: World, name: str, value: str, reason: str
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        asked(world, **{name: value})
    (error,) = refusal.value.errors
    assert (error.pointer, error.detail[: len(reason)]) == (f"/query/{name}", reason)


def test_every_mistake_is_named_when_there_are_many(world: World) -> None:
    wrong = {
        "limit": "-1",
        "status": "x",
        "type": "x",
        "created_after": "x",
        "created_before": "x",
        "cursor": "x",
    }
    with pytest.raises(InvalidRequest) as refusal:
        asked(world, **wrong)
    assert {error.pointer for error in refusal.value.errors} == {f"/query/{name}" for name in wrong} - {
        "/query/cursor"  # which is judged by the filter, once that is known
    }


@pytest.mark.parametrize(
    "instant",
    [
        "2026-11-23T05:00:00Z",
        "2026-11-23T05:00:00.000000Z",
        "2026-11-23T06:00:00.0+01:00",
        "2026-11-22T23:30:00-05:30",
    ],
)
def test_a_cursor_goes_on_when_the_same_instant_is_written_otherwise(world: World, instant: str) -> None:
    made = submitted(world, 2)
    cursor = asked(world, limit="1", created_after="2026-11-23T05:00:00Z")["next_cursor"]
    assert ids(asked(world, cursor=cursor, created_after=instant)) == made[1:]


@pytest.mark.parametrize("instant", ["1000-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59"])
def test_an_instant_is_taken_when_it_is_ages_away(world: World, instant: str) -> None:
    made = submitted(world, 1)
    is_past = instant.startswith("1")
    assert ids(asked(world, created_after=instant)) == (made if is_past else [])
    assert ids(asked(world, created_before=instant)) == ([] if is_past else made)


def test_the_list_goes_on_when_the_limit_changes_between_pages(world: World) -> None:
    made = submitted(world, 6)
    first = asked(world, limit="2")
    second = asked(world, limit="3", cursor=first["next_cursor"])
    third = asked(world, cursor=second["next_cursor"])
    assert [*ids(first), *ids(second), *ids(third)] == made
    assert [page["has_more"] for page in (first, second, third)] == [True, True, False]


OTHERS = [
    {"status": "queued"},
    {"type": "sha256.chain"},
    {"created_after": "2026-11-23T05:00:00Z"},
    {"created_before": "2026-11-24T05:00:00Z"},
    {"status": "queued", "type": "sha256.chain"},
    {},
]


@pytest.mark.parametrize("given_for", OTHERS)
@pytest.mark.parametrize("sent_with", OTHERS)
def test_a_cursor_is_taken_with_its_own_filter_alone_when_it_is_sent(
    world: World, given_for: dict[str, str], sent_with: dict[str, str]
) -> None:
    made = submitted(world, 2)
    cursor = asked(world, limit="1", **given_for)["next_cursor"]
    if given_for == sent_with:
        assert ids(asked(world, cursor=cursor, **sent_with)) == made[1:]
    else:
        with pytest.raises(InvalidCursor):
            asked(world, cursor=cursor, **sent_with)


@pytest.mark.parametrize("cursor", ["", "x", "x" * 129])
def test_a_cursor_is_refused_when_it_is_none_of_ours(world: World, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        asked(world, cursor=cursor)


def test_a_cursor_is_refused_when_another_tenant_or_another_stack_gave_it(world: World) -> None:
    submitted(world, 2)
    cursor = asked(world, limit="1")["next_cursor"]
    with pytest.raises(InvalidCursor):
        asked(world, tenant=GLOBEX, cursor=cursor)
    with pytest.raises(InvalidCursor):
        asked(world, ELSEWHERE, cursor=cursor)


def test_a_tenant_sees_none_of_anothers_jobs_when_it_lists(world: World) -> None:
    submitted(world, 1)
    assert ids(asked(world, tenant=GLOBEX)) == []


def cancel_one(world: World, which: int) -> None:
    """A job of those that are there leaves the queue, if it can."""
    found = asked(world, limit="100")["data"]
    chosen = found[which % len(found)]
    if chosen["status"] == Status.QUEUED:
        world.cancel_job(JobRef(ACME, chosen["id"]))


@settings(deadline=None)  # a busy machine is no failure
@given(
    at_start=st.integers(1, 12),
    limits=st.lists(st.integers(1, 4), min_size=1, max_size=12),
    meanwhile=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 99), st.booleans()), max_size=12),
    wanted=st.sampled_from([{}, {"status": "queued"}, {"type": "sha256.chain"}]),
)
def test_no_job_of_the_start_is_missing_or_twice_when_jobs_come_and_move_between_pages(
    at_start: int, limits: list[int], meanwhile: list[tuple[int, int, bool]], wanted: dict[str, str]
) -> None:
    world, seen, cursor = roomy(), [], {}
    there = set(submitted(world, at_start))
    for step in range(100):
        page = asked(world, limit=str(limits[step % len(limits)]), **wanted, **cursor)
        seen += ids(page)
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
        if step < len(meanwhile):
            added, canceled, later = meanwhile[step]
            world.clock.advance(MILLISECOND * later)
            submitted(world, added)
            cancel_one(world, canceled)
    stayed = {job_id for job_id in there if world.job(JobRef(ACME, job_id)).status is Status.QUEUED}
    assert seen == sorted(set(seen), reverse=True), "each once, newest first"
    # A job that leaves its state meanwhile may be there or not, if the state was asked for.
    assert set(seen) & there >= (stayed if "status" in wanted else there)
