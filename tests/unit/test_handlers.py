"""Handlers refuse what they must before anything is looked up or stored."""

import base64
import json
from typing import Any

import pytest

from chalicelib.domain import errors
from chalicelib.domain.access_token import SCOPES
from chalicelib.web.answers import problem_answer
from chalicelib.web.handlers import jobs
from chalicelib.web.http import Caller, Request
from tests.unit.access import Access, Unasked
from tests.unit.world import ACME, BASE_URL, World


def request(*, scopes: frozenset[str] = frozenset(SCOPES), **changes: Any) -> Request:
    fields = {
        "base_url": BASE_URL,
        "route": "/v1/jobs",
        "path": "/local/v1/jobs",
        "method": "POST",
        "url": f"{BASE_URL}/v1/jobs",
        "address": "192.0.2.1",
        "headers": {"content-type": ("application/json",), "idempotency-key": ("k",)},
        "path_parameters": {},
        "query": {},
        "body": b"{}",
        "request_id": "r1",
        "trace_id": "t1",
        "caller": Caller(tenant_id=ACME, client_id="cli_1", scopes=scopes),
    }
    return Request(**{**fields, **changes})


@pytest.mark.parametrize("job_id", ["", "x", "job_", "job_" + "0" * 27, "job_" + "U" * 26, "J" * 9000])
def test_nothing_is_looked_up_when_the_id_cannot_be_one_of_ours(world: World, job_id: str) -> None:
    with pytest.raises(errors.JobNotFound):
        jobs.get_job(world.await_job, world.estimate_wait, request(path_parameters={"job_id": job_id}))


@pytest.mark.parametrize("body", [b"null", b"[]", b'"x"', b"7"])
def test_the_body_must_be_an_object_when_a_job_is_submitted(world: World, body: bytes) -> None:
    with pytest.raises(errors.InvalidRequest) as refusal:
        jobs.submit_job(world.submit_job(world.tenants), request(body=body))
    assert [(e.pointer, e.detail) for e in refusal.value.errors] == [("", "Input should be an object")]


def test_the_answer_stays_small_when_a_body_has_endless_mistakes(world: World) -> None:
    leaves = [["x"] * 9] * 3_000
    body = {"type": "merkle.root", "input": {"leaf_encoding": ["bool"], "leaves": leaves, "n" * 9_000: 1}}
    asked = request(body=json.dumps(body).encode())
    with pytest.raises(errors.InvalidRequest) as refusal:
        jobs.submit_job(world.submit_job(world.tenants), asked)
    assert len(problem_answer(refusal.value, asked).body) < 40_000


@pytest.mark.parametrize("credentials", ["", ":", ":x", "x:y", "cli_:y", "c" * 3000 + ":y"])
def test_no_client_is_looked_up_when_its_id_cannot_be_one_of_ours(credentials: str) -> None:
    encoded = base64.b64encode(credentials.encode()).decode()
    access = Access()
    access.clients = access.tallies = access.single_use = Unasked()
    answer = access.ask({"grant_type": "client_credentials"}, f"Basic {encoded}")
    assert (answer.status, json.loads(answer.body)["error"]) == (401, "invalid_client")
