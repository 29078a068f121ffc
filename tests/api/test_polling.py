"""Polling as a client does it, through the gateway: validators, long polls, pacing."""

from typing import Any

import httpx
import pytest

from chalicelib.adapters.memory import MemoryQueue
from chalicelib.domain.job import JobRef
from chalicelib.domain.seats import HELD_AT_MOST, SEATS, Seat
from tests.api.conftest import ACME, GLOBEX, Api

PACING = ("ETag", "Retry-After", "Preference-Applied")


@pytest.fixture
def job_id(api: Api) -> str:
    return str(api.submit().json()["id"])


@pytest.fixture
def bearer(api: Api) -> dict[str, str]:
    return api.bearer()


def pacing(answer: httpx.Response) -> dict[str, Any]:
    return {name: answer.headers[name] for name in PACING if name in answer.headers}


def test_the_body_stays_away_when_the_client_has_the_job(
    api: Api, job_id: str, bearer: dict[str, str]
) -> None:
    whole = api.http.get(f"/v1/jobs/{job_id}", headers=bearer)
    known = {"If-None-Match": whole.headers["ETag"]}
    spared = api.http.get(f"/v1/jobs/{job_id}", headers=bearer | known)
    assert (whole.status_code, spared.status_code, spared.content) == (200, 304, b"")
    assert pacing(spared) == pacing(whole)
    assert "Content-Length" not in spared.headers
    api.run(job_id)
    changed = api.http.get(f"/v1/jobs/{job_id}", headers=bearer | known)
    assert (changed.status_code, changed.json()["status"]) == (200, "confirming")


def test_a_list_over_two_lines_is_one_list_when_the_gateway_hands_it_on(
    api: Api, job_id: str, bearer: dict[str, str]
) -> None:
    etag = api.http.get(f"/v1/jobs/{job_id}", headers=bearer).headers["ETag"]
    lines = [*bearer.items(), ("If-None-Match", '"a", "b"'), ("If-None-Match", f"W/{etag}")]
    assert api.http.get(f"/v1/jobs/{job_id}", headers=lines).status_code == 304


def test_the_answer_takes_as_long_as_preferred_when_nothing_happens(
    api: Api, job_id: str, bearer: dict[str, str]
) -> None:
    table: list[tuple[list[str], int, str | None]] = [
        (["wait=3"], 3, "wait=3"),
        (["respond-async", 'Wait="3"; x'], 3, "wait=3"),
        (["wait=0"], 0, "wait=0"),
        (["wait=60"], 20, "wait=20"),
        (["wait=soon"], 0, None),
        (["wait=" + "9" * 900], 20, "wait=20"),
    ]
    for lines, seconds, applied in table:
        before = api.adapters.clock.monotonic()
        sent = [*bearer.items(), *(("Prefer", line) for line in lines)]
        answer = api.http.get(f"/v1/jobs/{job_id}", headers=sent)
        assert (answer.status_code, api.adapters.clock.monotonic() - before) == (200, seconds), lines
        assert answer.headers.get("Preference-Applied") == applied, lines
        assert int(answer.headers["Retry-After"]) >= 1


def test_nothing_is_preferred_or_waited_for_when_the_job_is_not_found(
    api: Api, bearer: dict[str, str]
) -> None:
    before = api.adapters.clock.monotonic()
    asked = {"Prefer": "wait=20", "If-None-Match": "*"}
    answer = api.http.get("/v1/jobs/job_" + "0" * 26, headers=bearer | asked)
    assert (answer.status_code, pacing(answer)) == (404, {})
    assert api.adapters.clock.monotonic() == before


def test_the_preference_is_ignored_when_as_many_requests_of_the_tenant_wait_as_may(
    api: Api, job_id: str, bearer: dict[str, str]
) -> None:
    now = api.adapters.clock.now()
    for number in range(SEATS):
        taken = Seat(tenant_id=ACME, number=number, ends_at=now + HELD_AT_MOST)
        assert api.adapters.seats.take(taken, now=now)
    path, asked = f"/v1/jobs/{job_id}", bearer | {"Prefer": "wait=20"}
    ignored = api.http.get(path, headers=asked)
    assert (ignored.status_code, set(pacing(ignored))) == (200, {"ETag", "Retry-After"})
    assert api.adapters.clock.now() == now
    theirs = api.submit(tenant=GLOBEX).headers["Location"]
    granted = api.http.get(theirs, headers=api.bearer(GLOBEX) | {"Prefer": "wait=20"})
    assert granted.headers["Preference-Applied"] == "wait=20"
    api.stack.clock.advance(8)  # with those 20 seconds, as long as a seat is held at most
    assert api.http.get(path, headers=asked).headers["Preference-Applied"] == "wait=20"


def test_retry_after_follows_the_queue_when_jobs_are_submitted_and_run(
    api: Api, job_id: str, bearer: dict[str, str]
) -> None:
    queue = api.adapters.queue
    assert isinstance(queue, MemoryQueue)

    def retry_after(answer: httpx.Response) -> int:
        api.stack.clock.advance(2)  # as long as the depth is remembered
        return int(answer.headers["Retry-After"])

    path = f"/v1/jobs/{job_id}"
    idle = retry_after(api.http.get(path, headers=bearer))
    queue.run += [JobRef(ACME, job_id)] * 40
    busy = retry_after(api.http.get(path, headers=bearer)), retry_after(api.submit("k2"))
    queue.run.clear()
    drained = retry_after(api.http.get(path, headers=bearer))
    assert (idle, drained) == (1, 1)
    assert all(seconds >= 10 for seconds in busy)
    ended = api.http.post(f"{path}/cancel", headers=bearer)
    assert pacing(ended) == {"ETag": ended.headers["ETag"]}
    assert pacing(api.http.get(path, headers=bearer)) == pacing(ended)
