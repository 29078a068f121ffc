"""What a run says, as events: the same wherever it runs, in a process of its own or in the caller's."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from math import inf
from pathlib import Path
from traceback import walk_tb

from chalicelib.domain.errors import ChainUnavailable, Unavailable
from chalicelib.domain.payload import RESULT_BYTES
from chalicelib.job_types.contract import JobError
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

# As large as an upload may be: results and checkpoints are kept in the same store, and held in memory whole.
CONTENT_BYTES = RESULT_BYTES
# What is lost when a worker dies; a checkpoint takes one upload, tens of milliseconds.
CHECKPOINT_SECONDS = 5.0
# A sentence or two; an error may quote what it was given, which has no bound.
DETAIL_CHARACTERS = 1_000
# From the line that failed to the job type's own, through the libraries between them.
PLACES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a run tells of its steps at most, and of a checkpoint."""

    step_seconds: float
    checkpoint_seconds: float = CHECKPOINT_SECONDS


def events_of(
    work: Work,
    *,
    pace: Pace,
    monotonic: Callable[[], float],
    stop_asked: Callable[[], bool],
    content_bytes: int = CONTENT_BYTES,
) -> Generator[Event, None, None]:
    """All events of the work, which goes on only as they are taken; the last one is as `Running` says.

    A result or checkpoint beyond `content_bytes` is memory that the run may not use: to try it again is as
    vain as with any other.
    """
    try:
        yield from _steps(work, pace, monotonic, stop_asked, content_bytes)
    except MemoryError:
        yield Exceeded(Bound.MEMORY)
    except JobError as error:
        yield Refused(_sentence(error))
    except (Unavailable, ChainUnavailable) as error:
        yield Hindered(broken_by(error).detail)
    except (Exception, SystemExit) as error:  # whatever a run raises is its end, and ends nothing else
        yield broken_by(error)


def broken_by(error: BaseException) -> Broke:
    """What it is and where it came from, innermost first; no word that it says: it may quote an input."""
    lines = [f"{Path(each.f_code.co_filename).name}:{line}" for each, line in walk_tb(error.__traceback__)]
    return Broke(" < ".join([type(error).__name__, *reversed(lines[-PLACES:])]))


def _steps(
    work: Work,
    pace: Pace,
    monotonic: Callable[[], float],
    stop_asked: Callable[[], bool],
    content_bytes: int,
) -> Generator[Event, None, None]:
    run = work()
    told_at, kept_at = -inf, monotonic()
    while True:
        try:
            said = next(run)
        except StopIteration as end:
            yield Ended(_bounded(end.value, content_bytes))
            return
        if isinstance(said, Began):
            yield said
            continue
        now, stopping = monotonic(), stop_asked()
        checkpoint = None
        if said.checkpoint and (stopping or now - kept_at >= pace.checkpoint_seconds):
            checkpoint, kept_at = _bounded(said.checkpoint(), content_bytes), now
        if checkpoint is not None or now - told_at >= pace.step_seconds:
            told_at = now
            yield Stepped(said.progress, checkpoint)
        if stopping and checkpoint is not None:
            yield Stopped()
            return


def _bounded(content: bytes, content_bytes: int) -> bytes:
    if len(content) > content_bytes:
        raise MemoryError
    return content


def _sentence(error: JobError) -> str:
    """What it says, without what no UTF-8 can carry: a lone surrogate of the input may be quoted in it."""
    return str(error)[:DETAIL_CHARACTERS].encode(errors="backslashreplace").decode()
