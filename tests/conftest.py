"""What every kind of test may use."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack_process import start_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The content of `stack.json` of a stack with the whole product; all tests that ask share it."""
    with start_stack(tmp_path_factory.mktemp("stack")) as started:
        yield started.ready()
