"""One job's promises, from submit to the chain, on a whole stack."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from chalicelib.domain.payload import INLINE_BYTES
from chalicelib.web.http import MAX_BODY_BYTES
from client.documents import ApiProblem, ConfirmationPath, Job, Result, Status
from client.verify import NOT_RECORDED, Registry
from emulation.environment import edge_client
from tests.e2e.conftest import Caller
from tests.stack_process import StackProcess
from tests.waiting import until

SEED = "0x" + "00" * 32
SMALL_INPUT = {"seed": SEED, "rounds": 1}
SMALL = {"type": "sha256.chain", "input": SMALL_INPUT}
OTHER = {"type": "sha256.chain", "input": {"seed": SEED, "rounds": 2}}
LONG_ROUNDS = 20_000_000
CONFIRMED = (Status.CONFIRMING, Status.SUCCEEDED)

PROBLEM_MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id", "retryable"}

_numbers = count()


@pytest.fixture
def key() -> str:
    return f"end-to-end-{next(_numbers)}"


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that has succeeded, as its tenant got to know it."""

    key: str
    accepted: httpx.Response
    job: Job
    result: Result


@pytest.fixture(scope="module")
def finished(acme: Caller) -> Finished:
    """One for all that only look at it: the chain takes seconds to confirm each."""
    key = f"finished-{next(_numbers)}"
    accepted = submit(acme, key, OTHER)
    job = acme.client.wait(accepted.json()["id"])
    return Finished(key, accepted, job, acme.client.result(job.id))


def submit(caller: Caller, key: str, body: dict[str, Any] | None = None) -> httpx.Response:
    return caller.http.post("/v1/jobs", json=body or SMALL, headers={"Idempotency-Key": key})


def submit_in_turn(caller: Caller, key: str) -> httpx.Response:
    """The answer once the caller's bucket, which other tests empty, lets the request through."""

    def admitted() -> httpx.Response | None:
        answer = submit(caller, key)
        return None if answer.status_code == 429 else answer

    answer = until(admitted, within_seconds=10, what="a submit within the rate")
    assert answer is not None
    return answer


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an answer that must be a problem document."""
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem.keys() >= PROBLEM_MEMBERS
    assert (problem["status"], problem["request_id"]) == (answer.status_code, answer.headers["Request-Id"])
    assert problem["type"].endswith(f"/v1/problems/{problem['code']}")
    return answer.status_code, problem["code"]


def used(stack: dict[str, Any], caller: Caller, use: str) -> int:
    """The requests that GetUsage counts for the tenant's key in its plan of this use."""
    gateway = edge_client("apigateway", stack["edge_url"])
    name = f"{caller.plan}-{use}"
    plan_id = next(plan["id"] for plan in gateway.get_usage_plans()["items"] if plan["name"] == name)
    key = gateway.get_usage_plan_keys(usagePlanId=plan_id, nameQuery=caller.tenant_id)["items"][0]
    today = date.fromisoformat(httpx.get(stack["clock_url"]).json()["now"][:10])
    days = {"startDate": str(today - timedelta(days=1)), "endDate": str(today)}
    usage = gateway.get_usage(usagePlanId=plan_id, keyId=key["id"], **days)
    return sum(day[0] for day in usage["items"][key["id"]])


def test_a_proof_verifies_on_the_chain_when_a_compact_job_is_followed_to_its_end(
    acme: Caller, registry: Registry
) -> None:
    submitted = acme.client.submit("sha256.chain", SMALL_INPUT, confirmation=ConfirmationPath.COMPACT)
    seen = list(acme.client.follow(submitted.job.id))
    result = acme.client.result(submitted.job.id)
    assert registry.verify(seen[-1], result, tenant_id=acme.tenant_id).wrong == ()
    states = [job.confirmation.state for job in seen if job.confirmation]
    assert states[-1] == "final"
    assert set(states) & {"broadcast", "mined"}
    assert all((job.confirmation is not None) == (job.status in CONFIRMED) for job in seen)


def test_result_verifies_on_the_chain_when_a_job_succeeds(
    acme: Caller, finished: Finished, registry: Registry
) -> None:
    job, result = finished.job, finished.result
    assert job.status is Status.SUCCEEDED
    assert json.loads(result.content) == {
        "digest": "0x2b32db6c2c0a6235fb1397e8225ea85e0f0e6e8c7b126d0016ccbde0e667151e",
        "rounds": 2,
    }
    assert registry.verify(job, result, tenant_id=acme.tenant_id).agrees


def test_a_large_result_verifies_by_its_link_when_its_input_was_uploaded(
    stack: dict[str, Any], acme: Caller, registry: Registry
) -> None:
    leaves = [[f"0x{n:040x}", str(n)] for n in range(4_000)]
    document = {"leaf_encoding": ["address", "uint256"], "leaves": leaves, "proofs": True}
    body = json.dumps(document).encode()
    assert len(body) > MAX_BODY_BYTES
    job = acme.client.wait(acme.client.submit_uploaded("merkle.root", acme.client.upload(body)).job.id)
    answer = acme.http.get(f"/v1/jobs/{job.id}/result").json()
    assert (answer["content"], answer["size_bytes"] > INLINE_BYTES) == (None, True)
    assert answer["download_url"].startswith(f"{stack['edge_url']}/")
    result = acme.client.result(job.id)
    assert len(json.loads(result.content)["proofs"]) == len(leaves)
    assert hashlib.sha256(result.content.encode()).hexdigest() == answer["sha256"]
    assert registry.verify(job, result, tenant_id=acme.tenant_id).agrees


def test_verification_fails_when_the_result_or_the_tenant_is_another(
    acme: Caller, globex: Caller, finished: Finished, registry: Registry
) -> None:
    job, result = finished.job, finished.result
    forged = registry.verify(job, replace(result, content=result.content + " "), tenant_id=acme.tenant_id)
    assert (forged.commitment.agrees, forged.recorded_hash.agrees, forged.job_key.agrees) == (
        False,
        False,
        True,
    )
    claimed = registry.verify(job, result, tenant_id=globex.tenant_id)
    assert (claimed.job_key.agrees, claimed.recorded_hash.found) == (False, NOT_RECORDED)


def test_answer_is_the_same_bytes_when_a_submit_is_repeated(acme: Caller, key: str) -> None:
    first, again = submit(acme, key), submit(acme, f'"{key}"')
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.content == again.content
    for name in ("Location", "ETag", "Content-Type"):
        assert first.headers[name] == again.headers[name]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"


def test_answer_is_the_first_one_when_the_job_has_ended_meanwhile(acme: Caller, finished: Finished) -> None:
    again = submit(acme, finished.key, OTHER)
    assert again.content == finished.accepted.content


def test_job_is_found_when_its_location_is_read_straight_after(acme: Caller, key: str) -> None:
    accepted = submit(acme, key)
    assert acme.http.get(accepted.headers["Location"]).json()["id"] == accepted.json()["id"]


def test_one_job_is_made_when_fifty_submits_share_a_key(acme: Caller, key: str) -> None:
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: submit(acme, key), range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1


def test_two_jobs_are_made_when_two_tenants_use_one_key(acme: Caller, globex: Caller, key: str) -> None:
    ours, theirs = submit(acme, key), submit_in_turn(globex, key)
    assert ours.json()["id"] != theirs.json()["id"]
    assert "Idempotent-Replayed" not in theirs.headers


def test_problem_is_422_when_the_key_belongs_to_another_request(acme: Caller, key: str) -> None:
    first = submit(acme, key)
    other = submit(acme, key, OTHER)
    assert problem_of(other) == (422, "idempotency_key_reused")
    assert submit(acme, key).content == first.content


def test_job_never_reaches_the_chain_when_it_is_canceled_while_running(
    acme: Caller, registry: Registry
) -> None:
    client = acme.client
    job_id = client.submit("sha256.chain", {"seed": SEED, "rounds": LONG_ROUNDS}).job.id
    seen = next(job for job in client.follow(job_id) if job.progress is not None)
    assert seen.status is Status.RUNNING
    canceled = client.cancel(job_id)
    assert canceled.status is Status.CANCELED
    later = client.wait(client.submit("sha256.chain", SMALL_INPUT).job.id)
    assert later.status is Status.SUCCEEDED
    assert client.get(job_id) == canceled == client.cancel(job_id)
    assert registry.recorded_hash(registry.job_key(acme.tenant_id, job_id)) == NOT_RECORDED


def test_problem_names_the_state_when_a_job_is_canceled_too_late(acme: Caller, finished: Finished) -> None:
    with pytest.raises(ApiProblem) as raised:
        acme.client.cancel(finished.job.id)
    assert (raised.value.status, raised.value.code) == (409, "job_not_cancelable")
    assert "succeeded" in raised.value.detail


GOOD = json.dumps(SMALL).encode()
JSON = {"Content-Type": "application/json"}
BAD_REQUESTS = {
    "not JSON": (b"{", JSON, 400, "malformed_json"),
    "a name twice": (b'{"type": "sha256.chain", "type": "sha256.chain"}', JSON, 400, "malformed_json"),
    "no members": (b"{}", JSON, 400, "invalid_request"),
    "an unknown member": (GOOD[:-1] + b', "more": 1}', JSON, 400, "invalid_request"),
    "an unknown type": (b'{"type": "sha512.chain", "input": {}}', JSON, 400, "unknown_job_type"),
    "a bad input": (b'{"type": "sha256.chain", "input": {}}', JSON, 400, "invalid_request"),
    "another media type": (GOOD, {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
    "too large": (GOOD + b" " * 200_000, JSON, 413, "payload_too_large"),
    "no bearer": (GOOD, {**JSON, "Authorization": "Basic YTpi"}, 401, "invalid_token"),
    "a forged token": (
        GOOD,
        {**JSON, "Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."},
        401,
        "invalid_token",
    ),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_nothing_is_stored_when_the_request_is_bad(acme: Caller, key: str, name: str) -> None:
    content, headers, status, code = BAD_REQUESTS[name]
    auth = None if "Authorization" in headers else httpx.USE_CLIENT_DEFAULT
    bad = acme.http.request(
        "POST", "/v1/jobs", content=content, headers={"Idempotency-Key": key, **headers}, auth=auth
    )
    assert problem_of(bad) == (status, code)
    good = submit(acme, key)
    assert (good.status_code, "Idempotent-Replayed" in good.headers) == (202, False)


@pytest.mark.parametrize(
    "keys", [(), (b"",), (b"k" * 256,), ("k\u00e9y".encode(),), (b"one", b"two")], ids=str
)
def test_problem_is_400_when_the_key_is_missing_or_bad(acme: Caller, keys: tuple[bytes, ...]) -> None:
    headers = [(b"Idempotency-Key", key) for key in keys]
    answer = acme.http.post("/v1/jobs", json=SMALL, headers=headers)
    assert problem_of(answer)[0] == 400


def test_every_mistake_is_named_when_the_input_has_several(acme: Caller, key: str) -> None:
    wrong = {"type": "sha256.chain", "input": {"seed": "0x5e", "rounds": 0, "colour": "green"}}
    named = {error["pointer"] for error in submit(acme, key, wrong).json()["errors"]}
    assert named == {"/input/seed", "/input/rounds", "/input/colour"}


def test_job_looks_absent_when_it_is_another_tenants(acme: Caller, globex: Caller, key: str) -> None:
    job_id = submit(acme, key).json()["id"]
    absent_id = job_id[:-4] + "0000"
    foreign, absent = (globex.http.get(f"/v1/jobs/{each}") for each in (job_id, absent_id))
    assert problem_of(foreign) == problem_of(absent) == (404, "job_not_found")

    def without_ids(answer: httpx.Response) -> dict[str, Any]:
        return {k: v for k, v in answer.json().items() if k not in ("request_id", "instance")}

    assert without_ids(foreign) == without_ids(absent)


def test_gateway_answers_429_as_a_problem_when_a_burst_is_spent(globex: Caller) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: submit(globex, f"burst-{n}"), range(20)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} <= {202, 429}
    assert refused
    for answer in refused:
        assert problem_of(answer) == (429, "rate_limited")
        assert (answer.headers["Retry-After"], answer.json()["retryable"]) == ("1", True)


def test_submits_are_not_counted_when_a_job_is_polled(stack: dict[str, Any], acme: Caller, key: str) -> None:
    job_id = submit(acme, key).json()["id"]
    before = used(stack, acme, "submit"), used(stack, acme, "read")
    for _ in range(10):
        acme.client.get(job_id)
    assert (used(stack, acme, "submit"), used(stack, acme, "read")) == (before[0], before[1] + 10)


def test_a_job_is_taken_when_all_that_is_sent_comes_from_the_reference(
    stack: dict[str, Any], key: str
) -> None:
    tenant = next(each for each in stack["tenants"] if each["name"] == "acme")
    with httpx.Client(base_url=stack["edge_url"]) as http:
        document = http.get(f"{stack['docs_url']}/openapi.json").json()
        flow = document["components"]["securitySchemes"]["oauth"]["flows"]["clientCredentials"]
        token = http.post(
            flow["tokenUrl"],
            data={"grant_type": "client_credentials", "scope": " ".join(flow["scopes"])},
            auth=(tenant["client_id"], tenant["client_secret"]),
        ).json()["access_token"]
        path, submitting = next(
            (path, item["post"])
            for path, item in document["paths"].items()
            if item.get("post", {}).get("operationId") == "submitJob"
        )
        example = submitting["requestBody"]["content"]["application/json"]["examples"]["sha256.chain"][
            "value"
        ]
        answer = http.post(
            document["servers"][0]["url"] + path,
            json=example,
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key},
        )
    assert answer.status_code == 202


def test_one_trace_is_in_the_functions_log_when_a_job_goes_from_its_submit_to_the_chain(
    started: StackProcess, acme: Caller, key: str
) -> None:
    trace_id = hashlib.sha256(key.encode()).hexdigest()[:32]
    headers = {"Idempotency-Key": key, "traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    answer = acme.http.post("/v1/jobs", json=SMALL, headers=headers)
    acme.client.wait(answer.json()["id"])

    def told() -> set[str]:
        lines = (line for line in started.logged("functions").splitlines() if trace_id in line)
        return {json.loads(line)["message"] for line in lines}

    until(lambda: told() == {"answered", "woken", "confirmed"}, within_seconds=10)
