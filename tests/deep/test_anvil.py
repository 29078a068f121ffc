"""What the adapter and the sender do on Hardhat's node, they do on one with a pool and an RPC of its own."""

import asyncio
import inspect
from collections.abc import Iterator
from types import FunctionType

import pytest

from emulation.chain import Node
from tests.chain import (
    test_evm,
    test_evm_refusals,
    test_gas,
    test_registry,
    test_sender_gas,
    test_sender_nonces,
    test_sender_refusals,
    test_sender_reorganisations,
    test_sender_replacement,
    test_sender_trouble,
)
from tests.chain.conftest import bench, held, runner
from tests.chain.test_gas import measured
from tests.chain.test_registry import contract
from tests.deep.anvil import AnvilMining, start_anvil

__all__ = ("bench", "contract", "held", "measured", "runner")

pytestmark = pytest.mark.deep

BEHAVIOURS = (
    test_evm,
    test_evm_refusals,
    test_gas,
    test_registry,
    test_sender_gas,
    test_sender_nonces,
    test_sender_refusals,
    test_sender_reorganisations,
    test_sender_replacement,
    test_sender_trouble,
)

# What is not asked of anvil, and why.
DIFFERENT = {
    test_evm.test_job_is_found_when_it_was_recorded_long_ago: "mines each of 10,000 blocks, in half a minute",
    test_sender_replacement.test_replacement_is_sent_again_when_the_node_has_only_the_old_one: (
        "has not the old one: it takes no offer below the base fee"
    ),
    test_sender_replacement.test_offer_stands_with_an_alarm_when_only_more_than_the_ceiling_would_do: (
        "lets the base fee of an idle chain fall to 7 wei, so that the first offer does not stand at 1 gwei"
    ),
    test_sender_replacement.test_transaction_outbids_others_when_they_have_filled_six_blocks: (
        "fills a block by what is paid at most, not by the tip"
    ),
    test_sender_trouble.test_job_waits_when_the_node_invents_a_receipt: (
        "drops from its pool what a snapshot takes back"
    ),
}

FIXTURES = {"bench", "contract", "held", "measured"}


def is_of_any_node(test: FunctionType) -> bool:
    """Whether the test is of a node, and does not choose its own."""
    marks = getattr(test, "pytestmark", [])
    chooses = any(mark.name == "parametrize" and mark.args[0] == "node" for mark in marks)
    return bool(FIXTURES & inspect.signature(test).parameters.keys()) and not chooses


OF_ANY_NODE = [
    (name, test)
    for module in BEHAVIOURS
    for name, test in inspect.getmembers(module, inspect.isfunction)
    if name.startswith("test_") and is_of_any_node(test)
]
assert len(dict(OF_ANY_NODE)) == len(OF_ANY_NODE), "two tests have one name"
globals().update((name, test) for name, test in OF_ANY_NODE if test not in DIFFERENT)


@pytest.fixture(
    scope="module",
    params=[AnvilMining.AUTOMATIC, AnvilMining.WHEN_TOLD],
    ids=lambda mining: mining.name.lower(),
)
def node(
    request: pytest.FixtureRequest, runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Node]:
    log = tmp_path_factory.mktemp("anvil") / "anvil.log"
    node = runner.run(start_anvil(log, mining=request.param))
    yield node
    runner.run(node.stop())
