"""What holds in every test."""

import sys
from collections.abc import Iterator

import pytest

# Python's own. web3 raises it to 100,000, at which nesting overflows the C stack and ends the process.
RECURSION_LIMIT = 1_000


@pytest.fixture(autouse=True, scope="session")
def recursion_limit() -> Iterator[None]:
    """The stack's limit, as the processes that take requests have it."""
    raised = sys.getrecursionlimit()
    sys.setrecursionlimit(RECURSION_LIMIT)
    yield
    sys.setrecursionlimit(raised)
