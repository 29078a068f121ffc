"""How each problem is brought about: what is done to the API before the call, and to the call.

A code that the table of operations lists, and that nothing here provokes, fails the test that names it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any, cast

import httpx
from pydantic import JsonValue

from chalicelib.container import Adapters, Container
from chalicelib.domain.errors import SpendCapExceeded, Unavailable
from chalicelib.domain.job import JobRef
from chalicelib.domain.tallies import FAILURES_OF_ADDRESS
from chalicelib.job_types import JOB_TYPES
from chalicelib.job_types.sha256_chain import ROUNDS_AT_MOST
from chalicelib.use_cases.submit_job import Submission
from chalicelib.web import json_text
from emulation.functions import FunctionTimedOut
from tests.api.bound import Bound
from tests.api.calls import Call
from tests.api.conftest import ACME, FREE, KEYLESS, SECRET, SPENT, THROTTLED, Api

Provoke = Callable[[Api, Call], httpx.Response]
# Credentials in the right form, of no client.
UNKNOWN = (f"cli_{'0' * 26}", SECRET)


class Down:
    """Any port, of a service that does not answer."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(*_: object, **__: object) -> Any:
            raise Unavailable("A service behind this API does not answer; retry with the same key.")

        return refuse


def send(api: Api, call: Call, *, tenant: str = ACME, **changes: Any) -> httpx.Response:
    """The call, with a good credential if it needs one."""
    headers = {**call.headers, **(api.bearer(tenant) if call.scope else {}), **changes.pop("headers", {})}
    return api.http.request(call.method, call.path, headers=headers, **{**call.content, **changes})


def without_credential(api: Api, call: Call) -> httpx.Response:
    return api.http.request(call.method, call.path, headers=call.headers, **call.content)


def with_a_bad_token(api: Api, call: Call) -> httpx.Response:
    return send(api, call, headers={"Authorization": "Bearer x"})


def without_a_metering_key(api: Api, call: Call) -> httpx.Response:
    return send(api, call, tenant=KEYLESS)


def with_used_ids_unreadable(api: Api, call: Call) -> httpx.Response:
    bound = Bound(api)
    api.adapters.single_use = Down()
    api.container = Container(cast(Adapters, api.adapters))
    return bound.send(call.method, call.path, headers=call.headers, **call.content)


def without_a_proof(api: Api, call: Call) -> httpx.Response:
    return send(api, call, headers={"Authorization": f"DPoP {Bound(api).token}"})


def after_ten_wrong_secrets(api: Api, call: Call) -> httpx.Response:
    for _ in range(FAILURES_OF_ADDRESS):
        api.http.request(call.method, call.path, auth=UNKNOWN, **call.content)
    return api.http.request(call.method, call.path, auth=api.credentials(), **call.content)


def with_another_scope(api: Api, call: Call) -> httpx.Response:
    other = next(each for each in ("jobs:read", "jobs:write") if each != call.scope)
    return send(api, call, headers=api.bearer(scope=other))


def with_an_empty_bucket(api: Api, call: Call) -> httpx.Response:
    if call.scope is not None:
        headers = api.bearer(THROTTLED)
        send(api, call, headers=headers)
        return send(api, call, headers=headers)
    # Nobody's plan is known: what binds is a limit that all callers share.
    with stage_limit(api, "1"):
        send(api, call)
        return send(api, call)


@contextmanager
def stage_limit(api: Api, limit: str) -> Iterator[None]:
    """One throttle for every method of the stage."""
    update, stage = api.stack.apigateway.update_stage, api.deployed.stage
    settings = [
        {"op": "replace", "path": f"/*/*/throttling/{name}", "value": limit}
        for name in ("burstLimit", "rateLimit")
    ]
    update(restApiId=api.deployed.id, stageName=stage, patchOperations=settings)  # type: ignore[arg-type]
    yield
    removal = [{"op": "remove", "path": "/*/*"}]
    update(restApiId=api.deployed.id, stageName=stage, patchOperations=removal)  # type: ignore[arg-type]


def with_a_spent_quota(api: Api, call: Call) -> httpx.Response:
    headers = api.bearer(SPENT)
    send(api, call, headers=headers)
    return send(api, call, headers=headers)


def with_an_unknown_parameter(api: Api, call: Call) -> httpx.Response:
    return send(api, call, params={"surprise": "1"})


def with_eleven_megabytes(api: Api, call: Call) -> httpx.Response:
    changed = replace(call, media_type=None, body=None)
    return send(api, changed, content=b" " * (11 * 1024 * 1024), headers={"Content-Type": "application/json"})


def with_a_function_that_fails(api: Api, call: Call) -> httpx.Response:
    prepared = {**call.headers, **(api.bearer() if call.scope else {})}
    api.stack.functions["api_handler"] = _malformed
    return api.http.request(call.method, call.path, headers=prepared, **call.content)


def with_a_function_that_hangs(api: Api, call: Call) -> httpx.Response:
    prepared = {**call.headers, **(api.bearer() if call.scope else {})}
    api.stack.functions["api_handler"] = _hangs
    return api.http.request(call.method, call.path, headers=prepared, **call.content)


def with_services_down(api: Api, call: Call) -> httpx.Response:
    prepared = {**call.headers, **(api.bearer() if call.scope else {})}
    auth = UNKNOWN if call.path.startswith("/v1/oauth/") else None
    kept = ("settings", "clock", "ids", *(("tokens", "revocations") if call.scope else ()))
    for port in vars(api.adapters):
        if port not in kept:
            setattr(api.adapters, port, Down())
    return api.http.request(call.method, call.path, headers=prepared, auth=auth, **call.content)


def _malformed(_event: object) -> object:
    return {"statusCode": "none"}


def _hangs(_event: object) -> object:
    raise FunctionTimedOut("after 29 seconds")


def with_body(body: object) -> Provoke:
    """The call with another body."""
    return lambda api, call: send(api, replace(call, body=body))


def changed(**changes: Any) -> Provoke:
    """The call with other arguments of httpx's."""
    return lambda api, call: send(api, replace(call, media_type=None), **changes)


def with_key(*keys: str) -> Provoke:
    """The call with these in place of its one Idempotency-Key."""

    def provoke(api: Api, call: Call) -> httpx.Response:
        headers = [*api.bearer().items(), *(("Idempotency-Key", key) for key in keys)]
        return api.http.request(call.method, call.path, headers=headers, **call.content)

    return provoke


def with_a_type_whose_package_is_absent(api: Api, call: Call) -> httpx.Response:
    name = call.body["type"]
    without(api, name, package="no_such_package")
    return send(api, call)


def without(api: Api, name: str, *, package: str) -> None:
    """From now on the job type needs a package."""
    api.container = Container(cast(Adapters, api.adapters))
    api.container.job_types = {**JOB_TYPES, name: replace(JOB_TYPES[name], requires=package)}


def when_suspended_since_the_token(api: Api, call: Call) -> httpx.Response:
    headers, rows = {**call.headers, **api.bearer()}, api.adapters.tenants.rows
    rows[ACME] = replace(rows[ACME], suspended_at=api.adapters.clock.now())
    return api.http.request(call.method, call.path, headers=headers, **call.content)


def with_a_key_of_another_request(api: Api, call: Call) -> httpx.Response:
    api.submit(call.headers["Idempotency-Key"], rounds=7)
    return send(api, call)


def with_every_place_taken(api: Api, call: Call) -> httpx.Response:
    for n in range(api.container.plans.entitlements["free"].active_jobs):
        assert api.submit(f"k{n}", tenant=FREE).status_code == 202
    return send(api, call, tenant=FREE)


def with_a_spent_month(api: Api, call: Call) -> httpx.Response:
    for n in range(api.container.plans.entitlements["free"].jobs_per_month):
        api.container.cancel_job(_accepted(api, FREE, f"k{n}", rounds=1))
    return send(api, call, tenant=FREE)


def with_a_spent_cap(api: Api, call: Call) -> httpx.Response:
    """What the dearest jobs leave of it, some small ones take."""
    for rounds in (ROUNDS_AT_MOST, 1):
        for n in count():
            try:
                _accepted(api, ACME, f"k{rounds}-{n}", rounds=rounds)
            except SpendCapExceeded:
                break
    return send(api, call)


def _accepted(api: Api, tenant: str, key: str, *, rounds: int) -> JobRef:
    """A job that was submitted without a request."""
    document: dict[str, JsonValue] = {"seed": "0x" + "00" * 32, "rounds": rounds}
    accepted = api.container.submit_job(
        Submission(
            tenant_id=tenant,
            idempotency_key=key,
            type="sha256.chain",
            input=document,
            canonical_body=json_text.canonical(document),
            trace_id="t",
            request_id="r",
        ),
        render=lambda job: b"",
        canonical=json_text.canonical,
    )
    return accepted.job_ref


def on_a_job_that_has_run(api: Api, call: Call) -> httpx.Response:
    job_id = api.submit().json()["id"]
    api.run(job_id)
    return send(api, call.of_job(job_id))


def on_a_queued_job(api: Api, call: Call) -> httpx.Response:
    return send(api, call.of_job(api.submit().json()["id"]))


def on_a_canceled_job(api: Api, call: Call) -> httpx.Response:
    job_id = api.submit().json()["id"]
    api.cancel(job_id)
    return send(api, call.of_job(job_id))


def of_a_month_to_come(api: Api, call: Call) -> httpx.Response:
    return send(api, replace(call, path="/v1/invoices/2999-12"))


def on_another_code(api: Api, call: Call) -> httpx.Response:
    return send(api, replace(call, path="/v1/problems/no_such_code"))


SUBMIT_BODY = {"type": "sha256.chain", "input": {"seed": "0x" + "00" * 32, "rounds": 3}}

# By code alone where any operation is asked the same way, by operation and code where not.
PROVOCATIONS: Mapping[str | tuple[str, str], Provoke] = {
    "unauthorized": without_credential,
    "invalid_token": with_a_bad_token,
    "forbidden": without_a_metering_key,
    "invalid_dpop_proof": without_a_proof,
    "insufficient_scope": with_another_scope,
    "rate_limited": with_an_empty_bucket,
    "quota_exceeded": with_a_spent_quota,
    "too_many_attempts": after_ten_wrong_secrets,
    "invalid_request": with_an_unknown_parameter,
    "payload_too_large": with_eleven_megabytes,
    "internal_error": with_a_function_that_fails,
    "timeout": with_a_function_that_hangs,
    "unavailable": with_services_down,
    "job_not_found": send,
    "problem_not_found": on_another_code,
    "invoice_not_found": of_a_month_to_come,
    ("submitJob", "malformed_json"): changed(content=b"{", headers={"Content-Type": "application/json"}),
    ("submitJob", "unsupported_media_type"): changed(content=b"{}", headers={"Content-Type": "text/plain"}),
    ("submitJob", "idempotency_key_missing"): with_key(),
    ("submitJob", "idempotency_key_invalid"): with_key("a", "b"),
    ("submitJob", "unknown_job_type"): with_body({**SUBMIT_BODY, "type": "no.such"}),
    ("submitJob", "job_type_unavailable"): with_a_type_whose_package_is_absent,
    ("submitJob", "upload_not_ready"): with_body(
        {"type": "sha256.chain", "input_upload": "upl_00000000000000000000000001"}
    ),
    ("createUpload", "malformed_json"): changed(content=b"{", headers={"Content-Type": "application/json"}),
    ("createUpload", "unsupported_media_type"): changed(
        content=b"{}", headers={"Content-Type": "text/plain"}
    ),
    ("submitJob", "tenant_suspended"): when_suspended_since_the_token,
    ("submitJob", "idempotency_key_reused"): with_a_key_of_another_request,
    ("submitJob", "active_jobs_exceeded"): with_every_place_taken,
    ("submitJob", "job_quota_exceeded"): with_a_spent_month,
    ("submitJob", "spend_cap_exceeded"): with_a_spent_cap,
    ("listJobs", "invalid_cursor"): changed(params={"cursor": "x"}),
    ("cancelJob", "job_not_cancelable"): on_a_job_that_has_run,
    ("getResult", "result_not_ready"): on_a_queued_job,
    ("getResult", "no_result"): on_a_canceled_job,
    ("createUpload", "unavailable"): with_used_ids_unreadable,
    ("listJobTypes", "unavailable"): with_used_ids_unreadable,
}
