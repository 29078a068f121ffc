"""The job types against implementations that are not ours."""

import hashlib

import pytest

from chalicelib.domain.job import Progress
from chalicelib.job_types import JOB_TYPES
from chalicelib.job_types.contract import JobError


def run(name: str, job_input: dict) -> tuple[list[Progress], object]:
    job_type = JOB_TYPES[name]
    steps, progress = job_type.run(job_type.input_model.model_validate(job_input)), []
    while True:
        try:
            progress.append(next(steps))
        except StopIteration as stop:
            return progress, stop.value


def test_the_chain_is_hashlibs_when_it_has_many_steps() -> None:
    digest = bytes(32)
    for _ in range(120_000):
        digest = hashlib.sha256(digest).digest()
    progress, result = run("sha256.chain", {"seed": "0x" + "00" * 32, "rounds": 120_000})
    assert result == {"digest": "0x" + digest.hex(), "rounds": 120_000}
    assert [p.completed for p in progress] == [50_000, 100_000, 120_000]


@pytest.mark.parametrize(
    ("encoding", "leaf"),
    [
        (["uint256"], ["-1"]),
        (["uint256"], ["1_000"]),
        (["uint256"], [str(2**256)]),
        (["address"], ["0x12"]),
        (["bytes32"], ["0x12"]),
        (["bytes32"], ["zz"]),
        (["bool"], ["yes"]),
        (["uint256", "uint256"], ["1"]),
    ],
)
def test_the_job_is_the_callers_error_when_a_leaf_does_not_fit(encoding: list[str], leaf: list[str]) -> None:
    with pytest.raises(JobError, match="Leaf 0"):
        run("merkle.root", {"leaf_encoding": encoding, "leaves": [leaf]})
