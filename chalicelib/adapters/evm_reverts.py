"""Why a node makes no estimate, which nodes tell in ways of their own."""

import re

from pydantic import JsonValue

from chalicelib.adapters.evm_answers import DATA, parsed
from chalicelib.adapters.json_rpc import NodeRefused
from chalicelib.adapters.registry_calls import error_name
from chalicelib.domain.errors import ChainUnavailable, ConfirmationRejected, TooMuchGas

# The code that geth gives a revert, and others after it.
REVERTED = 3
# geth and anvil: "gas required exceeds allowance"; Hardhat: "Transaction ran out of gas".
OUT_OF_GAS = re.compile("exceeds allowance|out of gas|exceeds block gas limit", re.IGNORECASE)


def why_not(refused: NodeRefused) -> Exception:
    """What it means that the node makes no estimate: a revert, too much gas, or trouble of its own."""
    name = error_name(_revert_data(refused.data))
    if name is not None:
        return ConfirmationRejected(name)
    if OUT_OF_GAS.search(refused.said):
        return TooMuchGas("The call needs more gas than the node has for an estimate.")
    if refused.rpc_code == REVERTED:
        return ConfirmationRejected("It reverts with none of the registry's errors.")
    return refused


def _revert_data(data: JsonValue) -> bytes:
    """A string (geth, anvil, Hardhat 3), or within an object (Hardhat where it also says it in words)."""
    found = data.get("data") if isinstance(data, dict) else data
    try:
        return parsed(DATA, found)
    except ChainUnavailable:
        return b""
