"""What an operator takes in by hand is in the log of acts before it is billed, and nothing else is."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.adapters.memory_usage import MemoryUsage
from chalicelib.domain.audit import Act, Outcome
from chalicelib.domain.errors import Refused
from chalicelib.domain.job import JobRef
from chalicelib.domain.metering import UsageEvent, metered
from chalicelib.use_cases.ingest_usage import IngestUsage
from chalicelib.use_cases.take_in_usage import TakeInUsage
from tests.unit.office import ANNA, Cut, Interrupted, Office
from tests.unit.world import World

Ingest = Callable[[UsageEvent], Outcome]


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def lost(world: World) -> UsageEvent:
    """The event of an accepted job, which the store forgets, as no store of ours does."""
    job = world.job(world.submit().job_ref)
    (accepted,) = metered(job, world.prices)
    del world.jobs._events[accepted.event_id]
    return accepted


@pytest.fixture
def ingest(world: World, office: Office) -> Ingest:
    usage = MemoryUsage(world.jobs)
    act = IngestUsage(
        take_in=TakeInUsage(jobs=world.jobs, usage=usage, prices=world.prices, clock=world.clock),
        usage=usage,
        registry=Interrupted(office),
        clock=world.clock,
        ids=world.ids,
    )
    return lambda event: act(event, actor=ANNA)


def test_one_act_is_logged_however_often_the_event_is_taken_in(
    office: Office, ingest: Ingest, lost: UsageEvent
) -> None:
    outcomes = [ingest(lost) for _ in range(3)]
    assert outcomes == [Outcome.CHANGED, Outcome.UNCHANGED, Outcome.UNCHANGED]
    (act,) = office.log()
    assert (act.act, act.actor, act.subject) == (Act.USAGE_TAKEN_IN, ANNA, lost.ref.tenant_id)
    assert act.facts == {"event_id": lost.event_id, "quantity": "1"}


def test_nothing_is_billed_untold_when_the_operator_is_cut_off(
    office: Office, world: World, ingest: Ingest, lost: UsageEvent
) -> None:
    def cut() -> None:
        raise Cut

    office.meanwhile = cut
    with pytest.raises(Cut):
        ingest(lost)
    assert (office.log(), list(world.jobs.events())) == ([], [])
    assert ingest(lost) is Outcome.CHANGED


def test_no_act_is_logged_when_the_event_is_refused(office: Office, ingest: Ingest, lost: UsageEvent) -> None:
    unknown = JobRef(lost.ref.tenant_id, "job_of_nobody")
    with pytest.raises(Refused):
        ingest(replace(lost, ref=unknown))
    assert office.log() == []
