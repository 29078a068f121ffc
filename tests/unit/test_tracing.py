"""What a `traceparent` says and what is made of it, and whose story the code at hand is part of."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.memory_chain import MemoryChain
from chalicelib.domain import tracing
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from tests.unit.world import World

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{PARENT}-01"

# W3C Trace Context, §3.2.2 and §4.3 of level 1.
ACCEPTED = {
    "version 00": VALID,
    "not sampled": f"00-{TRACE}-{PARENT}-00",
    "flags that we do not know": f"00-{TRACE}-{PARENT}-ff",
    "a later version": f"01-{TRACE}-{PARENT}-01",
    "the latest version": f"fe-{TRACE}-{PARENT}-01",
    "a later version with more": f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like",
    "a later version with a dash": f"cc-{TRACE}-{PARENT}-01-",
}
REFUSED = {
    "nothing": "",
    "version ff": f"ff-{TRACE}-{PARENT}-01",
    "version 00 with more": f"{VALID}-more",
    "version 00 with a dash": f"{VALID}-",
    "a later version with more but no dash": f"cc-{TRACE}-{PARENT}-01.more",
    "a later version with longer flags": f"cc-{TRACE}-{PARENT}-011",
    "upper case": f"00-{TRACE.upper()}-{PARENT}-01",
    "an upper-case parent": f"00-{TRACE}-{PARENT.upper()}-01",
    "a trace id of zeros": f"00-{'0' * 32}-{PARENT}-01",
    "a parent id of zeros": f"00-{TRACE}-{'0' * 16}-01",
    "a short trace id": f"00-{TRACE[1:]}-{PARENT}-01",
    "a long trace id": f"00-{TRACE}0-{PARENT}-01",
    "a short parent id": f"00-{TRACE}-{PARENT[1:]}-01",
    "no flags": f"00-{TRACE}-{PARENT}",
    "short flags": f"00-{TRACE}-{PARENT}-1",
    "no version": f"{TRACE}-{PARENT}-01",
    "a short version": f"0-{TRACE}-{PARENT}-01",
    "other dashes": VALID.replace("-", "_"),
    "what is not hexadecimal": VALID.replace("4", "g"),
    "other digits": VALID.replace("4", "\N{ARABIC-INDIC DIGIT FOUR}"),
    "a space before": f" {VALID}",
    "a line's end": f"{VALID}\n",
    "a later version with a line's end": f"cc-{TRACE}-{PARENT}-01-\n",
    "two": f"{VALID},{VALID}",
}


@pytest.mark.parametrize("header", ACCEPTED.values(), ids=ACCEPTED)
def test_the_trace_id_is_kept_when_the_header_is_valid(header: str) -> None:
    assert tracing.parse(header) == TRACE


@pytest.mark.parametrize("header", REFUSED.values(), ids=REFUSED)
def test_there_is_no_trace_id_when_the_header_is_malformed(header: str) -> None:
    assert tracing.parse(header) is None


@given(request_id=st.text(), step=st.text())
def test_what_we_send_is_valid_when_it_is_made_of_any_text(request_id: str, step: str) -> None:
    trace_id = tracing.new_trace_id(request_id)
    made = tracing.traceparent(trace_id, step=step)
    assert tracing.parse(made) == trace_id
    assert made.startswith("00-")
    assert made == tracing.traceparent(tracing.new_trace_id(request_id), step=step)


def test_parents_differ_when_the_step_or_the_trace_does() -> None:
    made = [(TRACE, "run"), (TRACE, "chain"), ("f" * 32, "run")]
    assert len({tracing.traceparent(trace, step=step)[36:52] for trace, step in made}) == 3


def test_what_was_followed_is_followed_again_when_a_story_has_ended() -> None:
    seen = [tracing.followed()]
    with tracing.story("a"):
        with suppress(LookupError), tracing.story("b", "c", "b"):
            seen.append(tracing.followed())
            tracing.follow("d")
            seen.append(tracing.followed())
            raise LookupError
        seen.append(tracing.followed())
        tracing.follow("", "")
        with tracing.story():
            seen.append(tracing.followed())
    assert [*seen, tracing.followed()] == [(), ("b", "c"), ("d",), ("a",), ("a",), ()]


def test_nothing_is_followed_when_no_story_would_end_it() -> None:
    tracing.follow("a")
    assert tracing.followed() == ()


def test_the_jobs_own_trace_is_followed_when_it_runs_or_is_too_late(world: World) -> None:
    ref = world.submit().job_ref
    late = world.submit("k2", deadline=timedelta(seconds=1), trace_id="0" * 31 + "2").job_ref
    world.clock.advance(timedelta(seconds=1))
    for each in (ref, late):
        with tracing.story("of the message"):
            world.run_job(each)
            assert tracing.followed() == (world.job(each).trace_id,)


def test_each_message_of_one_job_carries_its_trace_when_it_is_sent_or_sent_again(world: World) -> None:
    ref = world.submit().job_ref
    world.clock.advance(world.job(ref).due_at - world.clock.now())
    world.sweep()
    world.run_job(ref)
    world.clock.advance(world.job(ref).due_at - world.clock.now())
    world.sweep()
    own = world.job(ref).trace_id
    # The sweep wakes the sender first, of no job.
    assert world.queue.trace_ids == [own, "", own, own, "", own]


class ListeningChain(MemoryChain):
    """Knows who called it."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, ...]] = []

    def broadcast(self, raw: bytes) -> None:
        self.heard.append(tracing.followed())
        super().broadcast(raw)


def test_a_batchs_traces_are_followed_when_it_is_broadcast_and_again(world: World) -> None:
    world.chain = chain = ListeningChain()
    refs = [world.confirming(f"k{n}", trace_id=f"{n:032x}") for n in (1, 2)]
    traces = tuple(world.job(ref).trace_id for ref in refs)
    reports = [world.confirm_jobs(refs), world.confirm_jobs([])]
    chain.drop_pool()
    reports.append(world.confirm_jobs([]))
    chain.mine(FINAL_DEPTH)
    reports.append(world.confirm_jobs([]))
    assert chain.heard == [traces, traces]
    assert [report.trace_ids for report in reports] == [traces, (), (), traces]
    assert len(set(traces)) == 2
    assert tracing.followed() == ()
