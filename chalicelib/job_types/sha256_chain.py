"""`sha256.chain`: SHA-256 applied again and again to a seed; sequential by nature, checkable by anyone."""

import hashlib
import json
from functools import partial
from typing import Annotated

from pydantic import Field

from chalicelib.domain.job import Progress
from chalicelib.job_types.contract import Context, JobInput, JobType, Run, Step

# About 25 ms of hashing: progress is fine-grained, and yielding costs nothing beside it.
ROUNDS_A_STEP = 50_000
# Half a second of hashing.
ROUNDS_A_UNIT = 1_000_000
# Over an hour.
ROUNDS_AT_MOST = 10_000_000_000


class Sha256ChainInput(JobInput):
    """`seed` is 32 bytes in hex. A million `rounds` take almost half a second, and the most over an hour."""

    seed: Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$", min_length=66, max_length=66)]
    rounds: Annotated[int, Field(ge=1, le=ROUNDS_AT_MOST, json_schema_extra={"format": "int64"})]


def cost(job_input: Sha256ChainInput) -> int:
    """In units of a million rounds begun."""
    return -(-job_input.rounds // ROUNDS_A_UNIT)


def run(context: Context[Sha256ChainInput]) -> Run:
    """The last digest of the chain, as 0x-prefixed hex."""
    total = context.input.rounds
    digest, done = _begun(context)
    sha256 = hashlib.sha256
    while done < total:
        rounds = min(ROUNDS_A_STEP, total - done)
        for _ in range(rounds):
            digest = sha256(digest).digest()
        done += rounds
        yield Step(Progress(done, total), partial(_checkpoint, digest, done))
    return {"digest": f"0x{digest.hex()}", "rounds": total}


def _begun(context: Context[Sha256ChainInput]) -> tuple[bytes, int]:
    """The digest that an earlier run came to, and after how many rounds; or else the seed."""
    if context.checkpoint is None:
        return bytes.fromhex(context.input.seed[2:]), 0
    reached = json.loads(context.checkpoint)
    return bytes.fromhex(reached["digest"]), reached["rounds"]


def _checkpoint(digest: bytes, rounds: int) -> bytes:
    return json.dumps({"digest": digest.hex(), "rounds": rounds}).encode()


JOB_TYPE = JobType(
    name="sha256.chain",
    version=1,
    title="SHA-256 chain",
    description="SHA-256 applied again and again to a seed: sequential by nature, checkable by anyone.",
    input_model=Sha256ChainInput,
    example={"seed": f"0x{'00' * 32}", "rounds": 120_000},
    compute_unit="1,000,000 rounds, or what is left of them",
    cost=cost,
    most_units=-(-ROUNDS_AT_MOST // ROUNDS_A_UNIT),
    run=run,
)
