"""The functions' log: one JSON document a line, each with the traces that it is part of.

What lines name is ids and words of ours: no path, query, header or body. Where a defect's own text repeats
what a client sent, JSON escapes it, so that no line can be forged.
"""

import logging

from aws_lambda_powertools import Logger

from chalicelib.domain import tracing

# One batch sent and one final, of 250 jobs each: 17 KB of the 256 KB that a line may have.
TRACES_A_LINE = 500

logger = Logger(service="zama-jobs", serialize_stacktrace=False)


def _traced(record: logging.LogRecord) -> bool:
    """Every record, with its `trace_id`: a text whatever their number, so that one search finds each."""
    record.trace_id = " ".join(tracing.followed()[:TRACES_A_LINE])
    return True


# On the handler, for a logger's own filters do not see what its children log.
logger.registered_handler.addFilter(_traced)
