"""What every job type promises, each that is there; and what theirs refuse."""

import hashlib
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from chalicelib import job_types
from chalicelib.adapters.memory_logs import MemoryLogs
from chalicelib.domain.job import Progress
from chalicelib.job_types import JOB_TYPES
from chalicelib.job_types.chain_logs import ChainLogs
from chalicelib.job_types.contract import Context, JobError, JobInput, JobType, Run, Step
from chalicelib.job_types.fhe_linear import CIPHERTEXTS_AT_MOST, CONTEXT_CHARACTERS
from chalicelib.job_types.merkle_root import LEAVES_AT_MOST
from chalicelib.job_types.sha256_chain import ROUNDS_AT_MOST

EACH = pytest.mark.parametrize("job_type", JOB_TYPES.values(), ids=JOB_TYPES)
EACH_AVAILABLE = pytest.mark.parametrize(
    "job_type",
    [each for each in JOB_TYPES.values() if each.is_available],
    ids=[name for name, each in JOB_TYPES.items() if each.is_available],
)
OPTIONAL = [
    Requirement(line)
    for line in (Path(__file__).parents[2] / "requirements-fhe.in").read_text().splitlines()
    if not line.startswith("-")
]
# What bounds a value of each of JSON Schema's types; one of several alternatives does.
BOUNDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "string": (("maxLength", "enum", "const"),),
    "array": (("maxItems",),),
    "integer": (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")),
    "number": (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")),
    "object": (("additionalProperties",),),
}


def started(
    name: str,
    job_input: Mapping[str, Any],
    *,
    chain: ChainLogs | None = None,
    checkpoint: bytes | None = None,
) -> Run:
    """A run, by default of a job on a chain without logs."""
    job_type = JOB_TYPES[name]
    wanted = job_type.input_model.model_validate(job_input)
    return job_type.run(Context(wanted, chain or MemoryLogs(), checkpoint))


def finished(steps: Run) -> tuple[list[Step], object]:
    """All steps of a run from here on and its result, or the words of its `JobError`."""
    taken: list[Step] = []
    while True:
        try:
            taken.append(next(steps))
        except StopIteration as stop:
            return taken, stop.value
        except JobError as error:
            return taken, str(error)


def run(name: str, job_input: Mapping[str, Any]) -> tuple[list[Progress], object]:
    """How far the run was at each step, and its result; raises its `JobError`."""
    steps, progress = started(name, job_input), []
    while True:
        try:
            progress.append(next(steps).progress)
        except StopIteration as stop:
            return progress, stop.value


def stopped_everywhere(
    name: str, job_input: Mapping[str, Any], *, chain: ChainLogs | None = None
) -> Iterator[tuple[Step, Run]]:
    """At each step that has a checkpoint, until the run ends or fails, one that goes on from there."""
    with suppress(JobError):
        for step in started(name, job_input, chain=chain):
            if step.checkpoint is not None:
                yield step, started(name, job_input, chain=chain, checkpoint=step.checkpoint())


def test_every_file_is_a_job_type_when_it_does_not_serve_them_all() -> None:
    files = {found.name for found in iter_modules(job_types.__path__)}
    types = {name.replace(".", "_") for name in JOB_TYPES}
    assert files - types == {"chain_logs", "contract", "protobuf"}, (
        "the others have no JOB_TYPE, or another's"
    )


@EACH
def test_a_job_type_says_what_it_is_to_whoever_wants_to_use_it(job_type: JobType) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(\.[a-z][a-z0-9_]*)+", job_type.name)
    assert job_type.version >= 1
    assert job_type.title
    assert job_type.description.endswith(".")
    assert job_type.compute_unit
    assert job_type.input_model.__doc__
    assert job_type.run.__doc__
    module = sys.modules[job_type.run.__module__]
    name = job_type.name.replace(".", "_")
    assert module.__name__.endswith(f".{name}"), f"its file is job_types/{name}.py"
    begins = f"`{job_type.name}`: "
    assert str(module.__doc__).startswith(begins), f"its file's docstring begins with {begins!r}"


@EACH
def test_no_input_is_endless_when_it_fits_its_schema(job_type: JobType) -> None:
    endless = list(unbounded(job_type.input_model.model_json_schema()))
    assert endless == [], "give each of these the bound that it names"


def unbounded(schema: object, place: str = "") -> Iterator[str]:
    """The places of a JSON Schema that leave a size open."""
    if isinstance(schema, list):
        for number, each in enumerate(schema):
            yield from unbounded(each, f"{place}/{number}")
    if isinstance(schema, dict):
        for alternatives in BOUNDS.get(str(schema.get("type")), ()):
            if not any(each in schema for each in alternatives):
                yield f"{place}: {alternatives[0]}"
        for key, each in schema.items():
            if key not in ("example", "examples", "default"):
                yield from unbounded(each, f"{place}/{key}")


@pytest.mark.parametrize("value", [{"type": "string"}, {"type": "array"}, {"type": "integer", "minimum": 0}])
def test_an_endless_field_is_found_wherever_it_is(value: dict[str, Any]) -> None:
    items = {"type": "array", "maxItems": 3, "items": value}
    schema = {"type": "object", "additionalProperties": False, "properties": {"a": items}}
    assert len(list(unbounded(schema))) == 1


@EACH
def test_a_run_has_a_price_of_whole_units_before_it_begins(job_type: JobType) -> None:
    price = job_type.cost(job_type.input_model.model_validate(job_type.example))
    assert type(price) is int
    assert price >= 1


# An input as large as its model lets it be; what only has a length is not made in full.
LARGEST: Mapping[str, Mapping[str, Any]] = {
    "sha256.chain": {"rounds": ROUNDS_AT_MOST},
    "merkle.root": {"leaves": range(LEAVES_AT_MOST), "proofs": True},
    "evm.log_digest": {"first_block": 0, "last_block": 2**53 - 1},
    "fhe.linear": {"vector": range(CIPHERTEXTS_AT_MOST), "context": range(CONTEXT_CHARACTERS)},
}


def sized(job_type: JobType, **sizes: Any) -> JobInput:
    """The example, but as large as that."""
    return job_type.input_model.model_validate(job_type.example).model_copy(update=sizes)


@EACH
def test_an_example_costs_no_more_than_the_most(job_type: JobType) -> None:
    assert 1 <= job_type.cost(sized(job_type)) <= job_type.most_units


@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_input_costs_the_most(name: str) -> None:
    """Which is reserved for an input that nobody has read yet: nothing less would do, or need be more."""
    job_type = JOB_TYPES[name]
    assert job_type.cost(sized(job_type, **LARGEST[name])) == job_type.most_units


@given(
    st.integers(1, ROUNDS_AT_MOST),
    st.integers(1, LEAVES_AT_MOST),
    st.booleans(),
    st.tuples(st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1)),
    st.integers(1, CIPHERTEXTS_AT_MOST),
    st.integers(4, CONTEXT_CHARACTERS),
)
def test_no_input_costs_more_than_the_most_whatever_its_size(
    rounds: int, leaves: int, proofs: object, blocks: tuple[int, int], vector: int, context: int
) -> None:
    sizes: Mapping[str, Mapping[str, Any]] = {
        "sha256.chain": {"rounds": rounds},
        "merkle.root": {"leaves": range(leaves), "proofs": proofs},
        "evm.log_digest": {"first_block": blocks[0], "last_block": blocks[1]},
        "fhe.linear": {"vector": range(vector), "context": range(context)},
    }
    for name, size in sizes.items():
        job_type = JOB_TYPES[name]
        assert 1 <= job_type.cost(sized(job_type, **size)) <= job_type.most_units


@EACH
def test_a_job_type_is_available_when_what_it_requires_is_made_for_this_machine(job_type: JobType) -> None:
    made_here = {each.name for each in OPTIONAL if each.marker is None or each.marker.evaluate()}
    assert job_type.is_available or job_type.requires not in made_here
    assert job_type.requires in {None, *(each.name for each in OPTIONAL)}


@EACH_AVAILABLE
def test_an_example_runs_to_its_end_without_ever_going_back(job_type: JobType) -> None:
    steps, result = finished(started(job_type.name, job_type.example))
    assert result is not None
    done = [step.progress.completed for step in steps]
    assert done == sorted(done)
    assert len({step.progress.total for step in steps}) <= 1
    assert all(0 <= step.progress.completed <= step.progress.total > 0 for step in steps)


@EACH_AVAILABLE
def test_the_result_is_the_same_when_a_run_goes_on_from_any_checkpoint(job_type: JobType) -> None:
    chain = MemoryLogs()
    _, result = finished(started(job_type.name, job_type.example, chain=chain))
    for step, rest in stopped_everywhere(job_type.name, job_type.example, chain=chain):
        steps, same = finished(rest)
        assert same == result
        assert all(each.progress.completed >= step.progress.completed for each in steps)


def test_the_chain_is_hashlibs_when_it_has_many_steps() -> None:
    digest = bytes(32)
    for _ in range(120_000):
        digest = hashlib.sha256(digest).digest()
    progress, result = run("sha256.chain", {"seed": "0x" + "00" * 32, "rounds": 120_000})
    assert result == {"digest": "0x" + digest.hex(), "rounds": 120_000}
    assert [p.completed for p in progress] == [50_000, 100_000, 120_000]


def test_a_chain_goes_on_where_it_was_stopped_at_every_step() -> None:
    job_input = {"seed": "0x" + "5e" * 32, "rounds": 220_000}
    _, result = run("sha256.chain", job_input)
    left = []
    for _, rest in stopped_everywhere("sha256.chain", job_input):
        steps, same = finished(rest)
        assert same == result
        left.append([step.progress.completed for step in steps])
    ends = [50_000, 100_000, 150_000, 200_000, 220_000]
    assert left == [ends[1:], ends[2:], ends[3:], ends[4:], []]


@pytest.mark.parametrize(
    ("name", "job_input", "units"),
    [
        ("sha256.chain", {"rounds": 1}, 1),
        ("sha256.chain", {"rounds": 1_000_000}, 1),
        ("sha256.chain", {"rounds": 1_000_001}, 2),
        ("sha256.chain", {"rounds": 10_000_000_000}, 10_000),
        ("merkle.root", {"leaves": [["a"]] * 10_000, "proofs": False}, 1),
        ("merkle.root", {"leaves": [["a"]] * 10_001, "proofs": False}, 2),
        ("merkle.root", {"leaves": [["a"]] * 5_000, "proofs": True}, 1),
        ("merkle.root", {"leaves": [["a"]] * 5_001, "proofs": True}, 2),
        ("merkle.root", {"leaves": [["a"]] * 100_000, "proofs": True}, 20),
        ("evm.log_digest", {"first_block": 7, "last_block": 7}, 1),
        ("evm.log_digest", {"first_block": 1, "last_block": 1_000}, 1),
        ("evm.log_digest", {"first_block": 0, "last_block": 1_000}, 2),
        ("evm.log_digest", {"first_block": 1, "last_block": 100_000}, 100),
        ("evm.log_digest", {"first_block": 0, "last_block": 2**53 - 1}, 100),
        ("evm.log_digest", {"first_block": 9, "last_block": 1}, 1),
    ],
)
def test_a_price_follows_from_the_input_alone(name: str, job_input: dict[str, Any], units: int) -> None:
    job_type = JOB_TYPES[name]
    wanted = job_type.input_model.model_validate({**job_type.example, **_leaf_type(job_input), **job_input})
    assert job_type.cost(wanted) == units


def _leaf_type(job_input: dict[str, Any]) -> dict[str, Any]:
    return {"leaf_encoding": ["string"]} if "leaves" in job_input else {}


@pytest.mark.parametrize(
    ("encoding", "leaf"),
    [
        (["uint256"], ["-1"]),
        (["uint256"], ["1_000"]),
        (["uint256"], [str(2**256)]),
        (["uint256"], ["0X1"]),
        (["address"], ["0x12"]),
        (["address"], ["0x" + "0" * 41]),
        (["bytes32"], ["0x12"]),
        (["bytes32"], ["zz"]),
        (["bytes32"], [" 0" * 64]),
        (["bool"], ["yes"]),
        (["uint256", "uint256"], ["1"]),
    ],
)
def test_the_job_is_the_callers_error_when_a_leaf_does_not_fit(encoding: list[str], leaf: list[str]) -> None:
    with pytest.raises(JobError, match="Leaf 0"):
        run("merkle.root", {"leaf_encoding": encoding, "leaves": [leaf]})
