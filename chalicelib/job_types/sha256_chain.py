"""`sha256.chain`: SHA-256 applied again and again to a seed; sequential by nature, checkable by anyone."""

import hashlib
from typing import Annotated

from pydantic import Field

from chalicelib.domain.job import Progress
from chalicelib.job_types.contract import JobInput, JobType, Run

# About 25 ms of hashing: progress is fine-grained, and yielding costs nothing beside it.
ROUNDS_A_STEP = 50_000


class Sha256ChainInput(JobInput):
    """`seed` is 32 bytes in hex; the bound on `rounds` keeps a run well inside a function's time limit."""

    seed: Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$", min_length=66, max_length=66)]
    rounds: Annotated[int, Field(ge=1, le=20_000_000, json_schema_extra={"format": "int32"})]


def run(job_input: Sha256ChainInput) -> Run:
    """The last digest of the chain, as 0x-prefixed hex."""
    digest = bytes.fromhex(job_input.seed[2:])
    sha256 = hashlib.sha256
    for start in range(0, job_input.rounds, ROUNDS_A_STEP):
        steps = min(ROUNDS_A_STEP, job_input.rounds - start)
        for _ in range(steps):
            digest = sha256(digest).digest()
        yield Progress(start + steps, job_input.rounds)
    return {"digest": f"0x{digest.hex()}", "rounds": job_input.rounds}


JOB_TYPE = JobType(
    name="sha256.chain",
    title="SHA-256 chain",
    description="SHA-256 applied again and again to a seed: sequential by nature, checkable by anyone.",
    input_model=Sha256ChainInput,
    run=run,
)
