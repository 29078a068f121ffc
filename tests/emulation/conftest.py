"""The apps are projects of their own, and no tests. An edge in a thread is the gateway's."""

from tests.gateway.conftest import account, clock, loop, stack  # noqa: F401 - fixtures

collect_ignore = ["app", "app_that_hangs"]
