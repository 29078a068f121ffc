"""What `tests/api/fuzz` asks of the API in a process, asked of a whole stack, and of more of everything."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.fuzz.command import SEED, fuzz
from tests.api.fuzz.stack import tenant_of
from tests.stack_process import start_stack

# In each phase for each operation: some 2,000 requests and two minutes a run.
EXAMPLES = 50
# Hypothesis ends the search for sequences once an answer depends on what was called before the sequence, as
# ours do: after some 20 or some 150 of them. Another seed searches elsewhere.
SEEDS_OF_SEQUENCES = 4
TENANTS = [("acme", "initech"), ("initech", "acme")]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with start_stack(tmp_path_factory.mktemp("stack")) as process:
        yield process.ready()


@pytest.mark.deep
@pytest.mark.parametrize(("tenant", "other"), TENANTS)
def test_nothing_fails_when_a_tenant_of_a_stack_calls(stack: dict[str, Any], tenant: str, other: str) -> None:
    _assert_nothing_fails(stack, tenant, other, "--max-examples", str(EXAMPLES))


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(SEED, SEED + SEEDS_OF_SEQUENCES))
@pytest.mark.parametrize(("tenant", "other"), TENANTS)
def test_no_sequence_of_calls_fails_when_another_seed_searches(
    stack: dict[str, Any], tenant: str, other: str, seed: int
) -> None:
    depth = ("--phases", "stateful", "--max-examples", "100", "--seed", str(seed))
    _assert_nothing_fails(stack, tenant, other, *depth)


def _assert_nothing_fails(stack: dict[str, Any], tenant: str, other: str, *arguments: str) -> None:
    run = fuzz(stack["api"]["base_url"], tenant_of(stack, tenant), tenant_of(stack, other), *arguments)
    assert run.status == 0, run.printed
