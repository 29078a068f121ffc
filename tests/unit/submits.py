"""Submits as they arrive at the handler, and their answers as they leave."""

import json
from dataclasses import replace
from typing import Any

from chalicelib.domain.errors import DomainError
from chalicelib.ports import Tenants
from chalicelib.web.answers import problem_answer
from chalicelib.web.handlers import jobs
from chalicelib.web.http import Caller, Request, Response
from tests.unit.world import ACME, BASE_URL, SEED, World

GOOD = {"type": "sha256.chain", "input": {"seed": SEED, "rounds": 3}}
BODY = json.dumps(GOOD).encode()
OTHER = json.dumps({"type": "sha256.chain", "input": {"seed": SEED, "rounds": 4}}).encode()


def post(
    world: World,
    *keys: str,
    body: bytes = BODY,
    tenant: str = ACME,
    media_type: str = "application/json",
    tenants: Tenants | None = None,
    **changes: Any,
) -> Response:
    """The answer to a submit with these Idempotency-Key headers, problems included.

    `changes` are of the use case: a service that is another than when the key was first used.
    """
    request = Request(
        base_url=BASE_URL,
        route="/v1/jobs",
        path="/local/v1/jobs",
        method="POST",
        url=f"{BASE_URL}/v1/jobs",
        address="192.0.2.1",
        headers={"content-type": (media_type,), "idempotency-key": keys},
        path_parameters={},
        query={},
        body=body,
        request_id="r1",
        trace_id="t1",
        caller=Caller(tenant_id=tenant, client_id="cli_1", scopes=frozenset({"jobs:write"})),
    )
    try:
        submit = replace(world.submit_job(tenants or world.tenants), **changes)
        return jobs.submit_job(submit, request)
    except DomainError as error:
        return problem_answer(error, request)
