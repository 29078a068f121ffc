"""What is reserved for a job is never below what it is charged, and what it is not charged is given back."""

import json
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.failure import Failure, FailureCode
from chalicelib.domain.job import (
    Job,
    JobRef,
    Progress,
    Result,
    Status,
    cancel,
    fail,
    finish,
    new_job,
    succeed,
)
from chalicelib.domain.lease import lease
from chalicelib.domain.metering import CONFIRMED, events_of, metered
from chalicelib.domain.on_chain import Confirmation
from chalicelib.domain.payload import RESULT_BYTES, UPLOAD_BYTES, UploadedInput
from chalicelib.domain.prices import PRICED, Meter, PlanPrices, PriceBook, PriceVersion, Tier
from chalicelib.domain.spend import charged_micros, most_micros, released_micros
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.ports import Change
from tests.unit.billing import TICK
from tests.unit.confirming import MANY
from tests.unit.confirming import finish as finish_all
from tests.unit.endings import PLAYED, STEPS, book, counts
from tests.unit.runs import STEPS as STEPS_TYPE
from tests.unit.runs import UNITS_A_STEP, steps_of, submit_steps
from tests.unit.test_payloads import uploaded
from tests.unit.world import ACME, SHORT, START, World

MOST_UNITS = 1_000
ENDINGS = ("succeeded", "failed by the caller", "failed by us", "canceled", "canceled queued", "expired")
CONFIRMATION = Confirmation(
    chain_id=1, registry="0x", job_key="0x", transaction_hash="0x", block_number=1, gas_used=1
)


@st.composite
def tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    ends = sorted(draw(st.sets(st.integers(1, 10**6), max_size=3)))
    return tuple(Tier(end, draw(st.integers(0, 10**6))) for end in (*ends, None))


@st.composite
def books(draw: st.DrawFn) -> PriceBook:
    """Two versions, the second from the day after the jobs are accepted."""

    def version(days: int) -> PriceVersion:
        ladders = {meter: draw(tiers()) for meter in sorted(PRICED)}
        ladders[Meter.JOB_ACCEPTED] = (Tier(None, draw(st.integers(0, 10**6))),)
        prices = PlanPrices(monthly_fee_micros=0, tiers=ladders)
        return PriceVersion(
            name=f"v{days}", applies_from=START.date() + timedelta(days=days), plans={"test": prices}
        )

    return PriceBook(currency="USD", versions=(version(0), version(1)))


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    """As one is accepted: its input may be an upload, which nobody has read yet."""
    uploaded = draw(
        st.none()
        | st.builds(
            UploadedInput,
            storage_key=st.just("k"),
            size_bytes=st.integers(0, UPLOAD_BYTES),
            sha256=st.just("00"),
        )
    )
    return new_job(
        JobRef(ACME, "job_1"),
        job_type="t",
        plan="test",
        now=START,
        trace_id="t",
        request_id="r",
        path=draw(st.sampled_from(ConfirmationPath)),
        uploaded_input=uploaded,
        inline_bytes=0 if uploaded else draw(st.integers(0, 10**7)),
        cost_units=None if uploaded else draw(st.integers(1, MOST_UNITS)),
    )


@st.composite
def lives(draw: st.DrawFn, job: Job) -> list[Job]:
    """The job in each state that it has had, to its end."""
    ending = draw(st.sampled_from(ENDINGS))
    tomorrow = START + timedelta(days=1)
    if ending == "canceled queued":
        return [job, cancel(job, now=tomorrow)]
    if ending == "expired":
        return [job, fail(job, now=tomorrow, failure=Failure(FailureCode.DEADLINE_EXCEEDED, ""))]
    steps = draw(st.integers(1, 100))
    units = job.cost_units or draw(st.integers(1, MOST_UNITS))
    leased = replace(lease(job, now=START), cost_units=units)
    running = replace(leased, progress=Progress(draw(st.integers(0, steps)), steps))
    if ending == "canceled":
        return [job, running, cancel(running, now=tomorrow)]
    if ending == "succeeded":
        size = draw(st.integers(0, RESULT_BYTES))
        result = Result(storage_key="k", sha256="00", salt="0x", commitment="0x", size_bytes=size)
        waits = finish(running, now=tomorrow, result=result)
        return [job, running, waits, succeed(waits, now=tomorrow, confirmation=CONFIRMATION)]
    codes = (
        [FailureCode.ATTEMPTS_EXHAUSTED]
        if ending == "failed by us"
        else [*{*FailureCode} - {FailureCode.ATTEMPTS_EXHAUSTED}]
    )
    failure = Failure(draw(st.sampled_from(sorted(codes))), "")
    return [job, running, fail(running, now=tomorrow, failure=failure)]


@given(books(), jobs(), st.data())
def test_what_is_reserved_is_never_below_what_is_charged_however_a_job_ends(
    prices: PriceBook, job: Job, data: st.DataObject
) -> None:
    accepted = replace(job, reserved_micros=most_micros(job, prices, most_units=MOST_UNITS))
    states = data.draw(lives(accepted))
    for state in states:
        assert 0 <= charged_micros(state, prices) <= accepted.reserved_micros
    released = [released_micros(one, other, prices) for one, other in pairwise(states)]
    assert released[:-1] == [0] * (len(states) - 2)
    assert released[-1] == accepted.reserved_micros - charged_micros(states[-1], prices)
    assert released_micros(states[-1], states[-1], prices) == 0


@given(books(), jobs(), st.data())
def test_each_event_becomes_true_in_one_state_and_stays_as_it_was(
    prices: PriceBook, job: Job, data: st.DataObject
) -> None:
    """So what commits with each change is what the row bears out in the end, and nothing twice."""
    states = data.draw(lives(job))
    committed = [event for state in states for event in events_of(state, prices)]
    assert tuple(committed) == metered(states[-1], prices)
    assert len({event.event_id for event in committed}) == len(committed)
    for state in states:
        known = metered(state, prices)
        assert known == tuple(committed)[: len(known)]
    assert all(event.quantity > 0 and event.price_version == "v0" for event in committed)
    assert not {event.meter for event in committed} & {*CONFIRMED.values()} - {CONFIRMED[job.path]}


@given(books(), jobs(), st.data())
def test_a_job_that_was_our_fault_costs_nothing_at_any_price(
    prices: PriceBook, job: Job, data: st.DataObject
) -> None:
    running = lease(job, now=START)
    ours = fail(running, now=START, failure=Failure(FailureCode.ATTEMPTS_EXHAUSTED, ""))
    late = fail(job, now=START, failure=Failure(FailureCode.DEADLINE_EXCEEDED, ""))
    assert [charged_micros(each, prices) for each in (ours, late)] == [0, 0]


def test_the_dearest_tier_is_reserved_wherever_it_stands() -> None:
    def priced(*ladder: Tier) -> PriceBook:
        flat = dict.fromkeys(PRICED, (Tier(None, 0),))
        plan = PlanPrices(monthly_fee_micros=0, tiers={**flat, Meter.COMPUTE_USED: ladder})
        version = PriceVersion(name="v", applies_from=date.min, plans={"test": plan})
        return PriceBook(currency="USD", versions=(version,))

    job = new_job(
        JobRef(ACME, "j"), job_type="t", plan="test", now=START, trace_id="", request_id="", cost_units=10
    )
    rising, falling, a_peak = (
        (Tier(5, 0), Tier(None, 7)),
        (Tier(5, 7), Tier(None, 2)),
        (Tier(5, 1), Tier(9, 7), Tier(None, 0)),
    )
    for ladder in (rising, falling, a_peak):
        assert most_micros(job, priced(*ladder), most_units=99) == 70
        assert most_micros(replace(job, cost_units=None), priced(*ladder), most_units=99) == 693


@pytest.mark.parametrize("path", ConfirmationPath)
def test_the_counter_is_what_was_charged_when_all_jobs_have_ended(path: ConfirmationPath) -> None:
    world = World(prices=book(1), plan=MANY)
    refs = []
    for number, play in enumerate(PLAYED.values()):
        steps_of(world)
        ref = submit_steps(world, STEPS, f"k{number}", deadline=timedelta(hours=1), path=path)
        refs.append(ref)
        assert counts(world, ACME).spent_micros >= sum(
            charged_micros(world.job(each), world.prices) for each in refs
        )
        play(world, ref)
    finish_all(world, *refs)
    charged = [charged_micros(world.job(ref), world.prices) for ref in refs]
    found = counts(world, ACME)
    assert (found.spent_micros, found.active_jobs, found.jobs_admitted) == (sum(charged), 0, len(refs))
    assert sum(charged) > 0


def test_what_a_job_costs_is_of_the_month_of_its_acceptance_when_it_ends_in_the_next() -> None:
    world = World(prices=book(1), plan=MANY)
    steps_of(world)
    world.clock.advance(START.replace(month=12, day=1, hour=0) - TICK - world.clock.now())
    ref = submit_steps(world, STEPS)
    reserved = counts(world, ACME).spent_micros
    world.clock.advance(TICK)
    assert counts(world, ACME).spent_micros == 0
    PLAYED["succeeded"](world, ref)
    assert counts(world, ACME).spent_micros == 0
    world.clock.advance(-timedelta(days=1))
    assert counts(world, ACME).spent_micros == charged_micros(world.job(ref), world.prices) < reserved
    assert world.job(ref).status is Status.SUCCEEDED


def test_a_job_costs_what_was_reserved_at_most_when_its_type_becomes_dearer_before_it_runs() -> None:
    world = World(prices=book(1), plan=MANY)
    steps_of(world)
    ref = submit_steps(world, STEPS)
    dearer = replace(world.job_types[STEPS_TYPE], version=2, cost=lambda _: 10**6)
    world.job_types = {**world.job_types, STEPS_TYPE: dearer}
    PLAYED["succeeded"](world, ref)
    job = world.job(ref)
    assert (job.type_version, job.used_units) == (2, STEPS * UNITS_A_STEP)
    assert charged_micros(job, world.prices) <= job.reserved_micros


def test_the_types_most_is_reserved_and_most_of_it_given_back_when_an_input_was_uploaded() -> None:
    world = World(prices=book(1), plan=MANY)
    content = json.dumps(SHORT).encode()
    ref = world.submit(upload=uploaded(world, content)).job_ref
    job_type = world.job_types[world.job(ref).type]
    reserved = world.job(ref).reserved_micros
    kibibytes = -(-(len(content) + RESULT_BYTES) // 1024)
    assert reserved == 1_000 + 11 * job_type.most_units + 3 * kibibytes + 50_000
    assert counts(world, ACME).spent_micros == reserved
    PLAYED["succeeded"](world, ref)
    assert counts(world, ACME).spent_micros == 1_000 + 11 * 1 + 3 * 1 + 50_000


def test_a_job_from_before_reservations_is_counted_at_what_it_cost_when_it_ends() -> None:
    world = World(prices=book(1), plan=MANY)
    steps_of(world)
    ref = submit_steps(world, STEPS)
    before = counts(world, ACME).spent_micros
    job = world.job(ref)
    world.jobs.save([Change(job, replace(job, reserved_micros=0))])
    PLAYED["succeeded"](world, ref)
    assert counts(world, ACME).spent_micros == before + charged_micros(world.job(ref), world.prices)


@pytest.mark.parametrize("path", ConfirmationPath)
def test_a_job_keeps_its_prices_when_a_version_comes_that_applies_from_before_it(
    path: ConfirmationPath,
) -> None:
    """Its release came later in the day than midnight, from which on it is to apply."""
    world = World(prices=book(1), plan=MANY)
    steps_of(world)
    ref = submit_steps(world, STEPS, path=path)
    (late,) = book(10).versions
    (first,) = world.prices.versions
    versions = replace(first, applies_from=first.applies_from - timedelta(days=1)), replace(late, name="late")
    world.prices = replace(world.prices, versions=versions)
    PLAYED["succeeded"](world, ref)
    job = world.job(ref)
    stored = {each.event_id: each for each in world.jobs.events().values()}
    assert {each.event_id: each for each in metered(job, world.prices)} == stored
    assert {each.price_version for each in stored.values()} == {first.name}
    assert charged_micros(job, world.prices) == counts(world, ACME).spent_micros <= job.reserved_micros
