"""Submitting: one job a key, exact entitlements, and nothing stored when it is refused."""

import json
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.adapters.memory import MemoryJobs
from chalicelib.adapters.memory_access import MemoryTenants
from chalicelib.domain import errors
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.idempotency import KEPT_FOR
from chalicelib.domain.job import UNSENT_AFTER, Status
from tests.unit.world import ACME, GLOBEX, LONG, SHORT, START, World


def test_the_job_is_queued_and_its_worker_woken_when_it_is_accepted(world: World) -> None:
    accepted = world.submit()
    assert not accepted.is_replay
    assert json.loads(accepted.body)["status"] == "queued"
    assert world.job(accepted.job_ref).status is Status.QUEUED
    assert world.queue.run == [accepted.job_ref]


def test_the_answer_is_the_same_bytes_when_the_job_has_moved_on(world: World) -> None:
    first = world.submit()
    world.run_job(first.job_ref)
    replay = world.submit()
    assert (replay.body, replay.job_ref, replay.is_replay) == (first.body, first.job_ref, True)


def test_another_body_is_refused_when_the_key_is_taken(world: World) -> None:
    accepted = world.submit()
    before = world.job(accepted.job_ref)
    with pytest.raises(errors.IdempotencyKeyReused):
        world.submit(job_input=LONG)
    assert world.job(accepted.job_ref) == before


def test_keys_do_not_meet_when_the_tenants_differ(world: World) -> None:
    refs = {world.submit(tenant=tenant).job_ref for tenant in (ACME, GLOBEX)}
    assert len(refs) == 2


def test_a_key_is_fresh_again_when_it_has_expired_and_its_job_has_ended(world: World) -> None:
    first = world.submit()
    world.cancel_job(first.job_ref)
    world.clock.advance(KEPT_FOR - timedelta(seconds=1))
    assert world.submit().job_ref == first.job_ref
    world.clock.advance(timedelta(seconds=1))
    assert world.submit().job_ref != first.job_ref


def test_a_key_is_held_beyond_its_expiry_when_its_job_has_not_ended(world: World) -> None:
    first = world.submit()
    world.clock.advance(3 * KEPT_FOR)
    replay = world.submit()
    assert (replay.body, replay.is_replay) == (first.body, True)
    world.cancel_job(first.job_ref)
    assert not world.submit().is_replay


def test_one_job_is_made_when_fifty_threads_submit_one_key(world: World) -> None:
    answers = []
    barrier = threading.Barrier(50)

    def submit() -> None:
        barrier.wait()
        answers.append(world.submit())

    threads = [threading.Thread(target=submit) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.body for answer in answers}) == 1
    assert [answer.is_replay for answer in answers].count(False) == 1


def test_the_next_is_refused_when_all_active_jobs_are_taken(world: World) -> None:
    refs = [world.submit(f"k{n}").job_ref for n in range(world.plan.active_jobs)]
    with pytest.raises(errors.ActiveJobsExceeded):
        world.submit("one more")
    world.cancel_job(refs[0])
    world.submit("one more")


def test_a_replay_is_answered_when_the_limit_is_spent(world: World) -> None:
    first, *_ = [world.submit(f"k{n}") for n in range(world.plan.active_jobs)]
    assert world.submit("k0").body == first.body


def test_the_next_is_refused_when_the_months_jobs_are_used_up(world: World) -> None:
    world.plan = replace(world.plan, jobs_per_month=2)
    for n in range(2):
        world.cancel_job(world.submit(f"k{n}").job_ref)
    with pytest.raises(errors.JobQuotaExceeded) as refusal:
        world.submit("k2")
    world.clock.advance(timedelta(seconds=int(str(refusal.value.facts["retry_after"]))))
    world.submit("k2")


@pytest.mark.parametrize(
    ("type_name", "job_input", "error"),
    [
        ("no.such", SHORT, errors.UnknownJobType),
        ("sha256.chain", {}, errors.InvalidRequest),
        ("sha256.chain", {"seed": "0x12", "rounds": 0}, errors.InvalidRequest),
        ("sha256.chain", {"seed": SHORT["seed"], "rounds": "3"}, errors.InvalidRequest),
        ("sha256.chain", {"seed": SHORT["seed"], "rounds": True}, errors.InvalidRequest),
        ("sha256.chain", {**SHORT, "status": "succeeded"}, errors.InvalidRequest),
    ],
)
def test_nothing_is_stored_when_the_submit_is_refused(
    world: World, type_name: str, job_input: dict[str, object], error: type[errors.DomainError]
) -> None:
    with pytest.raises(error):
        world.submit(job_type=type_name, job_input=job_input)
    assert isinstance(world.jobs, MemoryJobs)
    assert world.jobs.events() == {}
    assert (world.jobs.count(ACME, "active"), world.jobs.count(ACME, "admitted#2026-11")) == (0, 0)
    assert world.queue.run == []


def test_every_wrong_place_is_named_when_there_are_several(world: World) -> None:
    with pytest.raises(errors.InvalidRequest) as refusal:
        world.submit(job_input={"seed": "0x12", "rounds": 0, "a/b~": 1})
    assert [e.pointer for e in refusal.value.errors] == ["/input/seed", "/input/rounds", "/input/a~1b~0"]


def test_the_job_is_accepted_when_the_queue_is_down(world: World) -> None:
    world.queue = Down()
    ref = world.submit().job_ref
    assert [job.ref for job in world.jobs.due(now=world.clock.now() + UNSENT_AFTER, limit=9)] == [ref]


def test_nothing_is_accepted_when_the_tenant_is_suspended_or_unknown(world: World) -> None:
    suspended = Tenant(tenant_id=ACME, name="acme", plan="test", suspended_at=START)
    for tenants in (MemoryTenants(suspended), MemoryTenants()):
        with pytest.raises(errors.TenantSuspended):
            world.submit(tenants=tenants)
    assert world.jobs.count(ACME, "active") == 0


class Down:
    """A queue that does not answer."""

    def wake_runner(self, ref: object, *, trace_id: str) -> None:
        raise errors.Unavailable("no answer")
