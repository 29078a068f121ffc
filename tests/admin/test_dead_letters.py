"""`dead-letters …`, as an operator and as a program see it, on a stack's own queues."""

import pytest

from chalicelib.admin.wiring import Administration
from chalicelib.domain.failure import Failure, FailureCode
from chalicelib.domain.job import JobRef
from tests.admin.commands import Admin, now
from tests.unit.world import World

LETTER = {"queue", "message_id", "sent_at", "received", "jobs"}
JOB = {"job_id", "tenant_id", "status", "failure"}
ATTEMPTS = Failure(FailureCode.ATTEMPTS_EXHAUSTED, "It costs nothing.")


@pytest.fixture
def service(edge_url: str, admin: Admin, name: str) -> World:
    """The service on the stack's tables and queues, for a tenant of its own; no letter is left of before."""
    adapters = Administration.of_endpoint(edge_url, clock_url=f"{edge_url}/_aws/clock").adapters
    tenant = admin("tenant", "add", name, "--plan", "pro", "--json").document["tenant_id"]
    admin("dead-letters", "redrive")
    return World(
        jobs=adapters.jobs,
        queue=adapters.queue,
        clock=adapters.clock,  # type: ignore[arg-type]
        ids=adapters.ids,
        tenant=tenant,
    )


def given_up(world: World, key: str) -> JobRef:
    """A job that the platform failed, with its letter."""
    job = world.job(world.submit(key).job_ref)
    world.give_up(job, ATTEMPTS, now=world.clock.now())
    return job.ref


def waiting(world: World, key: str) -> JobRef:
    """A job whose message nobody could deal with."""
    ref = world.submit(key).job_ref
    world.queue.bury_run(ref, trace_id="0" * 31 + "1")
    return ref


def test_each_letter_is_shown_with_its_job_however_often_it_is_listed(
    edge_url: str, admin: Admin, service: World
) -> None:
    failed, queued = given_up(service, "k1"), waiting(service, "k2")
    for looks in (1, 2):
        listed = admin("dead-letters", "list", "--json").document
        assert set(listed) == {"letters"}
        letters = {letter["jobs"][0]["job_id"]: letter for letter in listed["letters"]}
        assert letters.keys() == {failed.job_id, queued.job_id}
        letter = letters[failed.job_id]
        assert (set(letter), letter["queue"], letter["received"]) == (LETTER, "run", looks)
        assert letter["sent_at"][:16] == now(edge_url)[:16]
        (job,) = letter["jobs"]
        assert set(job) == JOB
        assert (job["tenant_id"], job["status"]) == (service.tenant, "failed")
        assert job["failure"] == "attempts_exhausted"
        assert letters[queued.job_id]["jobs"][0]["failure"] is None
    assert admin("dead-letters", "list", "--queue", "confirm", "--json").document == {"letters": []}


def test_the_message_of_a_job_that_waits_is_sent_again_and_the_other_removed(
    admin: Admin, service: World
) -> None:
    failed, queued = given_up(service, "k1"), waiting(service, "k2")
    before = service.queue.depth("jobs-run")  # type: ignore[attr-defined]
    ran = admin("dead-letters", "redrive")
    assert (ran.status, ran.out) == (0, "1 sent again, 1 only removed\n")
    assert sorted(ran.err.splitlines()) == sorted(
        [f"run: {failed.job_id}: nothing is left to do, only removed", f"run: {queued.job_id}: sent again"]
    )
    assert service.queue.depth("jobs-run") == before + 1  # type: ignore[attr-defined]
    again = admin("dead-letters", "redrive", "--json").document
    assert again == {"letters": [], "sent_again": 0, "removed": 0}
    event = admin("audit", "--limit", "1", "--json").document["events"][0]
    assert (event["act"], event["subject"]) == ("letters.redriven", "run")


def test_a_program_reads_what_became_of_each_letter_when_it_redrives(admin: Admin, service: World) -> None:
    queued = waiting(service, "k1")
    ran = admin("dead-letters", "redrive", "--queue", "run", "--json")
    assert f'"job_id": "{queued.job_id}"' in ran.out
    assert '"sent_again": 1' in ran.out


def test_a_person_reads_one_line_a_job_when_letters_are_listed(admin: Admin, service: World) -> None:
    assert admin("dead-letters", "list").text == "No dead letters: every message was dealt with.\n"
    failed = given_up(service, "k1")
    header, line = admin("dead-letters", "list").text.splitlines()
    assert header.split() == ["QUEUE", "JOB", "TENANT", "STATUS", "FAILURE", "SENT", "RECEIVED"]
    assert line.split()[:5] == ["run", failed.job_id, failed.tenant_id, "failed", "attempts_exhausted"]
