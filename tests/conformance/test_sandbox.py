"""One suite for what runs work apart: in the same process, and in a forked one."""

from collections.abc import Generator
from itertools import count

import pytest

from chalicelib.adapters.memory_sandbox import MemorySandbox
from chalicelib.adapters.sandbox import ForkedSandbox
from chalicelib.adapters.system import SystemClock
from chalicelib.domain.errors import NodeLags, Unavailable
from chalicelib.domain.job import Progress
from chalicelib.job_types.contract import JobError, Step
from chalicelib.ports import Running, Sandbox
from chalicelib.ports.sandbox import (
    Began,
    Bound,
    Broke,
    Ended,
    Event,
    Exceeded,
    Hindered,
    Refused,
    Stepped,
    Stopped,
    Work,
)

Said = Generator[Began | Step, None, bytes]
MONOTONIC = SystemClock().monotonic
LIMIT_BYTES = 1_000


@pytest.fixture(params=[MemorySandbox, ForkedSandbox])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Where checkpoints are hours apart, unless a stop is asked for."""
    made: Sandbox = request.param(monotonic=MONOTONIC, checkpoint_seconds=3_600, content_bytes=LIMIT_BYTES)
    return made


@pytest.fixture(params=[MemorySandbox, ForkedSandbox])
def eager(request: pytest.FixtureRequest) -> Sandbox:
    """Where a checkpoint is due at every step."""
    made: Sandbox = request.param(monotonic=MONOTONIC, checkpoint_seconds=0, content_bytes=LIMIT_BYTES)
    return made


def next_of(running: Running) -> Event:
    event = running.next(timeout_seconds=20)
    assert event is not None, "the run says nothing"
    return event


def all_of(running: Running) -> list[Event]:
    events = [next_of(running)]
    while isinstance(events[-1], Began | Stepped):
        events.append(next_of(running))
    return events


def three_steps() -> Said:
    yield Began(7)
    for completed in (1, 2, 3):
        yield Step(Progress(completed, 3), lambda at=completed: b"at %d" % at)  # type: ignore[misc]
    return b'{"done":true}'


def endless() -> Said:
    yield Began(1)
    for completed in count():
        yield Step(Progress(completed, 2**62), lambda at=completed: b"%d" % at)  # type: ignore[misc]
    raise AssertionError("unreachable")


def raising(error: BaseException) -> Work:
    def work() -> Said:
        yield Began(1)
        raise error

    return work


def returning(content: bytes) -> Work:
    def work() -> Said:
        yield Began(1)
        return content

    return work


def test_the_cost_comes_first_and_the_result_last_when_the_work_is_done(sandbox: Sandbox) -> None:
    first, *steps, last = all_of(sandbox.start(three_steps))
    assert (first, last) == (Began(7), Ended(b'{"done":true}'))
    assert steps[0] == Stepped(Progress(1, 3))


def test_every_step_has_its_checkpoint_when_one_is_due_at_each(eager: Sandbox) -> None:
    assert all_of(eager.start(three_steps))[1:-1] == [
        Stepped(Progress(at, 3), b"at %d" % at) for at in (1, 2, 3)
    ]


def test_a_run_stops_just_after_a_checkpoint_when_it_is_asked_to(sandbox: Sandbox) -> None:
    running = sandbox.start(endless)
    assert [next_of(running), next_of(running)] == [Began(1), Stepped(Progress(0, 2**62))]
    running.stop()
    *_, step, last = all_of(running)
    assert isinstance(step, Stepped)
    assert (step.checkpoint, last) == (b"%d" % step.progress.completed, Stopped())


def test_a_run_stops_at_a_checkpoint_when_it_is_asked_to_before_it_began(sandbox: Sandbox) -> None:
    running = sandbox.start(endless)
    running.stop()
    running.stop()
    *_, step, last = all_of(running)
    assert isinstance(step, Stepped)
    assert (step.checkpoint, last) == (b"%d" % step.progress.completed, Stopped())


def test_a_run_goes_on_to_its_end_when_it_has_no_checkpoint_to_stop_at(sandbox: Sandbox) -> None:
    def work() -> Said:
        yield Began(1)
        yield Step(Progress(1, 1))
        return b"whole"

    running = sandbox.start(work)
    running.stop()
    assert all_of(running)[-1] == Ended(b"whole")


def test_the_sentence_is_told_when_the_input_cannot_be_computed(sandbox: Sandbox) -> None:
    assert all_of(sandbox.start(raising(JobError("No Zahl."))))[-1] == Refused("No Zahl.")


def test_the_sentence_can_be_stored_when_it_quotes_half_a_surrogate_pair(sandbox: Sandbox) -> None:
    assert all_of(sandbox.start(raising(JobError("Leaf \ud800."))))[-1] == Refused("Leaf \\ud800.")


def test_the_sentence_is_cut_when_it_quotes_without_end(sandbox: Sandbox) -> None:
    refused = all_of(sandbox.start(raising(JobError("x" * 10_000))))[-1]
    assert refused == Refused("x" * 1_000)


def test_the_memory_is_named_when_an_allocation_is_refused(sandbox: Sandbox) -> None:
    assert all_of(sandbox.start(raising(MemoryError())))[-1] == Exceeded(Bound.MEMORY)


@pytest.mark.parametrize("error", [KeyError("planted"), SystemExit("planted"), RecursionError("planted")])
def test_the_error_is_named_and_not_quoted_when_it_is_nobodys_fault(
    sandbox: Sandbox, error: BaseException
) -> None:
    broke = all_of(sandbox.start(raising(error)))[-1]
    assert isinstance(broke, Broke)
    assert broke.detail.startswith(f"{type(error).__name__} < test_sandbox.py:")
    assert "planted" not in broke.detail


@pytest.mark.parametrize("error", [Unavailable("planted"), NodeLags("planted")])
def test_it_is_told_apart_when_the_run_lacks_something_else(sandbox: Sandbox, error: Exception) -> None:
    hindered = all_of(sandbox.start(raising(error)))[-1]
    assert isinstance(hindered, Hindered)
    assert "planted" not in hindered.detail


def test_the_run_is_over_when_its_work_fails_before_it_begins(sandbox: Sandbox) -> None:
    def work() -> Said:
        raise JobError("Not JSON.")
        yield Began(1)

    assert all_of(sandbox.start(work)) == [Refused("Not JSON.")]


def test_a_result_is_told_whole_when_it_is_as_large_as_may_be(sandbox: Sandbox) -> None:
    assert all_of(sandbox.start(returning(b"x" * LIMIT_BYTES)))[-1] == Ended(b"x" * LIMIT_BYTES)


def test_the_memory_is_exceeded_when_a_result_is_too_large(sandbox: Sandbox) -> None:
    assert all_of(sandbox.start(returning(b"x" * (LIMIT_BYTES + 1))))[-1] == Exceeded(Bound.MEMORY)


def test_the_memory_is_exceeded_when_a_checkpoint_is_too_large(eager: Sandbox) -> None:
    def work() -> Said:
        yield Began(1)
        yield Step(Progress(1, 2), lambda: b"x" * (LIMIT_BYTES + 1))
        return b"never"

    assert all_of(eager.start(work)) == [Began(1), Exceeded(Bound.MEMORY)]


def test_a_checkpoint_fails_the_run_when_it_cannot_be_made(eager: Sandbox) -> None:
    def work() -> Said:
        yield Began(1)
        yield Step(Progress(1, 2), lambda: {}["planted"])
        return b"never"

    broke = all_of(eager.start(work))[-1]
    assert isinstance(broke, Broke)
    assert broke.detail.startswith("KeyError < ")


def test_nothing_is_said_any_more_when_a_run_was_killed(sandbox: Sandbox) -> None:
    running = sandbox.start(endless)
    next_of(running)
    running.kill()
    running.kill()
    running.stop()
    with pytest.raises(AssertionError, match="last event"):
        running.next(timeout_seconds=0)


def test_killing_and_stopping_change_nothing_when_a_run_has_ended(sandbox: Sandbox) -> None:
    running = sandbox.start(three_steps)
    assert isinstance(all_of(running)[-1], Ended)
    running.stop()
    running.kill()
    with pytest.raises(AssertionError, match="last event"):
        running.next(timeout_seconds=0)


def test_neither_run_disturbs_the_other_when_two_are_on_their_way(sandbox: Sandbox) -> None:
    one, other = sandbox.start(endless), sandbox.start(three_steps)
    assert next_of(one) == Began(1)
    assert all_of(other)[-1] == Ended(b'{"done":true}')
    one.stop()
    assert all_of(one)[-1] == Stopped()
