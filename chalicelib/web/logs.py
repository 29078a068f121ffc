"""The functions' log: one JSON document a line, each with the traces that it is part of.

What lines name is ids and words of ours: no path, query, header or body. Of an error they tell what it is and
where it came from, and no word that it says: texts of errors repeat what was sent, a secret as likely as not.
"""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from chalicelib.domain import tracing

# A look sends 24 transactions of 98 jobs and closes as many: 165 KB of the 256 KB that a line may have.
TRACES_A_LINE = 5_000

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Failed(Exception):
    """A function did not do what it was woken for; the log says why, under the same traces."""


class _Formatter(LambdaPowertoolsFormatter):
    """Lines without the texts of errors."""

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 (its name in the standard library)
        """The error's type and lines of code, after those of the errors that led to it."""
        return "".join(line for error in reversed(_chain(ei[1])) for line in _places(error))


def _chain(error: BaseException | None) -> list[BaseException]:
    """The error and what led to it, as a traceback shows them."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


def _places(error: BaseException) -> Iterator[str]:
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__module__}.{type(error).__qualname__}\n"


# Without the notes of errors, which are texts too.
logger = Logger(
    service="zama-jobs", logger_formatter=_Formatter(serialize_stacktrace=False), exception_notes=None
)


@contextmanager
def failures_told() -> Iterator[None]:
    """An error that leaves a function is in our log, and leaves as `Failed`: the runtime prints its text."""
    try:
        yield
    except Exception as error:
        logger.exception("failed")
        raise Failed(type(error).__name__) from None


def _traced(record: logging.LogRecord) -> bool:
    """Every record, with its `trace_id`: a text whatever their number, so that one search finds each."""
    record.trace_id = " ".join(tracing.followed()[:TRACES_A_LINE])
    return True


# On the handler, for a logger's own filters do not see what its children log.
logger.registered_handler.addFilter(_traced)
