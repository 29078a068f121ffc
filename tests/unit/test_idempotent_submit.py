"""Idempotency-Key at the submit handler: one key, one request, one job, one answer."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.adapters.memory import MemoryJobs, MemoryQueue
from chalicelib.adapters.memory_access import MemoryTenants
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.idempotency import KEPT_FOR
from chalicelib.domain.job import Status
from chalicelib.web.http import MAX_BODY_BYTES, Response
from tests.crash.failpoints import Failing, Failpoint
from tests.unit.submits import BODY, GOOD, OTHER, post
from tests.unit.world import ACME, GLOBEX, SEED, START, World, take


def code_of(answer: Response) -> str:
    return str(json.loads(answer.body)["code"])


def stored(world: World) -> tuple[object, ...]:
    """All that submits have left behind, claims apart."""
    assert isinstance(world.jobs, MemoryJobs)
    assert isinstance(world.queue, MemoryQueue)
    counted = [
        world.jobs.count(tenant, name) for tenant in (ACME, GLOBEX) for name in ("active", "admitted#2026-11")
    ]
    unfinished = {job.ref: job for job in world.jobs.due(now=world.clock.now() + KEPT_FOR, limit=1000)}
    return counted, world.jobs.events(), unfinished, tuple(world.queue.run)


def is_first(answer: Response) -> bool:
    return answer.status == 202 and "Idempotent-Replayed" not in answer.headers


def post_first(world: World, key: str, **changes: Any) -> Response:
    answer = post(world, key, **changes)
    assert is_first(answer)
    return answer


def assert_replayed(answer: Response, first: Response) -> None:
    """The same status, bytes and place, and a header that says so."""
    assert (answer.status, answer.body) == (first.status, first.body)
    assert [answer.headers[name] for name in ("Location", "ETag")] == [
        first.headers[name] for name in ("Location", "ETag")
    ]
    assert answer.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("spelling", ['"order-7"', " order-7", "order-7\t", ' "order-7" '])
def test_the_key_is_the_same_when_it_is_quoted_or_padded(world: World, spelling: str) -> None:
    first = post_first(world, "order-7")
    assert_replayed(post(world, spelling), first)


@pytest.mark.parametrize("key", ["Order-7", "order-70", "'order-7'", 'order-7"', "order 7", '" order-7"'])
def test_the_key_is_another_when_any_character_differs(world: World, key: str) -> None:
    post_first(world, "order-7")
    post_first(world, key)


def test_both_get_a_job_when_two_tenants_use_one_key(world: World) -> None:
    mine, theirs = post_first(world, "k"), post_first(world, "k", tenant=GLOBEX, body=OTHER)
    assert mine.headers["Location"] != theirs.headers["Location"]
    assert_replayed(post(world, "k"), mine)
    assert_replayed(post(world, "k", tenant=GLOBEX, body=OTHER), theirs)


def run(world: World) -> None:
    world.run_job(world.queue.run[0])


def confirm(world: World) -> None:
    run(world)
    world.confirm_jobs(world.queue.run[:1])
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])


def cancel(world: World) -> None:
    world.cancel_job(world.queue.run[0])


def lease(world: World) -> None:
    take(world, world.queue.run[0])


@pytest.mark.parametrize(
    ("move", "status"),
    [
        (lease, Status.RUNNING),
        (run, Status.CONFIRMING),
        (confirm, Status.SUCCEEDED),
        (cancel, Status.CANCELED),
    ],
)
def test_the_answer_is_the_firsts_bytes_when_the_job_has_moved_on(
    world: World, move: Callable[[World], None], status: Status
) -> None:
    first = post_first(world, "k")
    move(world)
    before = stored(world)
    assert world.job(world.queue.run[0]).status is status
    assert_replayed(post(world, "k"), first)
    assert post(world, "k", body=OTHER).status == 422
    assert stored(world) == before


@pytest.mark.parametrize(
    "body",
    [
        b'{"input": {"rounds": 3, "seed": "%s"}, "type": "sha256.chain"}' % SEED.encode(),
        json.dumps(GOOD, indent=2).encode() + b"\n",
        BODY.replace(b"sha256", b"\\u0073ha256"),
    ],
    ids=["another order", "white space", "escapes"],
)
def test_the_request_is_the_same_when_only_its_spelling_differs(world: World, body: bytes) -> None:
    first = post_first(world, "k")
    assert_replayed(post(world, "k", body=body), first)


@pytest.mark.parametrize(
    "body",
    [
        OTHER,
        BODY.replace(b'"0x00', b'"0x01'),
        b'{"type":"merkle.root","input":{"leaf_encoding":["bool"],"leaves":[["true"]]}}',
    ],
    ids=["another number", "another text", "another type"],
)
def test_another_request_is_refused_when_the_key_is_taken(world: World, body: bytes) -> None:
    first = post_first(world, "k")
    before = stored(world)
    refusal = post(world, "k", body=body)
    assert (refusal.status, code_of(refusal)) == (422, "idempotency_key_reused")
    assert stored(world) == before
    assert_replayed(post(world, "k"), first)


def test_an_integer_with_a_fraction_is_refused_when_it_equals_the_first_ones(world: World) -> None:
    # OpenAPI 3.0's integer has neither fraction nor exponent, and validation comes before the claim.
    post_first(world, "k")
    assert post(world, "k", body=BODY.replace(b": 3", b": 3.0")).status == 400


def test_a_replay_costs_nothing_when_it_is_repeated(world: World) -> None:
    post_first(world, "k")
    before = stored(world)
    for _ in range(world.plan.active_jobs + world.plan.jobs_per_month):
        post(world, "k")
    assert stored(world) == before


def test_a_replay_is_answered_when_every_limit_is_spent(world: World) -> None:
    world.plan = replace(world.plan, jobs_per_month=1, active_jobs=1)
    first = post_first(world, "k")
    assert post(world, "k2").status == 429
    assert_replayed(post(world, "k"), first)


def test_a_replay_waits_for_reinstatement_when_the_tenant_is_suspended(world: World) -> None:
    first = post_first(world, "k")
    suspended = MemoryTenants(Tenant(tenant_id=ACME, name="acme", plan="test", suspended_at=START))
    refusal = post(world, "k", tenants=suspended)
    assert (refusal.status, code_of(refusal)) == (403, "tenant_suspended")
    assert_replayed(post(world, "k"), first)


def test_a_replay_is_refused_when_its_job_type_is_offered_no_more(world: World) -> None:
    # A request is validated before its key is looked up. A job type goes only with its version of the API.
    first = post_first(world, "k")
    assert code_of(post(world, "k", job_types={})) == "unknown_job_type"
    assert_replayed(post(world, "k"), first)


def spend(world: World) -> None:
    world.plan = replace(world.plan, active_jobs=1)
    post_first(world, "before")


def use_up(world: World) -> None:
    world.plan = replace(world.plan, jobs_per_month=1)
    post_first(world, "before")


LARGE = json.dumps({**GOOD, "padding": "x" * MAX_BODY_BYTES}).encode()
SUSPENDED = MemoryTenants(Tenant(tenant_id=ACME, name="acme", plan="test", suspended_at=START))
REFUSED: dict[str, tuple[int, dict[str, Any], Callable[[World], None] | None]] = {
    "idempotency_key_missing": (400, {"keys": ()}, None),
    "idempotency_key_invalid": (400, {"keys": ("a", "a")}, None),
    "malformed_json": (400, {"body": BODY[:-1]}, None),
    "invalid_request": (400, {"body": b'{"type":"sha256.chain","input":{}}'}, None),
    "unknown_job_type": (400, {"body": BODY.replace(b"sha256", b"sha255")}, None),
    "tenant_suspended": (403, {"tenants": SUSPENDED}, None),
    "payload_too_large": (413, {"body": LARGE}, None),
    "unsupported_media_type": (415, {"media_type": "text/plain"}, None),
    "active_jobs_exceeded": (429, {}, spend),
    "job_quota_exceeded": (429, {}, use_up),
}


@pytest.mark.parametrize("code", REFUSED)
def test_nothing_is_stored_when_a_submit_fails_before_its_claim(world: World, code: str) -> None:
    status, changes, prepare = REFUSED[code]
    if prepare:
        prepare(world)
    before = stored(world)
    refusal = post(world, *changes.get("keys", ("k",)), **{k: v for k, v in changes.items() if k != "keys"})
    assert (refusal.status, code_of(refusal)) == (status, code)
    assert stored(world) == before
    world.plan = replace(world.plan, active_jobs=9, jobs_per_month=9)
    for key in changes.get("keys", ("k",))[:1]:
        post_first(world, key)


@pytest.mark.parametrize(
    "key", ["", '""', " ", "a" * 256, '"' + "a" * 256 + '"', "käy", "\xa0k", "a\tb", "\x7f"]
)
def test_the_key_is_refused_when_it_is_not_1_to_255_printable_ascii_characters(
    world: World, key: str
) -> None:
    before = stored(world)
    refusal = post(world, key)
    assert (refusal.status, code_of(refusal)) == (400, "idempotency_key_invalid")
    assert stored(world) == before


def unavailable() -> None:
    raise Unavailable("no answer")


@pytest.mark.parametrize(("when", "replayed"), [("before", None), ("after", "true")])
def test_one_job_is_made_when_a_5xx_is_retried(world: World, when: str, replayed: str | None) -> None:
    store = world.jobs
    world.jobs = Failing(store, Failpoint("jobs", "admit", when), unavailable)
    assert post(world, "k").status == 503
    world.jobs = store
    retry = post(world, "k")
    assert (retry.status, retry.headers.get("Idempotent-Replayed")) == (202, replayed)
    assert json.loads(retry.body)["status"] == "queued"
    assert isinstance(store, MemoryJobs)
    assert (store.count(ACME, "active"), len(store.events())) == (1, 1)


def test_the_key_is_kept_a_month_and_as_long_as_its_job(world: World) -> None:
    first = post_first(world, "k")
    world.clock.advance(KEPT_FOR + timedelta(days=1))
    assert_replayed(post(world, "k"), first)
    assert post(world, "k", body=OTHER).status == 422
    cancel(world)
    second = post_first(world, "k", body=OTHER)
    assert second.headers["Location"] != first.headers["Location"]
