"""The text of a wake-up message: which jobs to look at. It carries nothing that the tables do not hold."""

import json
from collections.abc import Sequence

from chalicelib.domain.job import JobRef


def encode(refs: Sequence[JobRef]) -> str:
    """The message's body.

    >>> decode(encode([JobRef("ten_1", "job_1")]))
    (JobRef(tenant_id='ten_1', job_id='job_1'),)
    """
    return json.dumps({"jobs": [[ref.tenant_id, ref.job_id] for ref in refs]})


def decode(body: str) -> tuple[JobRef, ...]:
    """The jobs that a message names; a `ValueError` for what is no message of ours."""
    try:
        return tuple(JobRef(str(tenant_id), str(job_id)) for tenant_id, job_id in json.loads(body)["jobs"])
    except (KeyError, TypeError) as error:
        raise ValueError("not a wake-up message") from error
