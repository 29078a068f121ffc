"""The users' client, against a service of a few lines."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest
from pydantic import ValidationError

from client.documents import ApiProblem, Compute, Confirmation, ConfirmationPath, FieldError, Proof, Status
from client.jobs import JobsClient
from client.oauth import UnknownTokenType
from client.payloads import WrongContent
from client.plan_limit import PlanLimit
from client.system import System
from client.watching import StillRunning

BASE_URL = "http://jobs.test/stage"
TOKEN_SECONDS = 600
Answer: TypeAlias = httpx.Response | httpx.TransportError
Connect: TypeAlias = "Callable[[Iterable[Answer]], tuple[JobsClient, Service]]"
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
WORD = "0x" + "77" * 32
PENDING = {
    "path": "compact",
    "state": "pending",
    "chain_id": 31337,
    "registry": "0x" + "aa" * 20,
    "job_key": WORD,
    "transaction_hash": None,
    "block_number": None,
    "depth": 0,
    "gas_used": None,
    "gas_price_wei": None,
    "proof": None,
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
    """Issues tokens, once its refusals are over, and answers in turn whatever else it is asked, if it can."""

    answers: Iterator[Answer]
    tokens: int = 0
    token_type: str = "Bearer"
    refusals: list[httpx.Response] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/stage/v1/oauth/token":
            if self.refusals:
                return self.refusals.pop()
            self.tokens += 1
            return httpx.Response(
                200,
                json={
                    "access_token": f"token-{self.tokens}",
                    "token_type": self.token_type,
                    "expires_in": TOKEN_SECONDS,
                },
            )
        # A copy: the client changes and sends the same request again.
        self.asked.append(
            httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        )
        answer = next(self.answers)
        if isinstance(answer, httpx.TransportError):
            raise answer
        return answer

    def sent(self, header: str) -> list[str]:
        return [request.headers[header] for request in self.asked]


@pytest.fixture
def system() -> ManualSystem:
    return ManualSystem()


@pytest.fixture
def connect(system: ManualSystem) -> Connect:
    def connected(answers: Iterable[Answer]) -> tuple[JobsClient, Service]:
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


def test_a_confirmation_is_asked_for_only_when_one_is_chosen(connect: Connect) -> None:
    client, service = connect([job(QUEUED, 202)] * 3)
    client.submit("sha256.chain", {})
    client.submit("sha256.chain", {}, confirmation=ConfirmationPath.COMPACT)
    client.submit_uploaded("sha256.chain", "upl_1", confirmation=ConfirmationPath.DIRECT)
    assert [json.loads(request.content) for request in service.asked] == [
        {"type": "sha256.chain", "input": {}},
        {"type": "sha256.chain", "input": {}, "confirmation": "compact"},
        {"type": "sha256.chain", "input_upload": "upl_1", "confirmation": "direct"},
    ]


def test_the_deadline_is_asked_for_only_when_one_is_given(connect: Connect) -> None:
    client, service = connect([job(QUEUED, 202)] * 2)
    client.submit("sha256.chain", {}, deadline_seconds=60)
    client.submit_uploaded("sha256.chain", "upl_1", deadline_seconds=1)
    assert [json.loads(request.content) for request in service.asked] == [
        {"type": "sha256.chain", "input": {}, "deadline_seconds": 60},
        {"type": "sha256.chain", "input_upload": "upl_1", "deadline_seconds": 1},
    ]


def test_a_job_reads_whole_when_the_service_is_older_or_newer(connect: Connect) -> None:
    newer: dict[str, object] = {
        **QUEUED,
        "type_version": 2,
        "deadline_at": "2026-11-24T06:00:00.000Z",
        "compute": {"estimated_units": None, "used_units": 3},
        "colour": "blue",
    }
    client, _ = connect([job(QUEUED), job(newer)])
    old, new = client.get("job_1"), client.get("job_1")
    assert (old.type_version, old.deadline_at, old.compute) == (None, None, None)
    assert (new.type_version, new.compute) == (2, Compute(estimated_units=None, used_units=3))
    assert new.deadline_at == datetime(2026, 11, 24, 6, tzinfo=UTC)
    assert (old.document, new.document) == (QUEUED, newer)


def test_a_confirmation_reads_whole_when_it_is_under_way_and_when_it_is_final(connect: Connect) -> None:
    final = {**PENDING, "state": "final", "transaction_hash": WORD, "block_number": 7, "depth": 3}
    proof = {"word": WORD, "bit": 255, "mask": WORD, "root": WORD, "siblings": [WORD]}
    final |= {"gas_used": 500, "gas_price_wei": str(2**64), "proof": proof}
    client, _ = connect([job({**QUEUED, "confirmation": each}) for each in (PENDING, final)])
    early, late = (client.get("job_1").confirmation for _ in range(2))
    assert early == Confirmation(**PENDING)
    proof["siblings"] = (WORD,)
    assert late == Confirmation(**final | {"gas_price_wei": 2**64, "proof": Proof(**proof)})


@pytest.mark.parametrize("wrong", [{"bit": 256}, {"bit": -1}, {"word": "0x1"}, {"siblings": ["0xzz"]}])
def test_a_proof_is_refused_when_it_cannot_be_one(connect: Connect, wrong: dict[str, object]) -> None:
    proof = {"word": WORD, "bit": 0, "mask": WORD, "root": WORD, "siblings": [], **wrong}
    client, _ = connect([job({**QUEUED, "confirmation": {**PENDING, "proof": proof}})])
    with pytest.raises(ValidationError):
        client.get("job_1")


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


def test_one_request_is_enough_when_the_service_waits_for_the_end(
    connect: Connect, system: ManualSystem
) -> None:
    client, service = connect([job(SUCCEEDED, Preference_Applied="wait=20")])
    assert client.wait("job_1").status is Status.SUCCEEDED
    assert (service.sent("Prefer"), system.pauses) == (["wait=20"], [0])


def test_the_next_long_poll_follows_at_once_when_one_was_in_vain(
    connect: Connect, system: ManualSystem
) -> None:
    in_vain = job(RUNNING, Preference_Applied="wait=20", Retry_After="9")
    client, service = connect([in_vain, in_vain, job(SUCCEEDED)])
    assert client.wait("job_1").status is Status.SUCCEEDED
    assert (len(service.asked), sum(system.pauses)) == (3, 0)


def test_retry_after_is_kept_when_the_service_did_not_wait(connect: Connect, system: ManualSystem) -> None:
    client, _ = connect([job(QUEUED, Retry_After="2"), job(RUNNING, Retry_After="5"), job(SUCCEEDED)])
    assert client.wait("job_1").status is Status.SUCCEEDED
    assert system.pauses == [0, 2, 5]


def test_long_polls_are_no_longer_than_the_time_given_when_little_is_left(
    connect: Connect, system: ManualSystem
) -> None:
    client, service = connect([job(RUNNING, Retry_After="5")] * 9)
    with pytest.raises(StillRunning):
        client.wait("job_1", timeout_seconds=10)
    assert [request.headers.get("Prefer") for request in service.asked] == ["wait=10", "wait=5", None]


def test_poll_is_repeated_when_the_problem_is_retryable(connect: Connect, system: ManualSystem) -> None:
    client, _ = connect([problem(503, "unavailable", retryable=True), job(SUCCEEDED)])
    assert client.wait("job_1").status is Status.SUCCEEDED
    assert system.pauses == [0, 3]


def test_poll_is_repeated_when_connections_are_lost(connect: Connect, system: ManualSystem) -> None:
    lost = httpx.ReadError("connection reset")
    client, service = connect([lost, job(RUNNING, Retry_After="2"), *[lost] * 15, job(SUCCEEDED)])
    assert client.wait("job_1").status is Status.SUCCEEDED
    assert (len(service.asked), system.pauses) == (18, [0, 1, 2, *[1] * 15])


def test_wait_stops_when_no_connection_comes_back(connect: Connect) -> None:
    client, service = connect([httpx.ConnectError("connection refused")] * 99)
    with pytest.raises(httpx.ConnectError):
        client.wait("job_1")
    assert len(service.asked) == 16


def test_wait_stops_when_the_problem_is_not_retryable(connect: Connect) -> None:
    client, _ = connect([problem(404, "job_not_found")])
    with pytest.raises(ApiProblem, match="job_not_found"):
        client.wait("job_1")


def test_wait_says_so_when_its_time_is_up(connect: Connect, system: ManualSystem) -> None:
    client, _ = connect([job(RUNNING)] * 20)
    with pytest.raises(StillRunning, match="job_1"):
        client.wait("job_1", timeout_seconds=10)
    assert system.time <= 10


def test_every_change_is_seen_when_the_last_open_job_is_followed(
    connect: Connect, system: ManualSystem
) -> None:
    client, service = connect(
        [
            job(QUEUED, ETag='"1"', Retry_After="1"),
            job(RUNNING, ETag='"2"', Preference_Applied="wait=20"),
            httpx.Response(304, headers={"ETag": '"2"', "Preference-Applied": "wait=20"}),
            job(SUCCEEDED, ETag='"3"', Preference_Applied="wait=20"),
        ]
    )
    assert [each.status for each in client.follow("job_1")] == ["queued", "running", "succeeded"]
    sent = [(each.headers.get("If-None-Match"), each.headers.get("Prefer")) for each in service.asked]
    assert sent == [(None, None), ('"1"', "wait=20"), ('"2"', "wait=20"), ('"2"', "wait=20")]
    assert system.pauses == [0, 1, 0, 0]


def test_each_job_is_polled_at_its_own_pace_when_several_are_followed(
    connect: Connect, system: ManualSystem
) -> None:
    slow, fast = {**QUEUED, "id": "job_s"}, {**RUNNING, "id": "job_f"}
    client, service = connect(
        [
            job(slow, ETag='"s"', Retry_After="9"),
            job(fast, ETag='"f"', Retry_After="4"),
            httpx.Response(304, headers={"Retry-After": "4"}),
            job({**fast, "status": "succeeded"}, Retry_After="4"),
            job({**slow, "status": "succeeded"}, Preference_Applied="wait=20"),
        ]
    )
    seen = [(each.id, each.status.value) for each in client.follow("job_s", "job_f")]
    assert seen == [
        ("job_s", "queued"),
        ("job_f", "running"),
        ("job_f", "succeeded"),
        ("job_s", "succeeded"),
    ]
    assert [request.url.path[-1] for request in service.asked] == ["s", "f", "f", "f", "s"]
    assert [request.headers.get("Prefer") for request in service.asked] == [None] * 4 + ["wait=20"]
    assert (system.pauses, system.time) == ([0, 0, 4, 4, 1], 9)


def test_token_error_is_raised_when_the_client_is_unknown() -> None:
    refusal = httpx.Response(401, json={"error": "invalid_client", "error_description": "no such client"})
    client = JobsClient(BASE_URL, "cli_1", "wrong", transport=httpx.MockTransport(lambda _: refusal))
    with pytest.raises(ApiProblem, match="401 invalid_client: no such client"):
        client.get("job_1")


def test_the_problem_says_when_to_ask_again_when_too_many_secrets_were_wrong(connect: Connect) -> None:
    client, service = connect([job(QUEUED)])
    service.refusals.append(throttled())
    with pytest.raises(ApiProblem, match="429 too_many_attempts") as refusal:
        client.get("job_1")
    assert (refusal.value.retryable, refusal.value.retry_after) == (True, 42)
    assert client.get("job_1").id == "job_1"


def test_wait_goes_on_when_the_token_endpoint_lets_nobody_in_for_a_while(
    connect: Connect, system: ManualSystem
) -> None:
    client, service = connect([job(SUCCEEDED)])
    service.refusals.append(throttled())
    assert client.wait("job_1").status is Status.SUCCEEDED
    assert (service.tokens, system.pauses) == (1, [0, 42])


@pytest.mark.parametrize("token_type", ["bearer", "BEARER"])
def test_the_token_is_sent_when_its_type_is_spelt_otherwise(connect: Connect, token_type: str) -> None:
    client, service = connect([job(QUEUED)])
    service.token_type = token_type
    client.get("job_1")
    assert service.sent("Authorization") == ["Bearer token-1"]


def test_no_token_is_sent_when_it_is_of_an_unknown_type(connect: Connect) -> None:
    client, service = connect([job(QUEUED)])
    service.token_type = "DPoP"
    with pytest.raises(UnknownTokenType, match="DPoP"):
        client.get("job_1")
    assert service.asked == []


def throttled() -> httpx.Response:
    body = {"code": "too_many_attempts", "detail": "Too many wrong credentials.", "retryable": True}
    return httpx.Response(429, json=body, headers={"Retry-After": "42"})


def jobs_page(*ids: str, next_cursor: str | None = None) -> httpx.Response:
    data = [{**QUEUED, "id": job_id} for job_id in ids]
    body = {"object": "list", "data": data, "has_more": next_cursor is not None, "next_cursor": next_cursor}
    return httpx.Response(200, json={**body, "url": f"{BASE_URL}/v1/jobs"})


def test_jobs_come_from_every_page_when_they_are_listed(connect: Connect) -> None:
    client, service = connect(
        [jobs_page("job_3", "job_2", next_cursor="a"), jobs_page(next_cursor="b"), jobs_page("job_1")]
    )
    jobs = client.list(status=Status.QUEUED, created_before=datetime(2026, 11, 24, tzinfo=UTC), page_size=2)
    assert [job.id for job in jobs] == ["job_3", "job_2", "job_1"]
    filters = {"status": "queued", "created_before": "2026-11-24T00:00:00+00:00", "limit": "2"}
    assert [dict(asked.url.params) for asked in service.asked] == [
        filters,
        {**filters, "cursor": "a"},
        {**filters, "cursor": "b"},
    ]


def test_no_page_is_asked_for_when_nobody_wants_its_jobs(connect: Connect) -> None:
    client, service = connect([jobs_page("job_2", "job_1", next_cursor="a")])
    jobs = client.list()
    assert service.asked == []
    assert [next(jobs).id, next(jobs).id] == ["job_2", "job_1"]
    assert [dict(asked.url.params) for asked in service.asked] == [{}]


def test_integers_are_exact_when_usage_is_larger_than_json_keeps(connect: Connect) -> None:
    usage = {
        "from": "2026-11-22",
        "to": "2026-11-23",
        "meters": [
            {
                "meter": "job.accepted",
                "unit": "job",
                "total": str(2**60 + 1),
                "days": [{"day": "2026-11-23", "quantity": str(2**60 + 1)}],
            }
        ],
        "entitlements": {
            "plan": "pro",
            "period": "2026-11",
            "jobs_admitted": 3,
            "jobs_per_month": 50_000,
            "active_jobs": 1,
            "active_jobs_limit": 1_000,
            "resets_at": "2026-12-01T00:00:00.000Z",
        },
    }
    client, service = connect([httpx.Response(200, json=usage)] * 2)
    first, last = date(2026, 11, 22), date(2026, 11, 23)
    found = client.usage(first, last)
    client.usage()
    assert (found.first, found.last, found.meters[0].total) == (first, last, 2**60 + 1)
    assert found.entitlements.jobs_per_month == 50_000
    assert [str(request.url.params) for request in service.asked] == ["from=2026-11-22&to=2026-11-23", ""]


def test_money_is_exact_when_an_invoice_is_read_of_an_old_service_or_a_new_one(connect: Connect) -> None:
    line = {
        "item": "job.accepted",
        "plan": "pro",
        "price_version": "2026-11",
        "quantity": "3",
        "unit": "job",
        "unit_price_micros": str(2**60),
        "amount_micros": str(3 * 2**60),
    }
    cut_offs = {"event_time": "2026-12-01T00:00:00.000Z", "ingestion_time": "2026-12-04T00:00:00.000Z"}
    old = {"period": "2026-11", "status": "draft", "currency": "USD", "lines": [line], "cut_offs": cut_offs}
    old["total_micros"] = str(3 * 2**60)
    sums = {"subtotal_micros": "-1", "tax_micros": "0", "total_micros": "-1"}
    late = {**line, "tier": 2, "quantity": "-1", "unit_price_micros": "1", "amount_micros": "-1"}
    adjustment = {"number": "n-A1", "adjusts": "n", "cut_offs": cut_offs, "lines": [late], **sums}
    new = {**old, "number": "n", "tenant_id": "ten_1", "lines": [{**line, "tier": 1}], "tax_micros": "0"}
    new |= {
        "subtotal_micros": old["total_micros"],
        "adjustments": [adjustment],
        "due_micros": str(3 * 2**60 - 1),
    }
    client, service = connect([httpx.Response(200, json=old), httpx.Response(200, json=new)])
    first, second = client.invoice("2026-11"), client.invoice("2026-11")
    for found in (first, second):
        assert (found.status, found.lines[0].amount_micros, found.total_micros) == (
            "draft",
            3 * 2**60,
            3 * 2**60,
        )
    assert (first.number, first.lines[0].tier, first.subtotal_micros, first.due_micros) == (None,) * 4
    assert (second.number, second.lines[0].tier, second.due_micros) == ("n", 1, 3 * 2**60 - 1)
    assert (second.adjustments[0].lines[0].quantity, second.adjustments[0].total_micros) == (-1, -1)
    assert service.asked[0].url.path == "/stage/v1/invoices/2026-11"


def test_the_limit_is_a_value_when_a_submit_is_refused_by_it(connect: Connect) -> None:
    limit = {"name": "spend_cap_micros", "allowed": str(2**60), "used": "2", "needed": "3", "resets_at": None}
    refused = {"code": "spend_cap_exceeded", "detail": "because", "limit": limit}
    client, _ = connect([httpx.Response(402, json=refused), problem(429, "job_quota_exceeded")])
    limits = []
    for _ in range(2):
        with pytest.raises(ApiProblem) as raised:
            client.submit("sha256.chain", {})
        limits.append(raised.value.limit)
    told = PlanLimit(name="spend_cap_micros", allowed=2**60, used=2, needed=3, resets_at=None)
    assert limits == [told, None]


def test_job_types_are_told_when_they_are_asked_for(connect: Connect) -> None:
    job_type = {"name": "a.b", "title": "A", "description": "B.", "input_schema": {"type": "object"}}
    later = {**job_type, "version": 2, "compute_unit": "a round", "available": False, "example": {"n": 1}}
    client, _ = connect([httpx.Response(200, json={"object": "list", "data": [job_type, later]})])
    old, new = client.job_types().data
    assert (old.input_schema, old.version, old.available, old.example) == (
        {"type": "object"},
        None,
        True,
        None,
    )
    assert (new.version, new.compute_unit, new.available, new.example) == (2, "a round", False, {"n": 1})


LARGE = {
    "object": "result",
    "job_id": "job_1",
    "content": None,
    "size_bytes": 7,
    "download_url": "http://store.test/job-results/1?X-Amz-Signature=0",
    "sha256": hashlib.sha256(b'{"n":1}').hexdigest(),
    "salt": "0x01",
    "commitment": "0x02",
}
UPLOAD = {
    "id": "upl_1",
    "url": "http://store.test/job-uploads/1?X-Amz-Signature=0",
    "signed_headers": {"content-length": "2", "x-amz-checksum-sha256": "RBNv"},
}


def test_a_result_is_whole_when_the_service_gives_a_link_to_it(connect: Connect) -> None:
    client, service = connect([httpx.Response(200, json=LARGE), httpx.Response(200, content=b'{"n":1}')])
    assert client.result("job_1").content == '{"n":1}'
    assert str(service.asked[1].url) == LARGE["download_url"]
    assert "Authorization" not in service.asked[1].headers


@pytest.mark.parametrize(
    "wrong", [{"sha256": "ab"}, {"size_bytes": 8}, {"content": '{"n":2}', "download_url": None}]
)
def test_a_result_is_refused_when_it_is_not_what_was_announced(
    connect: Connect, wrong: dict[str, object]
) -> None:
    answers = [httpx.Response(200, json={**LARGE, **wrong}), httpx.Response(200, content=b'{"n":1}')]
    client, _ = connect(answers)
    with pytest.raises(WrongContent):
        client.result("job_1")


def test_the_stores_refusal_is_raised_when_a_link_has_expired(connect: Connect) -> None:
    client, _ = connect([httpx.Response(200, json=LARGE), httpx.Response(403, text="<Error/>")])
    with pytest.raises(ApiProblem, match="403 no_problem_document: Forbidden"):
        client.result("job_1")


@pytest.mark.parametrize("kind", ["bytes", "path", "file"])
def test_an_upload_is_sent_as_it_was_signed_when_its_bytes_are_announced(
    connect: Connect, tmp_path: Path, kind: str
) -> None:
    client, service = connect([httpx.Response(201, json=UPLOAD), httpx.Response(200)])
    path = tmp_path / "input.json"
    path.write_bytes(b"{}")
    with path.open("rb") as file:
        assert client.upload({"bytes": b"{}", "path": path, "file": file}[kind]) == "upl_1"
    announced, put = service.asked
    assert json.loads(announced.content) == {
        "size_bytes": 2,
        "sha256": hashlib.sha256(b"{}").hexdigest(),
    }
    assert (put.content, "Transfer-Encoding" in put.headers) == (b"{}", False)
    assert (put.method, str(put.url)) == ("PUT", UPLOAD["url"])
    assert [put.headers[name] for name in ("content-length", "x-amz-checksum-sha256")] == ["2", "RBNv"]
    assert "Authorization" not in put.headers
