"""The users' client, against a service of a few lines."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import httpx
import pytest

from client.documents import ApiProblem, FieldError, Job, Status
from client.jobs import JobsClient, StillRunning
from client.system import System

BASE_URL = "http://jobs.test/stage"
TOKEN_SECONDS = 600
Connect: TypeAlias = "Callable[[Iterable[httpx.Response]], tuple[JobsClient, Service]]"
QUEUED = {
    "object": "job",
    "id": "job_1",
    "type": "sha256.chain",
    "status": "queued",
    "version": 1,
    "created_at": "2026-11-23T06:00:00.000Z",
    "entered": {},
    "progress": None,
    "confirmation": None,
    "error": None,
    "url": f"{BASE_URL}/v1/jobs/job_1",
    "result_url": None,
}
RUNNING = {**QUEUED, "status": "running", "version": 2, "progress": {"completed": 1, "total": 2}}
SUCCEEDED = {**QUEUED, "status": "succeeded", "version": 4}


@dataclass(slots=True)
class ManualSystem(System):
    """Time that passes only where someone waits."""

    time: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.time

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds


@dataclass(slots=True)
class Service:
    """Issues tokens, and gives the next of its answers to whatever else it is asked."""

    answers: Iterator[httpx.Response]
    tokens: int = 0
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/stage/v1/oauth/token":
            self.tokens += 1
            return httpx.Response(
                200, json={"access_token": f"token-{self.tokens}", "expires_in": TOKEN_SECONDS}
            )
        # A copy: the client changes and sends the same request again.
        self.asked.append(httpx.Request(request.method, request.url, headers=request.headers))
        return next(self.answers)

    def sent(self, header: str) -> list[str]:
        return [request.headers[header] for request in self.asked]


@pytest.fixture
def system() -> ManualSystem:
    return ManualSystem()


@pytest.fixture
def connect(system: ManualSystem) -> Connect:
    def connected(answers: Iterable[httpx.Response]) -> tuple[JobsClient, Service]:
        service = Service(iter(answers))
        transport = httpx.MockTransport(service)
        return JobsClient(BASE_URL, "cli_1", "s/cret", transport=transport, system=system), service

    return connected


def job(body: dict[str, object], status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(
        status, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def problem(status: int, code: str, *, retryable: bool = False) -> httpx.Response:
    body = {"code": code, "detail": "because", "title": "T", "retryable": retryable}
    return httpx.Response(status, json=body, headers={"Retry-After": "3"})


def test_one_token_serves_when_many_requests_are_sent(connect: Connect) -> None:
    client, service = connect([job(QUEUED)] * 3)
    for _ in range(3):
        client.get("job_1")
    assert (service.tokens, service.sent("Authorization")) == (1, ["Bearer token-1"] * 3)


def test_token_is_renewed_when_it_is_about_to_end(connect: Connect, system: ManualSystem) -> None:
    client, service = connect([job(QUEUED)] * 2)
    client.get("job_1")
    system.time = TOKEN_SECONDS - 1
    client.get("job_1")
    assert service.sent("Authorization") == ["Bearer token-1", "Bearer token-2"]


def test_request_is_sent_again_with_a_fresh_token_when_the_service_refuses_its_token(
    connect: Connect,
) -> None:
    client, service = connect([httpx.Response(401), job(QUEUED, 202)])
    assert client.submit("sha256.chain", {}).job.id == "job_1"
    assert service.sent("Authorization") == ["Bearer token-1", "Bearer token-2"]
    assert len(set(service.sent("Idempotency-Key"))) == 1


def test_problem_is_raised_when_a_fresh_token_is_refused_too(connect: Connect) -> None:
    client, service = connect([httpx.Response(401), problem(401, "invalid_token")])
    with pytest.raises(ApiProblem, match="401 invalid_token"):
        client.get("job_1")
    assert len(service.asked) == 2


def test_keys_differ_when_none_is_given(connect: Connect) -> None:
    client, service = connect([job(QUEUED, 202)] * 2)
    for _ in range(2):
        client.submit("sha256.chain", {})
    assert len(set(service.sent("Idempotency-Key"))) == 2


def test_submit_is_a_replay_when_the_service_says_so(connect: Connect) -> None:
    client, service = connect([job(QUEUED, 202), job(QUEUED, 202, Idempotent_Replayed="true")])
    replayed = [client.submit("sha256.chain", {}, idempotency_key="mine").replayed for _ in range(2)]
    assert (replayed, service.sent("Idempotency-Key")) == ([False, True], ["mine", "mine"])


def test_problem_has_its_members_when_the_service_refuses(connect: Connect) -> None:
    errors = [{"pointer": "/input/seed", "detail": "too short"}]
    body = {"code": "invalid_request", "title": "Invalid request", "detail": "see errors", "errors": errors}
    client, _ = connect([httpx.Response(400, json=body, headers={"Request-Id": "r1", "Retry-After": "7"})])
    with pytest.raises(ApiProblem) as raised:
        client.cancel("job_1")
    found = raised.value
    assert (found.status, found.code, found.title, found.retryable) == (
        400,
        "invalid_request",
        "Invalid request",
        False,
    )
    assert found.errors == (FieldError("/input/seed", "too short"),)
    assert (found.request_id, found.retry_after) == ("r1", 7)


def test_problem_is_raised_when_an_error_is_no_problem_document(connect: Connect) -> None:
    client, _ = connect([httpx.Response(502, text="<html>")])
    with pytest.raises(ApiProblem, match="502 no_problem_document: Bad Gateway"):
        client.result("job_1")


def test_waits_end_when_the_job_has_ended(connect: Connect, system: ManualSystem) -> None:
    client, _ = connect([job(QUEUED, Retry_After="2"), job(RUNNING, Retry_After="5"), job(SUCCEEDED)])
    seen: list[Job] = []
    assert client.wait("job_1", seen.append).status is Status.SUCCEEDED
    assert [each.status for each in seen] == ["queued", "running", "succeeded"]
    assert system.pauses == [2, 5]


def test_poll_is_repeated_when_the_problem_is_retryable(connect: Connect, system: ManualSystem) -> None:
    client, _ = connect([problem(503, "unavailable", retryable=True), job(SUCCEEDED)])
    assert client.wait("job_1").status is Status.SUCCEEDED
    assert system.pauses == [3]


def test_wait_stops_when_the_problem_is_not_retryable(connect: Connect) -> None:
    client, _ = connect([problem(404, "job_not_found")])
    with pytest.raises(ApiProblem, match="job_not_found"):
        client.wait("job_1")


def test_wait_says_so_when_its_time_is_up(connect: Connect, system: ManualSystem) -> None:
    client, _ = connect([job(RUNNING)] * 20)
    with pytest.raises(StillRunning, match="job_1"):
        client.wait("job_1", timeout_seconds=10)
    assert system.time <= 10


def test_only_open_jobs_are_polled_when_one_of_two_has_ended(connect: Connect) -> None:
    client, service = connect(
        [job(SUCCEEDED), job({**RUNNING, "id": "job_2"}), job({**SUCCEEDED, "id": "job_2"})]
    )
    assert [each.id for each in client.follow("job_1", "job_2")] == ["job_1", "job_2", "job_2"]
    assert [request.url.path[-5:] for request in service.asked] == ["job_1", "job_2", "job_2"]


def test_token_error_is_raised_when_the_client_is_unknown() -> None:
    refusal = httpx.Response(401, json={"error": "invalid_client", "error_description": "no such client"})
    client = JobsClient(BASE_URL, "cli_1", "wrong", transport=httpx.MockTransport(lambda _: refusal))
    with pytest.raises(ApiProblem, match="401 invalid_client: no such client"):
        client.get("job_1")
