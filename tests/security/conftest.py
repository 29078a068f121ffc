"""The whole API in one process, as tests of the contract have it."""

from tests.api.conftest import api as api
from tests.api.conftest import gateway as gateway
from tests.api.conftest import loop as loop
