"""The stack that a command acts on."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.admin.wiring import Administration


def connected(*needs: str) -> "Administration":
    """The acts of administration on the stack that the environment names, or `Refused`."""
    # Imported here, for it costs half a second, which `--help` and the commands about documents do not need.
    from chalicelib.admin.wiring import Administration

    return Administration.of_environment(os.environ, needs=needs)


def connected_with_chain() -> "Administration":
    """The same, for acts that need the stack's chain too."""
    from chalicelib.admin.wiring import CHAIN

    return connected(*CHAIN)
