"""The tenants of a stack that `python -m emulation up` runs."""

from collections.abc import Mapping
from typing import Any

from tests.api.fuzz.command import Tenant


def tenant_of(stack: Mapping[str, Any], name: str) -> Tenant:
    """A tenant of `stack.json`, by its name."""
    found = next(each for each in stack["tenants"] if each["name"] == name)
    return Tenant(found["client_id"], found["client_secret"])
